/*
 * See canon.h. What a process has loaded is in readings.c, which asks here for
 * each object.
 *
 *     [1, 2^47)        addresses as the processes have them
 *     [2^48, 2^56)     addresses for files whose own addresses another file
 *                      got first
 *
 * Rule: mappings never overlap and never move.
 */
#include <stdlib.h>
#include <string.h>

#include "merge/canon.h"
#include "store/objects.h"

/* The end of user space on x86-64, and an address that no process can have. */
#define NATURAL_LIMIT (1ULL << 47)
#define FAR_START     (1ULL << 48)

/* A larger executable segment is refused as a lie. The far part of the address
 * space has room for PP_PLACES_MAX segments of this size. */
#define SIZE_MAX_OF_PLACE (1ULL << 40)

#define PAGE		  4096ULL

struct pp_canon {
	struct pp_place *place; /* by number */
	uint32_t *order;	/* numbers, by start */
	uint32_t places;
	uint32_t room;
	uint64_t far_next;
};

struct pp_canon *
pp_canon_new(void)
{
	struct pp_canon *canon;

	if ((canon = calloc(1, sizeof(*canon))) == NULL)
		return (NULL);
	canon->far_next = FAR_START;
	return (canon);
}

void
pp_canon_free(struct pp_canon *canon)
{
	if (canon == NULL)
		return;
	free(canon->place);
	free(canon->order);
	free(canon);
}

/* How many mappings start at or below the address. */
static uint32_t
canon_rank(const struct pp_canon *canon, uint64_t address)
{
	uint32_t low = 0, high = canon->places, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (canon->place[canon->order[middle]].start <= address)
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
canon_known(const struct pp_canon *canon, const struct pp_object *object)
{
	const struct pp_object *other;
	uint32_t i;

	for (i = 0; i < canon->places; i++) {
		other = &canon->place[i].object;
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
canon_grow(struct pp_canon *canon)
{
	uint32_t room = canon->room == 0 ? 64 : canon->room * 2;
	struct pp_place *place;
	uint32_t *order;

	if (canon->places < canon->room)
		return (0);
	if (canon->places >= PP_PLACES_MAX)
		return (-1);
	if ((place = realloc(canon->place, room * sizeof(*place))) == NULL)
		return (-1);
	canon->place = place;
	if ((order = realloc(canon->order, room * sizeof(*order))) == NULL)
		return (-1);
	canon->order = order;
	canon->room = room;
	return (0);
}

/* Returns 1 if no mapping has any address of [start, limit). */
static int
canon_is_free(const struct pp_canon *canon, uint64_t start, uint64_t limit)
{
	uint32_t below = canon_rank(canon, limit - 1);

	return (
	    below == 0 || canon->place[canon->order[below - 1]].limit <= start);
}

int
pp_canon_place(struct pp_canon *canon, const struct pp_object *object)
{
	struct pp_place *place;
	uint64_t size;
	uint32_t rank;
	int number;

	if (object->start >= object->limit ||
	    object->limit - object->start > SIZE_MAX_OF_PLACE)
		return (-1);
	if ((number = canon_known(canon, object)) != -1)
		return (number);
	if (canon_grow(canon) == -1)
		return (-1);

	size = object->limit - object->start;
	place = &canon->place[canon->places];
	place->object = *object;
	if (object->start >= PAGE && object->limit <= NATURAL_LIMIT &&
	    canon_is_free(canon, object->start, object->limit)) {
		place->start = object->start;
	} else {
		/* Offsets within a page stay, since tools compare them with
		 * those of the file. A page is left free on both sides, so that
		 * an address just outside belongs to no file. */
		place->start = canon->far_next + PAGE + object->start % PAGE;
		canon->far_next =
		    (place->start + size + 2 * PAGE) & ~(PAGE - 1);
	}
	place->limit = place->start + size;
	place->bias = place->start - (object->start - object->bias);

	rank = canon_rank(canon, place->start);
	memmove(&canon->order[rank + 1], &canon->order[rank],
	    (canon->places - rank) * sizeof(*canon->order));
	canon->order[rank] = canon->places;
	return ((int)canon->places++);
}

const struct pp_place *
pp_canon_find(const struct pp_canon *canon, uint64_t address, int *number)
{
	uint32_t rank = canon_rank(canon, address);
	const struct pp_place *place;

	if (rank == 0)
		return (NULL);
	place = &canon->place[canon->order[rank - 1]];
	if (address >= place->limit)
		return (NULL);
	if (number != NULL)
		*number = (int)canon->order[rank - 1];
	return (place);
}

const struct pp_place *
pp_canon_get(const struct pp_canon *canon, int number)
{
	if (number < 0 || (uint32_t)number >= canon->places)
		return (NULL);
	return (&canon->place[number]);
}
