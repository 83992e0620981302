/*
 * What one slot says of its objects: a private, checked copy of its object
 * table, made to answer "which canonical address is this pc?".
 *
 * Not the slot itself: the arena may change at any time, the copy changes
 * only in pp_readings_follow().
 *
 * Rule: nothing read here is believed; a table that lies costs its own
 * worker's samples their names, nothing else.
 */
#ifndef PP_MERGE_READINGS_H
#define PP_MERGE_READINGS_H

#include <stdint.h>

#include "merge/canon.h"
#include "store/arena.h"

/* Set in the answer when no object has the pc; the rest is the pc. */
#define PP_READING_UNKNOWN (1ULL << 63)

/* A stretch of the process's address space that one object has. */
struct pp_span {
	uint64_t start;
	uint64_t limit;
	uint64_t shift; /* canonical address = pc + shift, modulo 2^64 */
	uint32_t entry; /* of the slot's table */
};

struct pp_reading {
	struct pp_span *span; /* by start, never overlapping */
	uint32_t spans;
	const struct pp_span *loaded; /* all of them, as they were loaded */
	uint32_t loads;
	uint32_t last;	  /* where the last pc was: callers are near */
	uint32_t changes; /* of the table, when it was read */
	int fresh;	  /* 1: read at least once */
	int spare;	  /* 1: the user may _follow once more; the user's */
};

/* Read the slot's table again if it has changed. Returns 1 when it was read;
 * out of memory keeps the old copy. */
int pp_readings_follow(struct pp_reading *reading,
    const struct pp_objects *objects, struct pp_canon *canon);

/* Canonical address of the pc, or PP_READING_UNKNOWN | pc. */
uint64_t pp_readings_address(struct pp_reading *reading, uint64_t pc);

/* The same for a pc of the time when the table had `known` entries: a later
 * process of the slot may have something else at the address today. */
uint64_t pp_readings_address_then(struct pp_reading *reading, uint64_t pc,
    uint64_t known);

void pp_readings_free(struct pp_reading *reading);

#endif
