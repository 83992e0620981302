/*
 * The functions of one unit by address. The list is made when the first address
 * in the unit is asked for: a walk through the unit for each address would make
 * the answers slow.
 *
 * Functions lie directly in the unit or in namespaces and types (C++). Inlined
 * calls within a function are not listed here: dwarf_inlines.c looks at them.
 */
#include "symbol/dwarf.h"

static int
holds_functions(int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		return (1);
	default:
		return (0);
	}
}

static void
functions_walk(struct pp_dwarf *d, struct pp_dwarf_ranges *list,
    Dwarf_Die *parent)
{
	Dwarf_Die level[PP_DWARF_NESTED_MAX], *die;
	int depth = 0;

	if (dwarf_child(parent, &level[0]) != 0)
		return;
	while (depth >= 0) {
		die = &level[depth];
		if (dwarf_tag(die) == DW_TAG_subprogram)
			pp_dwarf_ranges_add(d, list, die, dwarf_dieoffset(die));
		if (holds_functions(dwarf_tag(die)) &&
		    depth + 1 < PP_DWARF_NESTED_MAX && d->steps > 0 &&
		    dwarf_child(die, &level[depth + 1]) == 0) {
			d->steps--;
			depth++;
			continue;
		}
		while (depth >= 0 && pp_dwarf_next(d, &level[depth]) == -1)
			depth--;
	}
}

int
pp_dwarf_function_find(struct pp_dwarf *d, struct pp_dwarf_unit *unit,
    Dwarf_Die *unit_die, uint64_t vaddr, Dwarf_Die *die)
{
	const struct pp_dwarf_range *range;

	if (!unit->listed) {
		unit->listed = 1;
		functions_walk(d, &unit->function, unit_die);
		pp_dwarf_ranges_sort(&unit->function);
	}
	range = pp_dwarf_ranges_find(&unit->function, vaddr);
	if (range == NULL || dwarf_offdie(d->dwarf, range->at, die) == NULL)
		return (-1);
	return (0);
}
