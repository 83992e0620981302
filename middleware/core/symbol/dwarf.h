/*
 * The DWARF of one file, indexed as far as it was asked for: the units by
 * address, and the functions by address of those units that were asked for.
 * Lines and inlined calls are looked up. Not a cache of answers.
 *
 * dwarf_units.c finds the unit, dwarf_functions.c the function in it,
 * dwarf_inlines.c the calls inlined there, dwarf_lines.c file and line;
 * dwarf_memory.c handles a lack of memory.
 *
 * Rule: every walk pays from `steps`, which each question fills up again; if a
 * walk uses up all steps, the file's DWARF is marked broken and is not asked
 * again. No file is opened: split DWARF (.dwo) and shared supplements
 * (.gnu_debugaltlink) are not read.
 */
#ifndef PP_SYMBOL_DWARF_H
#define PP_SYMBOL_DWARF_H

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdint.h>

#include "symbol/elf.h"
#include "symbol/symbols.h"

/* The most entries (DIEs and ranges) that one question looks at. The first
 * question in a unit lists the unit's functions: 100,000 in a very large
 * program. */
#ifndef PP_DWARF_STEPS_MAX
#define PP_DWARF_STEPS_MAX (4U << 20)
#endif
/* The most memory of one file's DWARF sections; those of libc take 12 MiB. A
 * file whose compressed sections are larger is read without DWARF. */
#ifndef PP_DWARF_SECTIONS_MAX
#define PP_DWARF_SECTIONS_MAX (24U << 20)
#endif
/* The most memory of the tables made from these sections; when the tables have
 * grown beyond, the file is closed and opened again. */
#ifndef PP_DWARF_TABLES_MAX
#define PP_DWARF_TABLES_MAX (8U << 20)
#endif
/* The most bytes of one unit's line program: libdw takes up to 100 bytes for a
 * row of it while it reads. The largest of libc has 16 KiB, SQLite's,
 * as one file, 0.6 MiB. */
#ifndef PP_DWARF_LINES_MAX
#define PP_DWARF_LINES_MAX (1U << 20)
#endif
#define PP_DWARF_NESTED_MAX 64 /* most nested namespaces, blocks, inlines */

struct pp_dwarf_range {
	uint64_t start, limit;
	uint64_t at; /* of units: index of the unit; of functions: the DIE */
};

/* A sorted list of ranges. */
struct pp_dwarf_ranges {
	struct pp_dwarf_range *range;
	uint32_t count, room;
};

struct pp_dwarf_unit {
	uint64_t die;
	struct pp_dwarf_ranges function; /* valid if `listed` */
	uint8_t listed;
	uint8_t ranged;
	uint8_t lines_asked;
	Dwarf_Lines *line; /* owned by libdw; NULL: none */
	size_t lines;
};

struct pp_dwarf {
	Dwarf *dwarf;
	const struct pp_elf *code; /* has the executable segments */
	Elf *elf;		   /* has the sections */
	struct pp_dwarf_unit *unit;
	uint32_t units, unit_room;
	struct pp_dwarf_ranges range; /* of units */
	uint64_t sections, tables;    /* about, in bytes */
	uint64_t tables_opened;	      /* `tables` when the file was opened */
	uint32_t steps;
	int broken;  /* 1: it is not asked again */
	int starved; /* 1: no memory: it may be opened again */
};

/* Open the DWARF in `e` for code in `code` (the stripped file, or the same
 * one). Both stay the caller's and must outlive the result. NULL: there is
 * none, or it is not readable. */
struct pp_dwarf *pp_dwarf_open(const struct pp_elf *e,
    const struct pp_elf *code);
void pp_dwarf_close(struct pp_dwarf *d);

/*
 * Write what vaddr stands for, as pp_symbols_resolve() does, and return the
 * number of frames; 0: the DWARF does not know vaddr. The texts belong to
 * libdw; `scratch` holds the file names that had to be put together. The
 * function of a frame may be NULL (lines of assembler), its file too.
 */
struct pp_dwarf_scratch {
	char file[PP_INLINES_MAX][1024];
};
uint32_t pp_dwarf_frames(struct pp_dwarf *d, uint64_t vaddr,
    struct pp_frame out[PP_INLINES_MAX], struct pp_dwarf_scratch *scratch);

/* The functions below are for the dwarf_*.c files only. */

/* Call a function that enters libdw. Returns 0, or -1 if there was no memory;
 * then `call` did not come to its end. */
int pp_dwarf_guarded(struct pp_dwarf *d,
    void (*call)(struct pp_dwarf *, void *), void *arg);

/* _add() adds the ranges of a DIE that begin in code, _sort() must follow the
 * last of them; _find() returns the innermost range with vaddr, or NULL. */
void pp_dwarf_ranges_add(struct pp_dwarf *d, struct pp_dwarf_ranges *list,
    Dwarf_Die *die, uint64_t at);
void pp_dwarf_ranges_sort(struct pp_dwarf_ranges *list);
const struct pp_dwarf_range *pp_dwarf_ranges_find(
    const struct pp_dwarf_ranges *list, uint64_t vaddr);
int pp_dwarf_covers(struct pp_dwarf *d, Dwarf_Die *die, uint64_t vaddr);
struct pp_dwarf_unit *pp_dwarf_unit_find(struct pp_dwarf *d, uint64_t vaddr,
    Dwarf_Die *die);
int pp_dwarf_function_find(struct pp_dwarf *d, struct pp_dwarf_unit *unit,
    Dwarf_Die *unit_die, uint64_t vaddr, Dwarf_Die *die);
int pp_dwarf_next(struct pp_dwarf *d, Dwarf_Die *die);
void pp_dwarf_line_find(struct pp_dwarf *d, struct pp_dwarf_unit *unit,
    Dwarf_Die *unit_die, uint64_t vaddr, struct pp_frame *frame,
    char scratch[1024]);
void pp_dwarf_call_site(const struct pp_dwarf_unit *unit, Dwarf_Die *unit_die,
    Dwarf_Die *inlined, struct pp_frame *frame, char scratch[1024]);

#endif
