/*
 * Functions by name with what they cost themselves and with what they call:
 * the numbers behind text_top.c. Private to it and to its tests.
 *
 * Rule: as pprof sums: a function counts once for a stack, however often it
 * is in it; small ones are left out and given to nobody.
 */
#ifndef PP_ENCODE_TEXT_TOP_H
#define PP_ENCODE_TEXT_TOP_H

#include "profile/idmap.h"
#include "profile/profile.h"

struct pp_top_node {
	const char *name;
	int nameless; /* 1: the name of its object's file */
	int64_t flat, cum;
	uint32_t seen; /* the sample that was added last */
	int dropped;
	int inlined, called; /* callers it was inlined into; that called it */
};

/* A caller and who it calls. */
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

	uint32_t *row; /* numbers of nodes that are shown, in order */
	uint32_t rows;
	uint32_t left;	  /* after those that are too small */
	uint32_t dropped; /* too small */
	int64_t total;	  /* sum of what is above zero, and of what is below
			     without its sign */
};

/* Returns -1 when out of memory; _free() in any case. */
int pp_top_make(struct pp_top *top, const struct pp_profile *p, uint32_t value,
    uint32_t rows_max);
void pp_top_free(struct pp_top *top);

/* The part of `total` below which pprof leaves a function out. */
int64_t pp_top_cutoff(int64_t total);

#endif
