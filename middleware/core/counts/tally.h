/*
 * The aggregate: counts by stack and labels, on their way into a profile of
 * block, mutex, goroutine, threadcreate or a custom profile.
 *
 * Users add the rows of a slot and let the ids of the rows be resolved
 * (resolve.h); rows that are equal then become one sample. Not the heap, which
 * has a list of its own (heap.c).
 *
 * Rule: cold; the order of samples depends on what was counted, not on where it
 * lay, so that the same counts make the same profile.
 */
#ifndef PP_COUNTS_TALLY_H
#define PP_COUNTS_TALLY_H

#include <stdint.h>

#include "merge/resolve.h"

/* The largest value of a sample; larger sums stay there. */
#define PP_TALLY_MAX (1LL << 62)

struct pp_tally_row {
	uint32_t slot;	  /* 1.. is the label `worker`; 0: none */
	uint32_t stack;	  /* of pp_resolve.stacks */
	uint32_t label;	  /* of pp_resolve.labels */
	uint32_t thread;  /* the label `thread`; 0: none */
	const char *text; /* the label pp_tally_kind.text; NULL: none */
	uint64_t value[2];
};

struct pp_tally {
	struct pp_resolve ids;
	struct pp_tally_row *row; /* owned */
	uint32_t rows, room;
};

/* What kind of profile an aggregate becomes. */
struct pp_tally_kind {
	const char *type[2][2]; /* name and unit; a NULL name: one value only */
	uint32_t sort_by;	/* value that orders samples, largest first */
	const char *text;	/* key of pp_tally_row.text; NULL: none */
};

/* Begin an empty aggregate. Returns -1 when out of memory; the caller calls
 * _end in both cases. */
int pp_tally_begin(struct pp_tally *tally, struct pp_resolver *resolver);
void pp_tally_end(struct pp_tally *tally);

/* Add a copy of the row. Returns -1 when out of memory. */
int pp_tally_add(struct pp_tally *tally, const struct pp_tally_row *row);

/* Turn the slot's own ids of stack and label in the rows from `first` on into
 * common ids. pp_resolve_slot() says when this may be called. */
void pp_tally_resolve(struct pp_tally *tally, uint32_t slot, uint32_t first);

/* Make one row of all rows that differ only in their values. */
void pp_tally_merge(struct pp_tally *tally);

/* Return the rows as a profile in the making: the caller adds comments, and
 * gets the profile by pp_build_done(). NULL: out of memory. */
struct pp_build *pp_tally_build(struct pp_tally *tally,
    const struct pp_tally_kind *kind);

/* Add comments on what the service has lost so far, with `sort` as in
 * pp_build_losses(), and on what this reading has lost. */
void pp_tally_comments(const struct pp_tally *tally, struct pp_build *build,
    const char *sort);

#endif
