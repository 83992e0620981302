/*
 * Sorted address ranges of units and functions. Ranges that do not begin in
 * code are left out: a linker that drops a section leaves its debug entries
 * behind at address 0.
 */
#include <stdlib.h>

#include "base/yield.h"
#include "symbol/dwarf.h"

/* The steps between two yield points: they take some microseconds. */
#define YIELD_STEPS 64

/* How many ranges may overlap: functions that the linker folded into one do. */
#define OVERLAPS_MAX 64

static int
ranges_push(struct pp_dwarf *d, struct pp_dwarf_ranges *list, uint64_t start,
    uint64_t limit, uint64_t at)
{
	uint32_t room = list->room == 0 ? 16 : list->room * 2;
	struct pp_dwarf_range *more;

	if (list->count == list->room) {
		if (d->tables + room * sizeof(*more) >
			2 * PP_DWARF_TABLES_MAX ||
		    (more = realloc(list->range, room * sizeof(*more))) == NULL)
			return (-1);
		d->tables += (room - list->room) * sizeof(*more);
		list->range = more;
		list->room = room;
	}
	list->range[list->count].start = start;
	list->range[list->count].limit = limit;
	list->range[list->count++].at = at;
	return (0);
}

void
pp_dwarf_ranges_add(struct pp_dwarf *d, struct pp_dwarf_ranges *list,
    Dwarf_Die *die, uint64_t at)
{
	Dwarf_Addr base = 0, start, limit;
	ptrdiff_t offset = 0;

	while (d->steps > 0 &&
	    (offset = dwarf_ranges(die, offset, &base, &start, &limit)) > 0) {
		d->steps--;
		if (start < limit && pp_elf_is_code(d->code, start) &&
		    ranges_push(d, list, start, limit, at) == -1)
			return;
	}
}

/* Compare by start. Of two with the same start the longer one is first, so that
 * the inner one is found first. */
static int
range_compare(const void *one, const void *two)
{
	const struct pp_dwarf_range *a = one, *b = two;

	if (a->start != b->start)
		return (a->start < b->start ? -1 : 1);
	if (a->limit != b->limit)
		return (a->limit > b->limit ? -1 : 1);
	return (a->at < b->at ? -1 : a->at > b->at);
}

void
pp_dwarf_ranges_sort(struct pp_dwarf_ranges *list)
{
	if (list->count > 1)
		qsort(list->range, list->count, sizeof(*list->range),
		    range_compare);
}

const struct pp_dwarf_range *
pp_dwarf_ranges_find(const struct pp_dwarf_ranges *list, uint64_t vaddr)
{
	uint32_t low = 0, high = list->count, middle, tries;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (list->range[middle].start <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	for (tries = 0; low > 0 && tries < OVERLAPS_MAX; tries++) {
		if (vaddr < list->range[--low].limit)
			return (&list->range[low]);
	}
	return (NULL);
}

int
pp_dwarf_covers(struct pp_dwarf *d, Dwarf_Die *die, uint64_t vaddr)
{
	Dwarf_Addr base = 0, start, limit;
	ptrdiff_t offset = 0;

	while (d->steps > 0 &&
	    (offset = dwarf_ranges(die, offset, &base, &start, &limit)) > 0) {
		d->steps--;
		if (vaddr >= start && vaddr < limit)
			return (1);
	}
	return (0);
}

/*
 * Go to the next sibling. Returns 0, or -1 at the end. A sibling attribute that
 * points backwards counts as the end, since it would be a loop.
 */
int
pp_dwarf_next(struct pp_dwarf *d, Dwarf_Die *die)
{
	Dwarf_Off before = dwarf_dieoffset(die);
	Dwarf_Die next;

	if (d->steps == 0)
		return (-1);
	if (d->steps-- % YIELD_STEPS == 0)
		pp_yield();
	if (dwarf_siblingof(die, &next) != 0 ||
	    dwarf_dieoffset(&next) <= before)
		return (-1);
	*die = next;
	return (0);
}
