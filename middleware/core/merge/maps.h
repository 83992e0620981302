/*
 * The process maps of one slot: a private, checked copy of the slot's table of
 * objects, which answers "which canonical address is this pc?".
 *
 * This is not the slot itself: the arena may change at any time, the copy
 * changes only in pp_maps_follow().
 *
 * The acquire loads of `changes`, `used` and each entry's state pair with the
 * release stores in store/objects.c. `changes` is compared for equality only:
 * an old copy would be kept only if exactly 2^32 changes, or a multiple, were
 * made between two looks.
 *
 * Rule: nothing that is read here is believed. If a table lies, the samples of
 * its own worker lose their names, and nothing else happens.
 */
#ifndef PP_MERGE_MAPS_H
#define PP_MERGE_MAPS_H

#include <stdint.h>

#include "merge/address_map.h"
#include "store/arena.h"

/* This bit is set in the answer if no object has the pc; the other bits are the
 * pc. */
#define PP_MAPS_UNKNOWN (1ULL << 63)

/* A range of the process's address space that belongs to one object. */
struct pp_maps_range {
	uint64_t start;
	uint64_t limit;
	uint64_t shift; /* canonical address = pc + shift, modulo 2^64 */
	uint32_t entry; /* index in the slot's table */
};

struct pp_maps {
	struct pp_maps_range *range; /* by start, never overlapping */
	uint32_t ranges;
	const struct pp_maps_range *loaded; /* all ranges, in the table's
					       order */
	uint32_t loads;
	uint32_t last;	  /* the range of the last pc: callers are near */
	uint32_t changes; /* the table's count when it was read */
	int fresh;	  /* 1: the table was read at least once */
	int spare;	  /* for the user. 1: it may _follow once more */
};

/* Read the slot's table again if it has changed. Returns 1 if it was read, 0 if
 * it was not. When out of memory, the old copy is kept. */
int pp_maps_follow(struct pp_maps *maps, const struct pp_objects *objects,
    struct pp_address_map *map);

/* Returns the canonical address of the pc, or PP_MAPS_UNKNOWN | pc. */
uint64_t pp_maps_address(struct pp_maps *maps, uint64_t pc);

/* The same for a pc of the time when the table had `known` entries: a later
 * process of the slot may have another object at the address today. */
uint64_t pp_maps_address_then(struct pp_maps *maps, uint64_t pc,
    uint64_t known);

/* Free the copy; the struct is then empty, as a zeroed one. */
void pp_maps_free(struct pp_maps *maps);

#endif
