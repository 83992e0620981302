/*
 * From a function down to the innermost call that was inlined at an address,
 * and from there the frames outwards. The line of the innermost frame comes
 * from the line table, the line of each other frame from the call that was
 * inlined into it.
 */
#include <string.h>

#include "symbol/dwarf.h"

static int
is_scope(int tag)
{
	switch (tag) {
	case DW_TAG_inlined_subroutine:
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
	case DW_TAG_with_stmt:
		return (1);
	default:
		return (0);
	}
}

/*
 * Find the inlined calls around vaddr, outermost first, and return their
 * number. If there are more than fit, the innermost call replaces the last one.
 */
static uint32_t
inlines_find(struct pp_dwarf *d, const Dwarf_Die *function, uint64_t vaddr,
    Dwarf_Die inlined[PP_INLINES_MAX - 1])
{
	Dwarf_Die scope = *function, die;
	uint32_t count = 0, depth;
	int more;

	for (depth = 0; depth < PP_DWARF_NESTED_MAX; depth++) {
		if (dwarf_child(&scope, &die) != 0)
			break;
		for (more = 1; more; more = pp_dwarf_next(d, &die) == 0) {
			if (is_scope(dwarf_tag(&die)) &&
			    pp_dwarf_covers(d, &die, vaddr))
				break;
		}
		if (!more)
			break;
		scope = die;
		if (dwarf_tag(&die) != DW_TAG_inlined_subroutine)
			continue;
		if (count == PP_INLINES_MAX - 1)
			count--;
		inlined[count++] = die;
	}
	return (count);
}

/* Return the name as in the symbol table, else as in the source; NULL: there is
 * none. */
static const char *
function_name(Dwarf_Die *die)
{
	static const unsigned int attribute[] = { DW_AT_linkage_name,
		DW_AT_MIPS_linkage_name, DW_AT_name };
	Dwarf_Attribute value;
	const char *name;
	size_t i;

	for (i = 0; i < sizeof(attribute) / sizeof(attribute[0]); i++) {
		if (dwarf_attr_integrate(die, attribute[i], &value) != NULL &&
		    (name = dwarf_formstring(&value)) != NULL &&
		    name[0] != '\0')
			return (name);
	}
	return (NULL);
}

static void
frame_name(Dwarf_Die *die, struct pp_frame *frame)
{
	Dwarf_Attribute value;
	Dwarf_Word line;

	frame->function = function_name(die);
	if (dwarf_attr_integrate(die, DW_AT_decl_line, &value) != NULL &&
	    dwarf_formudata(&value, &line) == 0 && line <= INT32_MAX)
		frame->start_line = (int32_t)line;
}

static uint32_t
frames_make(struct pp_dwarf *d, uint64_t vaddr,
    struct pp_frame out[PP_INLINES_MAX], struct pp_dwarf_scratch *scratch)
{
	Dwarf_Die unit_die, function, inlined[PP_INLINES_MAX - 1];
	struct pp_dwarf_unit *unit;
	uint32_t count, i;

	unit = pp_dwarf_unit_find(d, vaddr, &unit_die);
	if (unit == NULL)
		return (0);
	memset(out, 0, PP_INLINES_MAX * sizeof(*out));
	pp_dwarf_line_find(d, unit, &unit_die, vaddr, &out[0],
	    scratch->file[0]);
	if (pp_dwarf_function_find(d, unit, &unit_die, vaddr, &function) == -1)
		return (out[0].line != 0);
	count = inlines_find(d, &function, vaddr, inlined);
	for (i = 0; i < count; i++) {
		frame_name(&inlined[count - 1 - i], &out[i]);
		pp_dwarf_call_site(unit, &unit_die, &inlined[count - 1 - i],
		    &out[i + 1], scratch->file[i + 1]);
	}
	frame_name(&function, &out[count]);
	return (count + 1);
}

struct asked {
	uint64_t vaddr;
	struct pp_frame *out;
	struct pp_dwarf_scratch *scratch;
	uint32_t count;
};

static void
frames_ask(struct pp_dwarf *d, void *arg)
{
	struct asked *asked = arg;

	asked->count = frames_make(d, asked->vaddr, asked->out, asked->scratch);
}

uint32_t
pp_dwarf_frames(struct pp_dwarf *d, uint64_t vaddr,
    struct pp_frame out[PP_INLINES_MAX], struct pp_dwarf_scratch *scratch)
{
	struct asked asked = { vaddr, out, scratch, 0 };

	if (d->broken)
		return (0);
	d->steps = PP_DWARF_STEPS_MAX;
	if (pp_dwarf_guarded(d, frames_ask, &asked) == -1)
		return (0);
	d->broken = d->steps == 0;
	return (asked.count);
}
