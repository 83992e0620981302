/*
 * See readings.h. store/objects.h says who writes the table itself, and when.
 *
 * Rule: at most PP_OBJECTS_MAX entries are looked at, whatever `used` says.
 */
#include <stdlib.h>
#include <string.h>

#include "merge/readings.h"
#include "store/objects.h"

/* How many spans start at or below the pc. */
static uint32_t
reading_rank(const struct pp_span *span, uint32_t spans, uint64_t pc)
{
	uint32_t low = 0, high = spans, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (span[middle].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return (low);
}

/*
 * Insert a span, unless a span that is there already has a part of its range.
 * The spans come newest first: an object of the slot's present process is kept,
 * and an object that an earlier process had at the same address is left out.
 */
static void
reading_insert(struct pp_span *span, uint32_t *spans, const struct pp_span *add)
{
	uint32_t rank = reading_rank(span, *spans, add->limit - 1);

	if (rank > 0 && span[rank - 1].limit > add->start)
		return;
	memmove(&span[rank + 1], &span[rank], (*spans - rank) * sizeof(*span));
	span[rank] = *add;
	(*spans)++;
}

/*
 * Copy the entries of the table, in its order: the executable and libc came
 * first, so they get their own addresses in the address map.
 */
static uint32_t
reading_copy(const struct pp_objects *objects, uint32_t used,
    struct pp_canon *canon, struct pp_span *span)
{
	struct pp_object object;
	uint32_t i, spans = 0;
	int number;

	for (i = 0; i < used; i++) {
		if (pp_objects_read(objects, i, &object) == -1)
			continue;
		number = pp_canon_place(canon, &object);
		if (number == -1)
			continue;
		span[spans].start = object.start;
		span[spans].limit = object.limit;
		span[spans].entry = i;
		span[spans].shift =
		    pp_canon_get(canon, number)->start - object.start;
		spans++;
	}
	return (spans);
}

int
pp_readings_follow(struct pp_reading *reading, const struct pp_objects *objects,
    struct pp_canon *canon)
{
	/* `changes` is loaded first: an entry that is added while the table is
	 * read changes the number again, and the table is read once more. */
	uint32_t changes =
	    atomic_load_explicit(&objects->changes, memory_order_acquire);
	uint32_t used, copied, i, spans = 0;
	struct pp_span *span;

	if (reading->fresh && reading->changes == changes)
		return (0);
	used = atomic_load_explicit(&objects->used, memory_order_acquire);
	if (used > PP_OBJECTS_MAX)
		used = PP_OBJECTS_MAX;
	/* The second half holds the copy in the table's order. */
	if ((span = malloc((2 * used + 1) * sizeof(*span))) == NULL)
		return (0);
	copied = reading_copy(objects, used, canon, span + used);
	for (i = copied; i-- > 0;)
		reading_insert(span, &spans, &span[used + i]);
	free(reading->span);
	reading->span = span;
	reading->spans = spans;
	reading->loaded = span + used;
	reading->loads = copied;
	reading->last = 0;
	reading->changes = changes;
	reading->fresh = 1;
	return (1);
}

static const struct pp_span *
reading_find(struct pp_reading *reading, uint64_t pc)
{
	const struct pp_span *span;
	uint32_t rank;

	if (reading->last < reading->spans) {
		span = &reading->span[reading->last];
		if (pc >= span->start && pc < span->limit)
			return (span);
	}
	rank = reading_rank(reading->span, reading->spans, pc);
	if (rank == 0 || pc >= reading->span[rank - 1].limit)
		return (NULL);
	reading->last = rank - 1;
	return (&reading->span[rank - 1]);
}

uint64_t
pp_readings_address(struct pp_reading *reading, uint64_t pc)
{
	const struct pp_span *span = reading_find(reading, pc);

	return (span == NULL ? PP_READING_UNKNOWN | pc : pc + span->shift);
}

uint64_t
pp_readings_address_then(struct pp_reading *reading, uint64_t pc,
    uint64_t known)
{
	const struct pp_span *span;
	uint32_t i;

	if (reading->spans == reading->loads) {
		/* No two entries have an address in common. */
		span = reading_find(reading, pc);
		if (span != NULL && span->entry < known)
			return (pc + span->shift);
		return (PP_READING_UNKNOWN | pc);
	}
	for (i = reading->loads; i-- > 0;) {
		span = &reading->loaded[i];
		if (span->entry < known && pc >= span->start &&
		    pc < span->limit)
			return (pc + span->shift);
	}
	return (PP_READING_UNKNOWN | pc);
}

void
pp_readings_free(struct pp_reading *reading)
{
	free(reading->span);
	memset(reading, 0, sizeof(*reading));
}
