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
 * The map does not know what a process has loaded now: maps.h does.
 *
 * Rule: mappings are never given back while the collector lives. One thread.
 */
#ifndef PP_MERGE_ADDRESS_MAP_H
#define PP_MERGE_ADDRESS_MAP_H

#include <stdint.h>

#include "store/arena.h"

struct pp_address_map;

/* How many files can have a mapping: those of one process's table, changed and
 * reloaded three times. Power of two. */
#define PP_MAPPINGS_MAX (4 * PP_OBJECTS_MAX)

/* A file and its mapping. */
struct pp_address_mapping {
	uint64_t bias;	/* canonical address = bias + vaddr in the file */
	uint64_t start; /* of its first executable segment, canonical */
	uint64_t limit;
	struct pp_object object; /* as first seen (state and bias are not
				    meaningful here) */
};

/* Returns an empty map, or NULL when out of memory. */
struct pp_address_map *pp_address_map_new(void);
void pp_address_map_free(struct pp_address_map *map);

/* Returns the number of the object's mapping, which is made if there is none
 * yet, or -1 if there is no room, no memory, or the object is too large. The
 * caller has checked the object by pp_objects_read(). */
int pp_address_map_add(struct pp_address_map *map,
    const struct pp_object *object);

/* Return the mapping that holds a canonical address (with its number, unless
 * `number` is NULL), or the mapping with that number; or NULL. The pointer is
 * valid until the next pp_address_map_add(). */
const struct pp_address_mapping *pp_address_map_find(
    const struct pp_address_map *map, uint64_t address, int *number);
const struct pp_address_mapping *pp_address_map_get(
    const struct pp_address_map *map, int number);

#endif
