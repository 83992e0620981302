/*
 * Opens the DWARF, and finds the unit of an address.
 *
 * The ranges of the units are read, not .debug_aranges, which clang does not
 * write. The table is asked only for units that have no ranges.
 */
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/yield.h"
#include "symbol/dwarf.h"

static int
unit_push(struct pp_dwarf *d, uint64_t die)
{
	uint32_t room = d->unit_room == 0 ? 64 : d->unit_room * 2;
	struct pp_dwarf_unit *more;

	if (d->units == d->unit_room) {
		if (d->tables + room * sizeof(*more) >
			2 * PP_DWARF_TABLES_MAX ||
		    (more = realloc(d->unit, room * sizeof(*more))) == NULL)
			return (-1);
		d->tables += (room - d->unit_room) * sizeof(*more);
		d->unit = more;
		d->unit_room = room;
	}
	memset(&d->unit[d->units], 0, sizeof(*d->unit));
	d->unit[d->units++].die = die;
	return (0);
}

/* Read the units. Returns whether all of them have ranges. */
static int
units_read(struct pp_dwarf *d)
{
	Dwarf_Off at = 0, next;
	size_t header_size;
	uint32_t before;
	Dwarf_Die die;
	int all = 1;

	for (; d->steps > 0 &&
	     dwarf_next_unit(d->dwarf, at, &next, &header_size, NULL, NULL,
		 NULL, NULL, NULL, NULL) == 0 &&
	     next > at;
	     at = next) {
		d->steps--;
		pp_yield();
		if (dwarf_offdie(d->dwarf, at + header_size, &die) == NULL ||
		    (dwarf_tag(&die) != DW_TAG_compile_unit &&
			dwarf_tag(&die) != DW_TAG_skeleton_unit))
			continue;
		if (unit_push(d, at + header_size) == -1)
			break;
		before = d->range.count;
		pp_dwarf_ranges_add(d, &d->range, &die, d->units - 1);
		d->unit[d->units - 1].ranged = d->range.count > before;
		all &= d->unit[d->units - 1].ranged;
	}
	return (all);
}

/* Return the number of the unit with that DIE, or -1. Units lie in file
 * order. */
static int64_t
unit_number(const struct pp_dwarf *d, uint64_t die)
{
	uint32_t low = 0, high = d->units, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (d->unit[middle].die < die)
			low = middle + 1;
		else
			high = middle;
	}
	return (low < d->units && d->unit[low].die == die ? (int64_t)low : -1);
}

static void
units_read_aranges(struct pp_dwarf *d)
{
	struct pp_dwarf_range *more, *end;
	Dwarf_Aranges *table;
	Dwarf_Addr start;
	Dwarf_Word len;
	size_t count, i;
	int64_t number;
	Dwarf_Off die;

	if (dwarf_getaranges(d->dwarf, &table, &count) != 0 || count == 0 ||
	    count > PP_DWARF_STEPS_MAX ||
	    d->range.count + count > 2 * PP_DWARF_TABLES_MAX / sizeof(*more))
		return;
	more =
	    realloc(d->range.range, (d->range.count + count) * sizeof(*more));
	if (more == NULL)
		return;
	d->range.range = more;
	d->range.room = d->range.count + (uint32_t)count;
	d->tables += count * sizeof(*more);
	for (i = 0; i < count; i++) {
		if (dwarf_getarangeinfo(dwarf_onearange(table, i), &start, &len,
			&die) != 0 ||
		    (number = unit_number(d, die)) == -1 ||
		    d->unit[number].ranged || start + len <= start ||
		    !pp_elf_is_code(d->code, start))
			continue;
		end = &more[d->range.count++];
		end->start = start;
		end->limit = start + len;
		end->at = (uint64_t)number;
	}
}

static void
units_index(struct pp_dwarf *d, void *unused)
{
	(void)unused;
	if (!units_read(d))
		units_read_aranges(d);
	pp_dwarf_ranges_sort(&d->range);
	d->tables_opened = d->tables;
}

struct pp_dwarf *
pp_dwarf_open(const struct pp_elf *e, const struct pp_elf *code)
{
	struct pp_dwarf *d;
	uint64_t size;

	if (!pp_elf_has_dwarf(e) ||
	    (size = pp_elf_dwarf_size(e)) > PP_DWARF_SECTIONS_MAX ||
	    !pp_budget_fits(size) || pp_elf_dwarf_unpack(e) == -1)
		return (NULL);
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return (NULL);
	d->elf = e->elf;
	d->code = code;
	d->sections = size;
	d->steps = PP_DWARF_STEPS_MAX;
	d->dwarf = dwarf_begin_elf(e->elf, DWARF_C_READ, NULL);
	if (d->dwarf == NULL) {
		free(d);
		return (NULL);
	}
	(void)pp_dwarf_guarded(d, units_index, NULL);
	return (d);
}

void
pp_dwarf_close(struct pp_dwarf *d)
{
	uint32_t i;

	if (d == NULL)
		return;
	for (i = 0; i < d->units; i++)
		free(d->unit[i].function.range);
	free(d->unit);
	free(d->range.range);
	dwarf_end(d->dwarf);
	free(d);
}

struct pp_dwarf_unit *
pp_dwarf_unit_find(struct pp_dwarf *d, uint64_t vaddr, Dwarf_Die *die)
{
	const struct pp_dwarf_range *range;
	struct pp_dwarf_unit *unit;

	range = pp_dwarf_ranges_find(&d->range, vaddr);
	if (range == NULL)
		return (NULL);
	unit = &d->unit[range->at];
	return (dwarf_offdie(d->dwarf, unit->die, die) == NULL ? NULL : unit);
}
