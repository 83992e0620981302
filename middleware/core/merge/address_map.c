/*
 * See address_map.h. What a process has loaded is in maps.c, which asks here
 * for each object.
 *
 *     [1, 2^47)        addresses as the processes have them
 *     [2^48, 2^56)     addresses for files whose own addresses another file
 *                      got first
 *
 * Rule: mappings never overlap and never move.
 */
#include <stdlib.h>
#include <string.h>

#include "merge/address_map.h"
#include "store/objects.h"

/* The end of user space on x86-64, and an address that no process can have. */
#define NATURAL_LIMIT (1ULL << 47)
#define FAR_START     (1ULL << 48)

/* A larger executable segment is refused as a lie. The far part of the address
 * space has room for PP_MAPPINGS_MAX segments of this size. */
#define SIZE_MAX_OF_MAPPING (1ULL << 40)

#define PAGE		    4096ULL

struct pp_address_map {
	struct pp_address_mapping *mapping; /* by number */
	uint32_t *order;		    /* numbers, by start */
	uint32_t mappings;
	uint32_t room;
	uint64_t far_next;
};

struct pp_address_map *
pp_address_map_new(void)
{
	struct pp_address_map *map;

	if ((map = calloc(1, sizeof(*map))) == NULL)
		return (NULL);
	map->far_next = FAR_START;
	return (map);
}

void
pp_address_map_free(struct pp_address_map *map)
{
	if (map == NULL)
		return;
	free(map->mapping);
	free(map->order);
	free(map);
}

/* How many mappings start at or below the address. */
static uint32_t
map_rank(const struct pp_address_map *map, uint64_t address)
{
	uint32_t low = 0, high = map->mappings, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (map->mapping[map->order[middle]].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return (low);
}

/*
 * Returns the number of the mapping that has the same file in the same shape,
 * or -1. The shape counts because a module without a build id is known by its
 * name only: if the module was built anew between two reloads, its functions
 * are elsewhere.
 */
static int
map_known(const struct pp_address_map *map, const struct pp_object *object)
{
	const struct pp_object *other;
	uint32_t i;

	for (i = 0; i < map->mappings; i++) {
		other = &map->mapping[i].object;
		if (other->limit - other->start ==
			object->limit - object->start &&
		    other->start - other->bias ==
			object->start - object->bias &&
		    pp_objects_same_file(other, object))
			return ((int)i);
	}
	return (-1);
}

static int
map_grow(struct pp_address_map *map)
{
	uint32_t room = map->room == 0 ? 64 : map->room * 2;
	struct pp_address_mapping *mapping;
	uint32_t *order;

	if (map->mappings < map->room)
		return (0);
	if (map->mappings >= PP_MAPPINGS_MAX)
		return (-1);
	if ((mapping = realloc(map->mapping, room * sizeof(*mapping))) == NULL)
		return (-1);
	map->mapping = mapping;
	if ((order = realloc(map->order, room * sizeof(*order))) == NULL)
		return (-1);
	map->order = order;
	map->room = room;
	return (0);
}

/* Returns 1 if no mapping has any address of [start, limit). */
static int
map_is_free(const struct pp_address_map *map, uint64_t start, uint64_t limit)
{
	uint32_t below = map_rank(map, limit - 1);

	return (
	    below == 0 || map->mapping[map->order[below - 1]].limit <= start);
}

int
pp_address_map_add(struct pp_address_map *map, const struct pp_object *object)
{
	struct pp_address_mapping *mapping;
	uint64_t size;
	uint32_t rank;
	int number;

	if (object->start >= object->limit ||
	    object->limit - object->start > SIZE_MAX_OF_MAPPING)
		return (-1);
	if ((number = map_known(map, object)) != -1)
		return (number);
	if (map_grow(map) == -1)
		return (-1);

	size = object->limit - object->start;
	mapping = &map->mapping[map->mappings];
	mapping->object = *object;
	if (object->start >= PAGE && object->limit <= NATURAL_LIMIT &&
	    map_is_free(map, object->start, object->limit)) {
		mapping->start = object->start;
	} else {
		/* Offsets within a page stay, since tools compare them with
		 * those of the file. A page is left free on both sides, so that
		 * an address just outside belongs to no file. */
		mapping->start = map->far_next + PAGE + object->start % PAGE;
		map->far_next =
		    (mapping->start + size + 2 * PAGE) & ~(PAGE - 1);
	}
	mapping->limit = mapping->start + size;
	mapping->bias = mapping->start - (object->start - object->bias);

	rank = map_rank(map, mapping->start);
	memmove(&map->order[rank + 1], &map->order[rank],
	    (map->mappings - rank) * sizeof(*map->order));
	map->order[rank] = map->mappings;
	return ((int)map->mappings++);
}

const struct pp_address_mapping *
pp_address_map_find(const struct pp_address_map *map, uint64_t address,
    int *number)
{
	uint32_t rank = map_rank(map, address);
	const struct pp_address_mapping *mapping;

	if (rank == 0)
		return (NULL);
	mapping = &map->mapping[map->order[rank - 1]];
	if (address >= mapping->limit)
		return (NULL);
	if (number != NULL)
		*number = (int)map->order[rank - 1];
	return (mapping);
}

const struct pp_address_mapping *
pp_address_map_get(const struct pp_address_map *map, int number)
{
	if (number < 0 || (uint32_t)number >= map->mappings)
		return (NULL);
	return (&map->mapping[number]);
}
