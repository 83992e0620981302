/*
 * See idmap.h. The index uses open addressing with linear probing.
 *
 * Rule: the index is at most half full, so a free slot always ends a walk.
 */
#include "profile/idmap.h"

#include <stdlib.h>

/* The first size: enough for the mappings, functions and strings of a small
 * profile. */
#define PP_IDMAP_FIRST 64

static int pp_idmap_grow(struct pp_idmap *);
static void pp_idmap_place(struct pp_idmap *, uint32_t, uint32_t);

uint32_t
pp_idmap_find(const struct pp_idmap *map, uint64_t hash, pp_idmap_same *same,
    const void *owner, const void *key)
{
	const struct pp_idmap_slot *slot;
	uint32_t i;

	if (map->room == 0)
		return (0);
	for (i = (uint32_t)hash;; i++) {
		slot = &map->slot[i & (map->room - 1)];
		if (slot->id == 0)
			return (0);
		if (slot->hash == (uint32_t)hash && same(owner, slot->id, key))
			return (slot->id);
	}
}

int
pp_idmap_add(struct pp_idmap *map, uint64_t hash, uint32_t id)
{
	if (map->used >= map->room / 2 && pp_idmap_grow(map) == -1)
		return (-1);
	pp_idmap_place(map, (uint32_t)hash, id);
	map->used++;
	return (0);
}

void
pp_idmap_free(struct pp_idmap *map)
{
	free(map->slot);
	map->slot = NULL;
	map->room = 0;
	map->used = 0;
}

static int
pp_idmap_grow(struct pp_idmap *map)
{
	struct pp_idmap bigger = { .used = map->used };
	uint32_t i;

	if (map->room > UINT32_MAX / 2)
		return (-1);
	bigger.room = map->room != 0 ? map->room * 2 : PP_IDMAP_FIRST;
	bigger.slot = calloc(bigger.room, sizeof(*bigger.slot));
	if (bigger.slot == NULL)
		return (-1);
	for (i = 0; i < map->room; i++) {
		if (map->slot[i].id != 0)
			pp_idmap_place(&bigger, map->slot[i].hash,
			    map->slot[i].id);
	}
	free(map->slot);
	*map = bigger;
	return (0);
}

static void
pp_idmap_place(struct pp_idmap *map, uint32_t hash, uint32_t id)
{
	uint32_t i = hash;

	while (map->slot[i & (map->room - 1)].id != 0)
		i++;
	map->slot[i & (map->room - 1)].hash = hash;
	map->slot[i & (map->room - 1)].id = id;
}
