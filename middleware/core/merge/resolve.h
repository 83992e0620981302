/*
 * What one slot calls by its own ids (stacks, label sets), under numbers that
 * all slots share: canonical addresses, one number for the same labels.
 *
 * Not what is counted by them: that is the user's (waits.c, progress.c ...).
 *
 *     pp_resolve_begin
 *     for each slot: copy what is wanted of it, ids as they are;
 *                    pp_resolve_slot; then ask _stack, _label, _pcs
 *     pp_resolve_end
 *
 * Rule: cold; only reads the arena and believes nothing. What cannot be read
 * is 0, "none", and counted.
 */
#ifndef PP_MERGE_RESOLVE_H
#define PP_MERGE_RESOLVE_H

#include <stdint.h>

#include "merge/build.h"
#include "merge/canon.h"
#include "merge/labels.h"
#include "merge/readings.h"
#include "merge/stacks.h"
#include "store/arena.h"

/* Lives as long as the service: what was read of the slots' objects. */
struct pp_resolver {
	struct pp_arena *arena;
	uint32_t slots;
	struct pp_canon *canon;
	uint32_t words_max;	     /* of all stacks; tests shrink it */
	struct pp_reading reading[]; /* by slot */
};

/* One reading of the slots. */
struct pp_resolve {
	struct pp_resolver *resolver;
	struct pp_stacks *stacks;
	struct pp_labels *labels;
	uint64_t *known; /* by id: slot + 1 << 32 | stack */
	struct pp_label_cache cache;
	uint32_t slot;
	uint64_t stacks_unreadable;
	uint64_t stacks_dropped; /* no room for them */
	uint64_t labels_unreadable;
};

/* `slots` has been checked against the arena's size. NULL: out of memory. */
struct pp_resolver *pp_resolver_new(struct pp_arena *arena, uint32_t slots,
    struct pp_canon *canon);
void pp_resolver_free(struct pp_resolver *resolver);

/* Returns -1 when out of memory; _end is to be called all the same. */
int pp_resolve_begin(struct pp_resolve *resolve, struct pp_resolver *resolver);
void pp_resolve_end(struct pp_resolve *resolve);

/* The next questions are about this slot. After its ids have been copied:
 * whatever object a stack knew is in the table then. */
void pp_resolve_slot(struct pp_resolve *resolve, uint32_t slot);

/* The slot's stack `id` as one of `stacks`. */
uint32_t pp_resolve_stack(struct pp_resolve *resolve, uint32_t id);

/* A stack that is no interned one: an exact pc and then return addresses. */
uint32_t pp_resolve_pcs(struct pp_resolve *resolve, const uint64_t *pc,
    uint32_t count);

/* The slot's label set `id` as one of `labels`. */
uint32_t pp_resolve_label(struct pp_resolve *resolve, uint32_t id);

/* What was lost, as comments. */
void pp_resolve_comments(const struct pp_resolve *resolve,
    struct pp_profile *p);

#endif
