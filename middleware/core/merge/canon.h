/*
 * One address space for all processes of the service, over all its life.
 *
 * A scraper knows a stack by its addresses alone, so one address may never
 * stand for two functions, in two workers or before and after a reload, and
 * a function may not move. Each file gets a place when it is first seen: the
 * addresses at which it was loaded if no other file has them, else a place of
 * its own far above.
 *
 * Rule: places are never given back while the collector lives.
 */
#ifndef PP_MERGE_CANON_H
#define PP_MERGE_CANON_H

#include <stdint.h>

#include "store/arena.h"

struct pp_canon;

/* Files that can have a place: those of one process's table, changed and
 * reloaded three times. Power of two. */
#define PP_PLACES_MAX (4 * PP_OBJECTS_MAX)

/* A file and its place. */
struct pp_place {
	uint64_t bias;	/* canonical address = bias + vaddr in the file */
	uint64_t start; /* of its first executable segment, canonical */
	uint64_t limit;
	struct pp_object object; /* as first seen (state and bias are not
				    meaningful here) */
};

struct pp_canon *pp_canon_new(void);
void pp_canon_free(struct pp_canon *canon);

/* Number of the object's place, given now if it has none; -1 when there is no
 * more room. The object has been checked by pp_objects_read(). */
int pp_canon_place(struct pp_canon *canon, const struct pp_object *object);

/* The place that holds a canonical address, or with that number; or NULL.
 * Valid until the next pp_canon_place(). */
const struct pp_place *pp_canon_find(const struct pp_canon *canon,
    uint64_t address, int *number);
const struct pp_place *pp_canon_get(const struct pp_canon *canon, int number);

#endif
