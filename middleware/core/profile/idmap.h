/*
 * A hash index over things that lie in an array and are known by their id
 * (index + 1). The index holds hashes and ids only, never the things: the
 * caller says by `same` whether a thing equals the key.
 *
 * Rule: the index grows by doubling and never shrinks. The order of the ids
 * does not depend on the index, so addresses may be hashed, and the output
 * stays the same.
 */
#ifndef PP_PROFILE_IDMAP_H
#define PP_PROFILE_IDMAP_H

#include <stdint.h>

struct pp_idmap_slot {
	uint32_t hash;
	uint32_t id; /* 0: free */
};

/* A zeroed struct is an empty map. */
struct pp_idmap {
	struct pp_idmap_slot *slot; /* owned */
	uint32_t room;		    /* power of two, or 0 */
	uint32_t used;
};

typedef int pp_idmap_same(const void *owner, uint32_t id, const void *key);

/* Returns the id for which same(owner, id, key) is true, or 0. */
uint32_t pp_idmap_find(const struct pp_idmap *map, uint64_t hash,
    pp_idmap_same *same, const void *owner, const void *key);

/* Add an id that is not in the map. Returns 0, or -1 when out of memory (the
 * map is as before). */
int pp_idmap_add(struct pp_idmap *map, uint64_t hash, uint32_t id);

/* Free the index; it is then an empty map. */
void pp_idmap_free(struct pp_idmap *map);

#endif
