/*
 * A tree of calls, made of the samples of a profile and one of their values.
 * Flame graphs and pictures of calls are drawn from it.
 *
 * A node is a function by its name, below the same callers. This is no graph: a
 * function that is called from two places is two nodes.
 *
 * Rule: every value is somewhere in the tree: a sample that finds no room is
 * below PP_TREE_FULL. The same profile gives the same tree.
 */
#ifndef PP_PROFILE_TREE_H
#define PP_PROFILE_TREE_H

#include "base/limits.h"
#include "profile/profile.h"

/* The names of the two nodes that are no functions. */
#define PP_TREE_ALL  "all"
#define PP_TREE_FULL "[stacks that did not fit]"

struct pp_tree_node {
	const char *name; /* the profile's, or one of the above */
	const char *file; /* of source, "" when unknown */
	/* The object's file, without folders; "" if the node is no function. */
	const char *object;
	int64_t total; /* with all nodes below */
	int64_t self;
	uint32_t parent;
	uint32_t first;	   /* index into order[] of the first child */
	uint32_t children; /* how many, there, the largest first */
	uint32_t depth;	   /* 0: the root */
};

struct pp_tree {
	struct pp_tree_node *node; /* [0] is the root */
	uint32_t nodes;
	uint32_t *order; /* numbers of nodes */
	uint32_t depth;	 /* of the deepest node */
	int64_t below;	 /* sum of the values below zero that were left out */
	uint64_t unfit;	 /* samples that are below PP_TREE_FULL */
};

enum pp_tree_signs {
	PP_TREE_ABOVE_ZERO, /* for forms that cannot show values below 0 */
	PP_TREE_ALL_SIGNS
};

/* Build the tree from value[`value`], with at most `limit` nodes and two more.
 * The profile must outlive the tree. Returns 0, or -1 when out of memory; the
 * caller calls _free() in any case. */
int pp_tree_build(struct pp_tree *tree, const struct pp_profile *p,
    uint32_t value, enum pp_tree_signs signs, uint32_t limit);
void pp_tree_free(struct pp_tree *tree);

/* The node's child of that number, 0 .. children - 1. */
static inline const struct pp_tree_node *
pp_tree_child(const struct pp_tree *tree, const struct pp_tree_node *node,
    uint32_t child)
{
	return (&tree->node[tree->order[node->first + child]]);
}

#endif
