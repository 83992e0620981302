/*
 * Counts by stack and labels, on their way into a profile: block, mutex,
 * goroutine, threadcreate and the application's own.
 *
 * Users add the rows of a slot and let their ids be resolved (resolve.h); what
 * is the same then becomes one sample.
 *
 * Rule: the order of samples depends on what was counted, not on where it
 * lay, so that the same counts make the same profile.
 */
#ifndef PP_COUNTS_TALLY_H
#define PP_COUNTS_TALLY_H

#include <stdint.h>

#include "merge/resolve.h"

/* The largest value of a sample; what would be more stays there. */
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

/* What kind of profile it becomes. */
struct pp_tally_kind {
	const char *type[2][2]; /* name and unit; a NULL name: one value only */
	uint32_t sort_by;	/* value by which samples come, most first */
	const char *text;	/* key of pp_tally_row.text; NULL: none */
};

/* Returns -1 when out of memory; _end is to be called all the same. */
int pp_tally_begin(struct pp_tally *tally, struct pp_resolver *resolver);
void pp_tally_end(struct pp_tally *tally);

/* Add a copy of the row. Returns -1 when out of memory. */
int pp_tally_add(struct pp_tally *tally, const struct pp_tally_row *row);

/* The rows from `first` on have the slot's own ids of stack and label, and
 * get those of all. See pp_resolve_slot() for when. */
void pp_tally_resolve(struct pp_tally *tally, uint32_t slot, uint32_t first);

/* Make one row of rows that differ in their values only. */
void pp_tally_merge(struct pp_tally *tally);

/* The rows as a profile; the caller adds comments, and takes it from
 * pp_build_done(). NULL: out of memory. */
struct pp_build *pp_tally_build(struct pp_tally *tally,
    const struct pp_tally_kind *kind);

/* Comments on what the service has lost so far, `sort` as for
 * pp_build_losses(), and on what this reading has. */
void pp_tally_comments(const struct pp_tally *tally, struct pp_build *build,
    const char *sort);

#endif
