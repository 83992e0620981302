/*
 * See text.h. Columns are made by tabs, 8 wide, with at least one blank; the
 * last cell of a line belongs to no column.
 */
#include "encode/text/text.h"

#include <stdio.h>
#include <string.h>

#include "encode/bytes/json.h"

#define TAB 8

/* A longer cell is cut; a C++ function can have a name of a page. */
#define CELL_MAX 1024

struct cells {
	char address[32];
	char function[CELL_MAX];
	char place[CELL_MAX]; /* "" when the file is not known */
};

void
pp_text_addresses(const struct pp_profile *p, const struct pp_sample *sample,
    struct pp_buf *out)
{
	const struct pp_location *location;
	uint32_t i;

	for (i = 0; i < sample->locations; i++) {
		location =
		    &p->location[p->stack[sample->first_location + i] - 1];
		pp_buf_printf(out, " 0x%llx",
		    (unsigned long long)location->address + 1);
	}
}

void
pp_text_labels(const struct pp_profile *p, const struct pp_sample *sample,
    struct pp_buf *out)
{
	const struct pp_label *label;
	uint32_t i;

	if (sample->labels == 0)
		return;
	pp_buf_text(out, "# labels: {");
	for (i = 0; i < sample->labels; i++) {
		label = &p->label[sample->first_label + i];
		if (i > 0)
			pp_buf_text(out, ", ");
		pp_json_string(out, label->key);
		pp_buf_text(out, ":");
		if (label->text != NULL)
			pp_json_string(out, label->text);
		else
			pp_buf_printf(out, "%lld", (long long)label->number);
	}
	pp_buf_text(out, "}\n");
}

/* Replace tabs and newlines, which would end the cell, and other control
 * characters. */
static void
cell_clean(char *cell)
{
	for (; *cell != '\0'; cell++) {
		if ((unsigned char)*cell < ' ' || *cell == 0x7f)
			*cell = '?';
	}
}

/* Fill the cells of one frame of source, or of an address without one. */
static void
cells_fill(const struct pp_profile *p, const struct pp_location *location,
    uint32_t number, struct cells *cells)
{
	const struct pp_function *function;
	const struct pp_line *line;

	snprintf(cells->address, sizeof(cells->address), "0x%llx",
	    (unsigned long long)location->address);
	cells->function[0] = cells->place[0] = '\0';
	if (location->lines == 0)
		return;
	line = &p->line[location->first_line + number];
	function = &p->function[line->function - 1];
	if (location->offset > 0)
		snprintf(cells->function, sizeof(cells->function), "%s+0x%x",
		    function->name, location->offset - 1);
	else
		snprintf(cells->function, sizeof(cells->function), "%s",
		    function->name);
	if (function->file[0] != '\0')
		snprintf(cells->place, sizeof(cells->place), "%s:%d",
		    function->file, line->line);
	cell_clean(cells->function);
	cell_clean(cells->place);
}

static size_t
column_end(size_t widest)
{
	return ((widest / TAB + 1) * TAB);
}

static void
cell_write(struct pp_buf *out, const char *cell, size_t widest)
{
	size_t at = strlen(cell);

	pp_buf_text(out, cell);
	do {
		pp_buf_text(out, "\t");
		at = column_end(at);
	} while (at < column_end(widest));
}

/* Walk through the frames: the first walk measures the columns, the second
 * writes them. */
static void
frames_walk(const struct pp_profile *p, const struct pp_sample *sample,
    size_t widest[2], struct pp_buf *out)
{
	const struct pp_location *location;
	struct cells cells;
	uint32_t i, n;
	size_t len;

	for (i = 0; i < sample->locations; i++) {
		location =
		    &p->location[p->stack[sample->first_location + i] - 1];
		for (n = 0; n == 0 || n < location->lines; n++) {
			cells_fill(p, location, n, &cells);
			if (out == NULL) {
				len = strlen(cells.address);
				widest[0] = len > widest[0] ? len : widest[0];
				len = cells.place[0] == '\0'
				    ? 0
				    : strlen(cells.function);
				widest[1] = len > widest[1] ? len : widest[1];
				continue;
			}
			pp_buf_text(out, "#\t");
			if (cells.function[0] != '\0')
				cell_write(out, cells.address, widest[0]);
			else
				pp_buf_text(out, cells.address);
			if (cells.place[0] != '\0')
				cell_write(out, cells.function, widest[1]);
			else
				pp_buf_text(out, cells.function);
			pp_buf_printf(out, "%s\n", cells.place);
		}
	}
}

void
pp_text_frames(const struct pp_profile *p, const struct pp_sample *sample,
    struct pp_buf *out)
{
	size_t widest[2] = { 0, 0 };

	frames_walk(p, sample, widest, NULL);
	frames_walk(p, sample, widest, out);
	pp_buf_text(out, "\n");
}
