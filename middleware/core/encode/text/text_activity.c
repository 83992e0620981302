/*
 * The dump of text_activity.h.
 *
 *     # goroutine 7: request GET /report, route /report, worker 1, ...
 *
 *     goroutine 7 [pgsql wait, 3 minutes]:
 *     kore_pgsql_query(...)
 *     	/usr/share/kore/src/pgsql.c:213 +0x4c
 *
 * The parsers (panicparse 2.3, gostackparse, goroutine-inspect) accept only
 * this: a state and minutes between the brackets; a function, its arguments as
 * "..." and no other parenthesis; a file that ends in .c, .go or .s, or "??".
 * Each stack is written once and then copied, since 10,000 requests sleep in a
 * few places.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "encode/text/text_activity.h"

static const char *const kind_name[] = {
	[PP_ACTIVITY_REQUEST] = "request",
	[PP_ACTIVITY_TASK] = "task",
	[PP_ACTIVITY_THREAD] = "thread",
};

/* Write a name without characters that a parser understands or that end the
 * line. */
static void
name_write(const char *name, struct pp_buf *out)
{
	char c;

	for (; (c = *name) != '\0'; name++) {
		if ((unsigned char)c < ' ' || c == 0x7f || c == '%' || c == '/')
			c = '_';
		else if (c == '(')
			c = '<';
		else if (c == ')')
			c = '>';
		pp_buf_append(out, &c, 1);
	}
}

static int
file_is_known(const char *file)
{
	static const char *const end[] = { ".c", ".go", ".s" };
	size_t len = strlen(file), i, n;

	for (i = 0; i < sizeof(end) / sizeof(end[0]); i++) {
		n = strlen(end[i]);
		if (len > n && strcmp(file + len - n, end[i]) == 0)
			return (1);
	}
	return (0);
}

static void
file_write(const char *file, struct pp_buf *out)
{
	char c;

	if (!file_is_known(file)) {
		pp_buf_text(out, "??");
		return;
	}
	for (; (c = *file) != '\0'; file++) {
		if ((unsigned char)c < ' ' || c == 0x7f)
			c = '?';
		pp_buf_append(out, &c, 1);
	}
}

static void
frame_write(const char *function, const char *file, int line, uint32_t offset,
    struct pp_buf *out)
{
	name_write(function, out);
	pp_buf_text(out, "(...)\n\t");
	file_write(file, out);
	pp_buf_printf(out, ":%d", line);
	/* Only the physical function has an offset; there is none at its very
	 * start. */
	if (offset > 1)
		pp_buf_printf(out, " +0x%x", offset - 1);
	pp_buf_text(out, "\n");
}

static void
location_write(const struct pp_profile *p, const struct pp_location *location,
    struct pp_buf *out)
{
	const struct pp_function *function;
	const struct pp_line *line;
	char address[32];
	uint32_t i;

	if (location->lines == 0) {
		snprintf(address, sizeof(address), "0x%llx",
		    (unsigned long long)location->address);
		frame_write(address, "", 0, 0, out);
	}
	for (i = 0; i < location->lines; i++) {
		line = &p->line[location->first_line + i];
		function = &p->function[line->function - 1];
		frame_write(function->name, function->file, line->line,
		    i + 1 == location->lines ? location->offset : 0, out);
	}
}

static void
stack_write(const struct pp_profile *p, const struct pp_sample *sample,
    struct pp_buf *out)
{
	uint32_t i;

	for (i = 0; i < sample->locations; i++)
		location_write(p,
		    &p->location[p->stack[sample->first_location + i] - 1],
		    out);
}

/* Return the text of a label of the set, or "". */
static const char *
label_text(const struct pp_activity_list *list, uint32_t set, const char *key)
{
	const char *at, *value;

	for (at = pp_activity_labels(list, set); *at != '\0';
	     at = value + strlen(value) + 1) {
		value = at + strlen(at) + 1;
		if (strcmp(at, key) == 0)
			return (value);
	}
	return ("");
}

/* Write a word of the list without blanks, which would divide it. */
static void
word_write(const char *word, struct pp_buf *out)
{
	char c;

	for (; (c = *word) != '\0'; word++) {
		if ((unsigned char)c <= ' ' || c == 0x7f)
			c = '?';
		pp_buf_append(out, &c, 1);
	}
}

static void
list_line(const struct pp_activity_list *list,
    const struct pp_activity_item *item, struct pp_buf *out)
{
	const char *route = label_text(list, item->label, "http.route");
	const char *method = label_text(list, item->label, "http.method");
	int64_t ms = (list->now_ns - item->started_ns) / PP_NS_PER_MS;

	pp_buf_printf(out, "# goroutine %llu: %s", (unsigned long long)item->id,
	    kind_name[item->kind]);
	if (item->path[0] != '\0') {
		pp_buf_text(out, " ");
		word_write(method, out);
		pp_buf_text(out, *method != '\0' ? " " : "");
		word_write(item->path, out);
	}
	if (route[0] != '\0') {
		pp_buf_text(out, ", route ");
		word_write(route, out);
	}
	pp_buf_printf(out, ", worker %u, pid %d", item->slot, item->pid);
	if (item->tid != 0)
		pp_buf_printf(out, ", tid %u", item->tid);
	pp_buf_printf(out, ", age %lld.%03lld s", (long long)(ms / 1000),
	    (long long)(ms % 1000));
	if (item->kind == PP_ACTIVITY_REQUEST)
		pp_buf_printf(out, ", %u bytes in, %llu bytes out",
		    item->bytes_in, (unsigned long long)item->bytes_out);
	pp_buf_text(out, "\n");
}

static void
block_head(const struct pp_activity_list *list,
    const struct pp_activity_item *item, struct pp_buf *out)
{
	int64_t minutes = 0;

	if (item->since_ns != 0)
		minutes =
		    (list->now_ns - item->since_ns) / (60 * PP_NS_PER_SEC);
	pp_buf_printf(out, "\ngoroutine %llu [%s", (unsigned long long)item->id,
	    item->state);
	if (minutes > 0)
		pp_buf_printf(out, ", %lld minutes", (long long)minutes);
	pp_buf_text(out, "]:\n");
}

/* Write each stack to `text`, and return where each begins. */
static size_t *
stacks_write(const struct pp_profile *p, struct pp_buf *text)
{
	size_t *start;
	uint32_t i;

	if ((start = calloc((size_t)p->samples + 1, sizeof(*start))) == NULL)
		return (NULL);
	for (i = 0; i < p->samples; i++) {
		start[i] = text->len;
		stack_write(p, &p->sample[i], text);
	}
	start[i] = text->len;
	return (start);
}

/* The most bytes of a line of the list and of a block's head, without the texts
 * in them. */
#define LINE_MAX 320

/* Return for how many items there is room. */
static uint32_t
items_fit(const struct pp_activity_list *list, const size_t *start)
{
	const struct pp_activity_item *item;
	size_t room = PP_TEXT_ACTIVITY_MAX, need;
	uint32_t i;

	for (i = 0; i < list->items; i++) {
		item = &list->item[i];
		need = LINE_MAX + strlen(item->path) +
		    strlen(label_text(list, item->label, "http.route")) +
		    strlen(label_text(list, item->label, "http.method")) +
		    start[item->stack + 1] - start[item->stack];
		if (need > room)
			break;
		room -= need;
	}
	return (i);
}

void
pp_encode_text_activity(const struct pp_activity_list *list,
    const struct pp_profile *stacks, struct pp_buf *out)
{
	struct pp_buf text = { 0 };
	const struct pp_activity_item *item;
	size_t *start = stacks_write(stacks, &text);
	uint32_t i, fit;

	if (start == NULL || text.failed) {
		out->failed = 1;
		pp_buf_free(&text);
		free(start);
		return;
	}
	fit = items_fit(list, start);
	pp_buf_printf(out, "# %u in progress", list->items);
	if (fit < list->items || list->dropped > 0)
		pp_buf_printf(out,
		    ", of which only %u are shown, and %llu "
		    "were not even counted",
		    fit, (unsigned long long)list->dropped);
	pp_buf_text(out, "\n");
	for (i = 0; i < fit; i++)
		list_line(list, &list->item[i], out);
	for (i = 0; i < fit; i++) {
		item = &list->item[i];
		block_head(list, item, out);
		pp_buf_append(out, text.data + start[item->stack],
		    start[item->stack + 1] - start[item->stack]);
	}
	pp_buf_free(&text);
	free(start);
}
