/*
 * File and line: those of an address come from the unit's line table, those of
 * an inlined call from its entry. libdw reads and keeps the tables.
 */
#include <stdio.h>
#include <string.h>

#include "symbol/dwarf.h"

/* The number of bytes that libdw keeps for a row. */
#define ROW_BYTES 48

/* Return the name, made absolute if the unit says in which directory it was
 * compiled. */
static const char *
file_absolute(Dwarf_Die *unit_die, const char *file, char scratch[1024])
{
	Dwarf_Attribute value;
	const char *directory;

	if (file == NULL || file[0] == '/' || file[0] == '<')
		return (file);
	directory =
	    dwarf_formstring(dwarf_attr(unit_die, DW_AT_comp_dir, &value));
	if (directory == NULL || directory[0] != '/')
		return (file);
	if (strncmp(file, "./", 2) == 0)
		file += 2;
	if (snprintf(scratch, 1024, "%s/%s", directory, file) >= 1024)
		return (file);
	return (scratch);
}

/*
 * Whether the length of the unit's line program is within the bound. The
 * program begins with its length; libdw would read a program of any length.
 */
static int
lines_bearable(struct pp_dwarf *d, Dwarf_Die *unit_die)
{
	struct pp_elf e = { .elf = d->elf };
	Dwarf_Attribute value;
	uint32_t len;
	GElf_Shdr header;
	Elf_Scn *section;
	Elf_Data *data;
	Dwarf_Word at;

	if (dwarf_formudata(dwarf_attr(unit_die, DW_AT_stmt_list, &value),
		&at) != 0)
		return (0);
	section = pp_elf_section_name(&e, ".debug_line", &header);
	if (section == NULL || (data = elf_rawdata(section, NULL)) == NULL ||
	    data->d_buf == NULL || data->d_size < sizeof(len) ||
	    at > data->d_size - sizeof(len))
		return (0);
	memcpy(&len, (const char *)data->d_buf + at, sizeof(len));
	return (len <= PP_DWARF_LINES_MAX);
}

static void
lines_read(struct pp_dwarf *d, struct pp_dwarf_unit *unit, Dwarf_Die *unit_die)
{
	unit->lines_asked = 1;
	if (!lines_bearable(d, unit_die) ||
	    dwarf_getsrclines(unit_die, &unit->line, &unit->lines) != 0) {
		unit->line = NULL;
		unit->lines = 0;
		return;
	}
	d->tables += unit->lines * ROW_BYTES;
}

void
pp_dwarf_line_find(struct pp_dwarf *d, struct pp_dwarf_unit *unit,
    Dwarf_Die *unit_die, uint64_t vaddr, struct pp_frame *frame,
    char scratch[1024])
{
	size_t low = 0, high, middle;
	Dwarf_Line *row;
	Dwarf_Addr at;
	int number;
	bool end;

	if (!unit->lines_asked)
		lines_read(d, unit, unit_die);
	for (high = unit->lines; low < high;) {
		middle = low + (high - low) / 2;
		row = dwarf_onesrcline(unit->line, middle);
		if (dwarf_lineaddr(row, &at) == 0 && at <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return;
	row = dwarf_onesrcline(unit->line, low - 1);
	if (dwarf_lineendsequence(row, &end) != 0 || end ||
	    dwarf_lineno(row, &number) != 0)
		return;
	/* Line 0 is code of the compiler, which belongs to no line. */
	frame->line = number > 0 ? number : 0;
	frame->file =
	    file_absolute(unit_die, dwarf_linesrc(row, NULL, NULL), scratch);
}

void
pp_dwarf_call_site(const struct pp_dwarf_unit *unit, Dwarf_Die *unit_die,
    Dwarf_Die *inlined, struct pp_frame *frame, char scratch[1024])
{
	Dwarf_Word file, line;
	Dwarf_Attribute value;
	Dwarf_Files *files;
	size_t count;

	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &value),
		&line) == 0 &&
	    line <= INT32_MAX)
		frame->line = (int32_t)line;
	/* If there are no rows, the line program was too long or not
	 * readable. */
	if (unit->line == NULL)
		return;
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &value),
		&file) == 0 &&
	    dwarf_getsrcfiles(unit_die, &files, &count) == 0 && file < count)
		frame->file = file_absolute(unit_die,
		    dwarf_filesrc(files, file, NULL, NULL), scratch);
}
