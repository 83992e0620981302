/*
 * Functions by name with their own values and those of their callees: the
 * numbers behind text_top.c. Only that file and its tests include this.
 *
 * Rule: the sums are those of pprof: a function counts once for a stack,
 * however often it is in the stack; small functions are left out, and their
 * values are given to no other.
 */
#ifndef PP_ENCODE_TEXT_TOP_H
#define PP_ENCODE_TEXT_TOP_H

#include "profile/idmap.h"
#include "profile/profile.h"

struct pp_top_node {
	const char *name;
	int nameless; /* 1: `name` is that of the object's file */
	int64_t flat, cum;
	uint32_t seen; /* the sample that was added last */
	int dropped;
	int inlined, called; /* numbers of callers: inlined into, called by */
};

/* A caller and its callee. */
struct pp_top_edge {
	uint32_t from, to;
	int64_t weight;
	uint32_t seen;
	int inlined;
};

struct pp_top {
	const struct pp_profile *p;
	uint32_t value;
	struct pp_top_node *node; /* [0] is not used */
	uint32_t nodes, node_room;
	struct pp_idmap by_name;
	struct pp_top_edge *edge; /* [0] is not used */
	uint32_t edges, edge_room;
	struct pp_idmap by_ends;
	int failed;

	uint32_t *row; /* shown nodes, in order */
	uint32_t rows;
	uint32_t left;	  /* nodes that are not too small */
	uint32_t dropped; /* nodes that are too small */
	int64_t total;	  /* sum of the absolute values */
};

/* Sum up value[`value`] by function, and keep at most `rows_max` rows. Returns
 * -1 when out of memory; the caller calls _free() in both cases. */
int pp_top_make(struct pp_top *top, const struct pp_profile *p, uint32_t value,
    uint32_t rows_max);
void pp_top_free(struct pp_top *top);

/* Return the value below which pprof leaves a function out. */
int64_t pp_top_cutoff(int64_t total);

#endif
