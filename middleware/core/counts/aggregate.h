/*
 * The aggregate: counts by stack and labels, on their way into a profile of
 * block, mutex, goroutine, threadcreate or a custom profile.
 *
 * Users add the entries of a slot and let the ids of the entries be resolved
 * (merge/resolve.h); entries that are equal then become one sample. Not the
 * heap, which has a list of its own (heap.c).
 *
 * Rule: cold; the order of samples depends on what was counted, not on where it
 * lay, so that the same counts make the same profile.
 */
#ifndef PP_COUNTS_AGGREGATE_H
#define PP_COUNTS_AGGREGATE_H

#include <stdint.h>

#include "merge/resolve.h"

/* The largest value of a sample; larger sums stay there. */
#define PP_AGGREGATE_MAX (1LL << 62)

struct pp_aggregate_entry {
	uint32_t slot;	  /* 1.. is the label `worker`; 0: none */
	uint32_t stack;	  /* of pp_resolve.stacks */
	uint32_t label;	  /* of pp_resolve.labels */
	uint32_t thread;  /* the label `thread`; 0: none */
	const char *text; /* the label pp_aggregate_kind.text; NULL: none */
	uint64_t value[2];
};

struct pp_aggregate {
	struct pp_resolve ids;
	struct pp_aggregate_entry *entry; /* owned */
	uint32_t entries, room;
};

/* What kind of profile an aggregate becomes. */
struct pp_aggregate_kind {
	const char *type[2][2]; /* name and unit; a NULL name: one value only */
	uint32_t sort_by;	/* value that orders samples, largest first */
	const char *text;	/* key of pp_aggregate_entry.text; NULL: none */
};

/* Begin an empty aggregate. Returns -1 when out of memory; the caller calls
 * _end in both cases. */
int pp_aggregate_begin(struct pp_aggregate *aggregate,
    struct pp_resolver *resolver);
void pp_aggregate_end(struct pp_aggregate *aggregate);

/* Add a copy of the entry. Returns -1 when out of memory. */
int pp_aggregate_add(struct pp_aggregate *aggregate,
    const struct pp_aggregate_entry *entry);

/* Turn the slot's own ids of stack and label in the entries from `first` on
 * into common ids. pp_resolve_slot() says when this may be called. */
void pp_aggregate_resolve(struct pp_aggregate *aggregate, uint32_t slot,
    uint32_t first);

/* Make one entry of all entries that differ only in their values. */
void pp_aggregate_merge(struct pp_aggregate *aggregate);

/* Return the entries as a profile in the making: the caller adds comments, and
 * gets the profile by pp_build_done(). NULL: out of memory. */
struct pp_build *pp_aggregate_build(struct pp_aggregate *aggregate,
    const struct pp_aggregate_kind *kind);

/* Add comments on what the service has lost so far, with `prefix` as in
 * pp_build_losses(), and on what this reading has lost. */
void pp_aggregate_comments(const struct pp_aggregate *aggregate,
    struct pp_build *build, const char *prefix);

#endif
