/*
 * The address map: one address space for all processes of the service, over all
 * its life.
 *
 * A scraper knows a stack by its addresses alone. So one address may never
 * stand for two functions, neither in two workers nor before and after a
 * reload, and a function may not move. Each file gets a mapping when it is
 * first seen: if no other file has the addresses at which the file was loaded,
 * it gets these; otherwise it gets addresses far above.
 *
 * The map does not know what a process has loaded now: readings.h does.
 *
 * Rule: mappings are never given back while the collector lives. One thread.
 */
#ifndef PP_MERGE_CANON_H
#define PP_MERGE_CANON_H

#include <stdint.h>

#include "store/arena.h"

struct pp_canon;

/* How many files can have a mapping: those of one process's table, changed and
 * reloaded three times. Power of two. */
#define PP_PLACES_MAX (4 * PP_OBJECTS_MAX)

/* A file and its mapping. */
struct pp_place {
	uint64_t bias;	/* canonical address = bias + vaddr in the file */
	uint64_t start; /* of its first executable segment, canonical */
	uint64_t limit;
	struct pp_object object; /* as first seen (state and bias are not
				    meaningful here) */
};

/* Returns an empty map, or NULL when out of memory. */
struct pp_canon *pp_canon_new(void);
void pp_canon_free(struct pp_canon *canon);

/* Returns the number of the object's mapping, which is made if there is none
 * yet, or -1 if there is no room, no memory, or the object is too large. The
 * caller has checked the object by pp_objects_read(). */
int pp_canon_place(struct pp_canon *canon, const struct pp_object *object);

/* Return the mapping that holds a canonical address (with its number, unless
 * `number` is NULL), or the mapping with that number; or NULL. The pointer is
 * valid until the next pp_canon_place(). */
const struct pp_place *pp_canon_find(const struct pp_canon *canon,
    uint64_t address, int *number);
const struct pp_place *pp_canon_get(const struct pp_canon *canon, int number);

#endif
