/*
 * See maps.h. store/objects.h says who writes the table itself, and when.
 *
 * Rule: at most PP_OBJECTS_MAX entries are looked at, whatever `used` says.
 */
#include <stdlib.h>
#include <string.h>

#include "merge/maps.h"
#include "store/objects.h"

/* Returns how many ranges start at or below the pc. */
static uint32_t
maps_rank(const struct pp_maps_range *range, uint32_t ranges, uint64_t pc)
{
	uint32_t low = 0, high = ranges, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (range[middle].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return (low);
}

/*
 * Insert a range, unless a range that is there already has a part of its
 * addresses. The newest ranges come first: an object of the slot's present
 * process is kept, and an object that an earlier process had at the same
 * address is left out.
 */
static void
maps_insert(struct pp_maps_range *range, uint32_t *ranges,
    const struct pp_maps_range *add)
{
	uint32_t rank = maps_rank(range, *ranges, add->limit - 1);

	if (rank > 0 && range[rank - 1].limit > add->start)
		return;
	memmove(&range[rank + 1], &range[rank],
	    (*ranges - rank) * sizeof(*range));
	range[rank] = *add;
	(*ranges)++;
}

/*
 * Copy the entries of the table, in its order: the executable and libc came
 * first, so they get their own addresses in the address map.
 */
static uint32_t
maps_copy(const struct pp_objects *objects, uint32_t used,
    struct pp_address_map *map, struct pp_maps_range *range)
{
	struct pp_object object;
	uint32_t i, ranges = 0;
	int number;

	for (i = 0; i < used; i++) {
		if (pp_objects_read(objects, i, &object) == -1)
			continue;
		number = pp_address_map_add(map, &object);
		if (number == -1)
			continue;
		range[ranges].start = object.start;
		range[ranges].limit = object.limit;
		range[ranges].entry = i;
		range[ranges].shift =
		    pp_address_map_get(map, number)->start - object.start;
		ranges++;
	}
	return (ranges);
}

int
pp_maps_follow(struct pp_maps *maps, const struct pp_objects *objects,
    struct pp_address_map *map)
{
	/* `changes` is loaded first: an entry that is added while the table is
	 * read changes the number again, and the table is read once more. */
	uint32_t changes =
	    atomic_load_explicit(&objects->changes, memory_order_acquire);
	uint32_t used, copied, i, ranges = 0;
	struct pp_maps_range *range;

	if (maps->fresh && maps->changes == changes)
		return (0);
	used = atomic_load_explicit(&objects->used, memory_order_acquire);
	if (used > PP_OBJECTS_MAX)
		used = PP_OBJECTS_MAX;
	/* The second half holds the copy in the table's order. */
	if ((range = malloc((2 * used + 1) * sizeof(*range))) == NULL)
		return (0);
	copied = maps_copy(objects, used, map, range + used);
	for (i = copied; i-- > 0;)
		maps_insert(range, &ranges, &range[used + i]);
	free(maps->range);
	maps->range = range;
	maps->ranges = ranges;
	maps->loaded = range + used;
	maps->loads = copied;
	maps->last = 0;
	maps->changes = changes;
	maps->fresh = 1;
	return (1);
}

static const struct pp_maps_range *
maps_find(struct pp_maps *maps, uint64_t pc)
{
	const struct pp_maps_range *range;
	uint32_t rank;

	if (maps->last < maps->ranges) {
		range = &maps->range[maps->last];
		if (pc >= range->start && pc < range->limit)
			return (range);
	}
	rank = maps_rank(maps->range, maps->ranges, pc);
	if (rank == 0 || pc >= maps->range[rank - 1].limit)
		return (NULL);
	maps->last = rank - 1;
	return (&maps->range[rank - 1]);
}

uint64_t
pp_maps_address(struct pp_maps *maps, uint64_t pc)
{
	const struct pp_maps_range *range = maps_find(maps, pc);

	return (range == NULL ? PP_MAPS_UNKNOWN | pc : pc + range->shift);
}

uint64_t
pp_maps_address_then(struct pp_maps *maps, uint64_t pc, uint64_t known)
{
	const struct pp_maps_range *range;
	uint32_t i;

	if (maps->ranges == maps->loads) {
		/* No two entries have an address in common. */
		range = maps_find(maps, pc);
		if (range != NULL && range->entry < known)
			return (pc + range->shift);
		return (PP_MAPS_UNKNOWN | pc);
	}
	for (i = maps->loads; i-- > 0;) {
		range = &maps->loaded[i];
		if (range->entry < known && pc >= range->start &&
		    pc < range->limit)
			return (pc + range->shift);
	}
	return (PP_MAPS_UNKNOWN | pc);
}

void
pp_maps_free(struct pp_maps *maps)
{
	free(maps->range);
	memset(maps, 0, sizeof(*maps));
}
