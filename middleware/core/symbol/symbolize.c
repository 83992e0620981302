/*
 * Locations are symbolized in the order of their addresses, which is the order
 * of their files: if memory is short, only one file's DWARF is open at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/yield.h"
#include "symbol/symbolize.h"

/* What is known of the used locations of a mapping so far: `functions` says
 * that all have a function, the others that any has a file, a line, an inlined
 * call. If one stub without lines cleared a flag, readers would look the whole
 * mapping up again, without inlined calls. */
struct facts {
	uint32_t used;
	int functions, filenames, line_numbers, inlines;
};

struct work {
	struct pp_profile *p;
	struct pp_symbols *symbols;
	const struct pp_address_mapping *mapped;
	int mapped_number; /* -1: none yet */
	int file;
	uint64_t unresolved;
	struct facts *fact;   /* by mapping id */
	uint8_t *used;	      /* by location id */
	uint64_t (*order)[2]; /* address, location id */
};

static void
facts_add(struct work *w, const struct pp_location *location, int named)
{
	struct facts *f = &w->fact[location->mapping];
	const struct pp_function *function;
	const struct pp_line *line;
	uint32_t i;

	if (location->mapping > w->p->mappings)
		return;
	f->used++;
	f->functions &= named && location->lines > 0;
	for (i = 0; i < location->lines; i++) {
		line = &w->p->line[location->first_line + i];
		function = &w->p->function[line->function - 1];
		f->functions &= function->name[0] != '\0';
		f->filenames |= function->file[0] != '\0';
		f->line_numbers |= line->line > 0;
		f->inlines |= function->start_line > 0;
	}
}

/* Return the number of the mapping's file. An unknown file is made known, so
 * that its addresses are at least shown as "object+0xoffset". */
static int
mapped_file(struct work *w, const struct pp_address_mapping *mapped)
{
	const struct pp_object *o = &mapped->object;
	int file;

	file =
	    pp_symbols_find(w->symbols, o->build_id, o->build_id_len, o->name);
	if (file == -1)
		file = pp_symbols_add(w->symbols, o->build_id, o->build_id_len,
		    o->name, -1, -1);
	return (file);
}

/* Give the location its lines. Returns whether a symbol was found. */
static int
location_name(struct work *w, const struct pp_address_map *map, uint32_t id)
{
	uint64_t address = w->p->location[id - 1].address;
	struct pp_frame frame[PP_INLINES_MAX];
	struct pp_line line[PP_INLINES_MAX];
	const struct pp_address_mapping *mapped;
	uint32_t frames, i;
	int number, named;

	if ((mapped = pp_address_map_find(map, address, &number)) == NULL)
		return (0);
	if (number != w->mapped_number) {
		w->mapped_number = number;
		w->file = mapped_file(w, mapped);
	}
	if (w->file == -1)
		return (0);
	frames = pp_symbols_resolve(w->symbols, w->file, address - mapped->bias,
	    frame, &named);
	for (i = 0; i < frames; i++) {
		line[i].function = pp_profile_function(w->p, frame[i].function,
		    frame[i].file, frame[i].start_line);
		line[i].line = frame[i].line;
		if (line[i].function == 0)
			return (0);
	}
	pp_profile_lines(w->p, id, line, frames);
	w->p->location[id - 1].offset = frame[0].offset;
	return (named);
}

static int
order_compare(const void *one, const void *two)
{
	const uint64_t *a = one, *b = two;

	if (a[0] != b[0])
		return (a[0] < b[0] ? -1 : 1);
	return (a[1] < b[1] ? -1 : a[1] > b[1]);
}

static void
locations_name(struct work *w, const struct pp_address_map *map)
{
	const struct pp_profile *p = w->p;
	const struct pp_location *location;
	uint32_t i, count = 0;
	int named;

	for (i = 0; i < p->stack_used; i++)
		w->used[p->stack[i]] = 1;
	for (i = 1; i <= p->locations; i++) {
		if (!w->used[i])
			continue;
		w->order[count][0] = p->location[i - 1].address;
		w->order[count++][1] = i;
	}
	qsort(w->order, count, sizeof(*w->order), order_compare);
	for (i = 0; i < count; i++) {
		pp_yield();
		location = &p->location[w->order[i][1] - 1];
		named = location->lines > 0;
		if (!named) {
			named = location_name(w, map, (uint32_t)w->order[i][1]);
			w->unresolved += !named;
		}
		facts_add(w, location, named);
	}
}

/*
 * Set the flags. If the first line of a function is known, the function was
 * found in the DWARF, and with it the inlined calls, if any. A line alone is
 * not enough: split DWARF leaves the line table in the file, but the inlined
 * calls in another one.
 */
static void
mappings_mark(struct work *w)
{
	struct pp_mapping *m;
	const struct facts *f;
	uint32_t i;

	for (i = 1; i <= w->p->mappings; i++) {
		m = &w->p->mapping[i - 1];
		f = &w->fact[i];
		m->has_functions = f->used > 0 && f->functions;
		m->has_filenames = f->used > 0 && f->filenames;
		m->has_line_numbers = f->used > 0 && f->line_numbers;
		m->has_inline_frames = f->inlines;
	}
}

void
pp_symbolize(struct pp_profile *p, const struct pp_address_map *map,
    struct pp_symbols *symbols)
{
	struct work w = { .p = p, .symbols = symbols, .mapped_number = -1 };
	uint32_t i;

	w.fact = calloc((size_t)p->mappings + 1, sizeof(*w.fact));
	w.used = calloc((size_t)p->locations + 1, sizeof(*w.used));
	w.order = calloc((size_t)p->locations + 1, sizeof(*w.order));
	if (w.fact != NULL && w.used != NULL && w.order != NULL) {
		for (i = 0; i <= p->mappings; i++)
			w.fact[i] = (struct facts){ 0, 1, 0, 0, 0 };
		locations_name(&w, map);
		mappings_mark(&w);
		pp_profile_comment(p, "symbols_unresolved=%llu",
		    (unsigned long long)w.unresolved);
	} else {
		p->failed = 1;
	}
	free(w.fact);
	free(w.used);
	free(w.order);
}
