/*
 * This turns the ids of one slot (of stacks and label sets) into numbers that
 * all slots share: a stack becomes one of canonical addresses, and equal label
 * sets get one number.
 *
 * Users count by these numbers (counts/waits.c, live/activity.c ...).
 *
 *     pp_resolve_begin
 *     for each slot: copy what is wanted of it, ids as they are;
 *                    pp_resolve_slot; then ask _stack, _label, _pcs
 *     pp_resolve_end
 *
 * Rule: cold; the arena is only read, and nothing in it is believed. If a stack
 * or a set cannot be read, its number is 0, "none", and that is counted.
 */
#ifndef PP_MERGE_RESOLVE_H
#define PP_MERGE_RESOLVE_H

#include <stdint.h>

#include "merge/address_map.h"
#include "merge/build.h"
#include "merge/labels.h"
#include "merge/maps.h"
#include "merge/stacks.h"
#include "store/arena.h"

/* The process maps of all slots. A resolver lives as long as the service. */
struct pp_resolver {
	struct pp_arena *arena;
	uint32_t slots;
	struct pp_address_map *map;
	uint32_t words_max; /* bound of all stacks; tests set a smaller one */
	struct pp_maps maps[]; /* by slot */
};

/* The state of one walk through the slots. */
struct pp_resolve {
	struct pp_resolver *resolver;
	struct pp_stacks *stacks;
	struct pp_labels *labels;
	uint64_t *known; /* by id: (slot + 1) << 32 | stack */
	struct pp_label_cache cache;
	uint32_t slot;
	uint64_t stacks_unreadable;
	uint64_t stacks_dropped; /* there was no room */
	uint64_t labels_unreadable;
};

/* The caller has checked `slots` against the arena's size. Returns NULL when
 * out of memory. Arena and address map must outlive the resolver. */
struct pp_resolver *pp_resolver_new(struct pp_arena *arena, uint32_t slots,
    struct pp_address_map *map);
void pp_resolver_free(struct pp_resolver *resolver);

/* Returns 0, or -1 when out of memory; the caller calls _end in any case. */
int pp_resolve_begin(struct pp_resolve *resolve, struct pp_resolver *resolver);
void pp_resolve_end(struct pp_resolve *resolve);

/* The next questions are about this slot. The caller has copied its ids before,
 * so that every object of their stacks is in the slot's table by now. */
void pp_resolve_slot(struct pp_resolve *resolve, uint32_t slot);

/* Returns the id in `stacks` of the slot's stack `id`, or 0. */
uint32_t pp_resolve_stack(struct pp_resolve *resolve, uint32_t id);

/* The same for a stack that the slot has not interned: an exact pc and then
 * return addresses. */
uint32_t pp_resolve_pcs(struct pp_resolve *resolve, const uint64_t *pc,
    uint32_t count);

/* Returns the number in `labels` of the slot's label set `id`, or 0. */
uint32_t pp_resolve_label(struct pp_resolve *resolve, uint32_t id);

/* Add the counts of losses as comments. */
void pp_resolve_comments(const struct pp_resolve *resolve,
    struct pp_profile *p);

#endif
