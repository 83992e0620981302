/*
 * Sums up by function, in up to three passes over the samples, as pprof does:
 * all functions; those that are not too small; those that are shown. Only the
 * edges between callers and callees differ: a function that is left out is
 * skipped, and its caller becomes the caller of its callees.
 *
 * Rule: only sums are made here; text_top.c prints them.
 */
#include "encode/text/top.h"

#include <stdlib.h>
#include <string.h>

#include "base/mix.h"
#include "encode/bytes/measure.h"
#include "profile/frames.h"

#define NODE_PART 0.005 /* of the total: a smaller node is left out */
#define EDGE_PART 0.001
#define FIRST	  256

static int
name_same(const void *owner, uint32_t id, const void *key)
{
	const struct pp_top *top = owner;
	const struct pp_frames *frame = key;

	return (top->node[id].name == frame->name &&
	    top->node[id].nameless == frame->nameless);
}

static int
ends_same(const void *owner, uint32_t id, const void *key)
{
	const struct pp_top *top = owner;
	const struct pp_top_edge *edge = key;

	return (
	    top->edge[id].from == edge->from && top->edge[id].to == edge->to);
}

/* Make room for one more entry; entry 0 stays unused. */
static void *
top_grow(struct pp_top *top, void *array, uint32_t *used, uint32_t *room,
    size_t size)
{
	uint32_t more = *room == 0 ? FIRST : 2 * *room;

	if (*used < *room)
		return (array);
	if ((array = reallocarray(array, more, size)) == NULL) {
		top->failed = 1;
		return (NULL);
	}
	if (*room == 0)
		*used = 1;
	*room = more;
	return (array);
}

static uint32_t
node_of(struct pp_top *top, const struct pp_frames *frame)
{
	struct pp_top_node *node;
	uint64_t hash;
	uint32_t id;

	hash =
	    pp_mix((uint64_t)frame->nameless, (uint64_t)(uintptr_t)frame->name);
	id = pp_idmap_find(&top->by_name, hash, name_same, top, frame);
	if (id != 0 || top->failed)
		return (id);
	node = top_grow(top, top->node, &top->nodes, &top->node_room,
	    sizeof(*node));
	if (node == NULL)
		return (0);
	top->node = node;
	node[top->nodes] = (struct pp_top_node){ .name = frame->name,
		.nameless = frame->nameless };
	if (pp_idmap_add(&top->by_name, hash, top->nodes) == -1)
		top->failed = 1;
	return (top->nodes++);
}

static void
edge_add(struct pp_top *top, uint32_t from, uint32_t to, int inlined,
    int64_t value, uint32_t sample)
{
	struct pp_top_edge key = { .from = from, .to = to }, *edge;
	uint64_t hash = pp_mix(pp_mix(0, from), to);
	uint32_t id;

	id = pp_idmap_find(&top->by_ends, hash, ends_same, top, &key);
	if (id == 0 && !top->failed) {
		edge = top_grow(top, top->edge, &top->edges, &top->edge_room,
		    sizeof(*edge));
		if (edge == NULL)
			return;
		top->edge = edge;
		key.inlined = 1;
		edge[top->edges] = key;
		if (pp_idmap_add(&top->by_ends, hash, top->edges) == -1)
			top->failed = 1;
		id = top->edges++;
	}
	if (top->failed || top->edge[id].seen == sample)
		return;
	top->edge[id].seen = sample;
	top->edge[id].weight += value;
	top->edge[id].inlined &= inlined;
}

/* Add a sample to all its functions; `number` counts samples from 1. */
static void
sample_add(struct pp_top *top, const struct pp_sample *sample, uint32_t number)
{
	struct pp_frames frame = pp_frames_of(top->p, sample);
	int64_t value = sample->value[top->value];
	uint32_t parent = 0, id;
	int leaf_dropped = 0;

	while (pp_frames_next(&frame)) {
		id = node_of(top, &frame);
		if (top->failed)
			return;
		leaf_dropped = top->node[id].dropped;
		if (leaf_dropped)
			continue;
		if (top->node[id].seen != number) {
			top->node[id].seen = number;
			top->node[id].cum += value;
		}
		if (parent != 0 && parent != id)
			edge_add(top, parent, id, frame.inlined, value, number);
		parent = id;
	}
	if (parent != 0 && !leaf_dropped)
		top->node[parent].flat += value;
}

static void
top_pass(struct pp_top *top)
{
	uint32_t i;

	for (i = 1; i < top->nodes; i++) {
		top->node[i].flat = top->node[i].cum = 0;
		top->node[i].seen = 0;
	}
	pp_idmap_free(&top->by_ends);
	top->edges = top->edge_room == 0 ? 0 : 1;
	for (i = 0; i < top->p->samples && !top->failed; i++) {
		if (top->p->sample[i].value[top->value] != 0)
			sample_add(top, &top->p->sample[i], i + 1);
	}
}

static int
row_compare(const void *a, const void *b, void *arg)
{
	const struct pp_top_node *node = arg, *left, *right;
	int64_t l, r;
	int order;

	left = &node[*(const uint32_t *)a];
	right = &node[*(const uint32_t *)b];
	l = pp_measure_abs(left->flat);
	r = pp_measure_abs(right->flat);
	if (l != r)
		return (l > r ? -1 : 1);
	if (left->nameless != right->nameless)
		return (strcmp(left->nameless ? "[" : left->name,
		    right->nameless ? "[" : right->name));
	if ((order = strcmp(left->name, right->name)) != 0)
		return (order);
	l = pp_measure_abs(left->cum);
	r = pp_measure_abs(right->cum);
	return (l > r ? -1 : l < r);
}

/* List the functions that have any value, in order. */
static void
top_rows(struct pp_top *top)
{
	uint32_t i;

	top->rows = 0;
	for (i = 1; i < top->nodes; i++) {
		if (!top->node[i].dropped &&
		    (top->node[i].flat != 0 || top->node[i].cum != 0))
			top->row[top->rows++] = i;
	}
	qsort_r(top->row, top->rows, sizeof(*top->row), row_compare, top->node);
}

static int64_t
part_of(int64_t total, double part)
{
	return (pp_measure_abs((int64_t)((double)total * part)));
}

int64_t
pp_top_cutoff(int64_t total)
{
	return (part_of(total, NODE_PART));
}

/* Leave out functions that are too small, and then those beyond the rows that
 * are asked for. */
static int64_t
top_trim(struct pp_top *top, uint32_t rows_max)
{
	struct pp_top_node *node;
	int64_t sum = 0, cutoff;
	uint32_t i;

	for (i = 0; i < top->rows; i++)
		sum += top->node[top->row[i]].flat;
	cutoff = pp_top_cutoff(sum);
	for (i = 1; i < top->nodes; i++) {
		node = &top->node[i];
		if (pp_measure_abs(node->cum) >= cutoff)
			continue;
		top->dropped += node->flat != 0 || node->cum != 0;
		node->dropped = 1;
	}
	if (top->dropped > 0) {
		top_pass(top);
		top_rows(top);
	}
	top->left = top->rows;
	if (top->rows > rows_max) {
		for (i = rows_max; i < top->rows; i++)
			top->node[top->row[i]].dropped = 1;
		top_pass(top);
		top_rows(top);
	}
	return (part_of(sum, EDGE_PART));
}

int
pp_top_make(struct pp_top *top, const struct pp_profile *p, uint32_t value,
    uint32_t rows_max)
{
	int64_t edge_cutoff;
	uint32_t i;

	*top = (struct pp_top){ .p = p, .value = value };
	for (i = 0; i < p->samples; i++)
		top->total += pp_measure_abs(p->sample[i].value[value]);
	top_pass(top);
	top->row = calloc((size_t)top->nodes + 1, sizeof(*top->row));
	if (top->failed || top->row == NULL)
		return (-1);
	top_rows(top);
	edge_cutoff = top_trim(top, rows_max);
	for (i = 1; i < top->edges; i++) {
		if (pp_measure_abs(top->edge[i].weight) < edge_cutoff)
			continue;
		if (top->edge[i].inlined)
			top->node[top->edge[i].to].inlined = 1;
		else
			top->node[top->edge[i].to].called = 1;
	}
	return (top->failed ? -1 : 0);
}

void
pp_top_free(struct pp_top *top)
{
	pp_idmap_free(&top->by_name);
	pp_idmap_free(&top->by_ends);
	free(top->node);
	free(top->edge);
	free(top->row);
}
