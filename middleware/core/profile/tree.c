/*
 * See tree.h. For each sample the code walks down from the root and finds
 * children by a hash of parent and name. At the end all nodes are sorted once.
 *
 * Rule: the order of children comes from values and texts, never from hashes
 * or addresses.
 */
#include "profile/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/mix.h"
#include "base/yield.h"
#include "profile/frames.h"
#include "profile/idmap.h"

#define FIRST_NODES 1024

struct build {
	struct pp_tree *tree;
	struct pp_idmap children; /* numbers of nodes; the root has none */
	uint32_t room;
	uint32_t full; /* number of PP_TREE_FULL; 0: there is none yet */
	uint32_t limit;
	int failed;
};

struct child_key {
	uint32_t parent;
	const char *name;
};

static int
child_same(const void *owner, uint32_t id, const void *key)
{
	const struct pp_tree *tree = owner;
	const struct child_key *wanted = key;

	return (tree->node[id].parent == wanted->parent &&
	    tree->node[id].name == wanted->name);
}

static uint32_t
node_new(struct build *b, uint32_t parent, const char *name, const char *file)
{
	struct pp_tree *tree = b->tree;
	struct pp_tree_node *node;
	uint32_t room;

	if (tree->nodes == b->room) {
		room = b->room == 0 ? FIRST_NODES : 2 * b->room;
		node = reallocarray(tree->node, room, sizeof(*node));
		if (node == NULL) {
			b->failed = 1;
			return (0);
		}
		tree->node = node;
		b->room = room;
	}
	node = &tree->node[tree->nodes];
	memset(node, 0, sizeof(*node));
	node->name = name;
	node->file = file;
	node->object = "";
	node->parent = parent;
	node->depth = tree->nodes == 0 ? 0 : tree->node[parent].depth + 1;
	if (node->depth > tree->depth)
		tree->depth = node->depth;
	return (tree->nodes++);
}

/* Returns the number of the child of that name, which is made if there is none;
 * 0: no room, or no memory. */
static uint32_t
child_of(struct build *b, uint32_t parent, const struct pp_frames *frame)
{
	struct child_key key = { parent, frame->name };
	uint64_t hash;
	uint32_t id;

	hash = pp_mix(pp_mix(0, parent), (uint64_t)(uintptr_t)frame->name);
	id = pp_idmap_find(&b->children, hash, child_same, b->tree, &key);
	if (id != 0 || b->tree->nodes > b->limit)
		return (id);
	id = node_new(b, parent, frame->name, frame->file);
	if (id != 0)
		b->tree->node[id].object =
		    pp_frames_object(frame->p, frame->location);
	if (id != 0 && pp_idmap_add(&b->children, hash, id) == -1)
		b->failed = 1;
	return (b->failed ? 0 : id);
}

/* If the sum overflows, it stays at the end of its range. */
static void
value_add(int64_t *sum, int64_t value)
{
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = value > 0 ? INT64_MAX : INT64_MIN;
}

static uint32_t
full_node(struct build *b)
{
	if (b->full == 0)
		b->full = node_new(b, 0, PP_TREE_FULL, "");
	return (b->full);
}

static void
sample_add(struct build *b, const struct pp_sample *sample,
    const struct pp_profile *p, int64_t value)
{
	struct pp_frames frame = pp_frames_of(p, sample);
	uint32_t at = 0, next;

	while (!b->failed && pp_frames_next(&frame)) {
		next = child_of(b, at, &frame);
		if (next == 0) {
			at = full_node(b);
			b->tree->unfit++;
			break;
		}
		at = next;
	}
	if (b->failed)
		return;
	value_add(&b->tree->node[at].self, value);
	for (; at != 0; at = b->tree->node[at].parent)
		value_add(&b->tree->node[at].total, value);
	value_add(&b->tree->node[0].total, value);
}

static int
node_compare(const void *a, const void *b, void *arg)
{
	const struct pp_tree_node *node = arg, *left, *right;
	int order;

	left = &node[*(const uint32_t *)a];
	right = &node[*(const uint32_t *)b];
	if (left->parent != right->parent)
		return (left->parent < right->parent ? -1 : 1);
	if (left->total != right->total)
		return (left->total > right->total ? -1 : 1);
	if ((order = strcmp(left->name, right->name)) != 0)
		return (order);
	return (left < right ? -1 : left > right);
}

static int
tree_order(struct pp_tree *tree)
{
	struct pp_tree_node *parent;
	uint32_t i;

	if ((tree->order = calloc(tree->nodes, sizeof(*tree->order))) == NULL)
		return (-1);
	for (i = 1; i < tree->nodes; i++)
		tree->order[i - 1] = i;
	qsort_r(tree->order, tree->nodes - 1, sizeof(*tree->order),
	    node_compare, tree->node);
	for (i = 0; i + 1 < tree->nodes; i++) {
		parent = &tree->node[tree->node[tree->order[i]].parent];
		if (parent->children++ == 0)
			parent->first = i;
	}
	return (0);
}

int
pp_tree_build(struct pp_tree *tree, const struct pp_profile *p, uint32_t value,
    enum pp_tree_signs signs, uint32_t limit)
{
	struct build b = { .tree = tree, .limit = limit };
	int64_t weight;
	uint32_t i;

	memset(tree, 0, sizeof(*tree));
	(void)node_new(&b, 0, PP_TREE_ALL, "");
	for (i = 0; i < p->samples && !b.failed; i++) {
		pp_yield();
		weight = p->sample[i].value[value];
		if (weight < 0 && signs == PP_TREE_ABOVE_ZERO)
			value_add(&tree->below, weight);
		else if (weight != 0)
			sample_add(&b, &p->sample[i], p, weight);
	}
	pp_idmap_free(&b.children);
	return (b.failed || tree_order(tree) == -1 ? -1 : 0);
}

void
pp_tree_free(struct pp_tree *tree)
{
	free(tree->node);
	free(tree->order);
	memset(tree, 0, sizeof(*tree));
}
