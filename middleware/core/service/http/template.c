/*
 * The template language: a view is a list of named entries, rendering walks
 * the text and calls itself for sections.
 *
 * Rule: what comes out is text of the template or an escaped value.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/http/template.h"

struct entry {
	struct entry *next;
	char name[PP_VIEW_NAME_MAX];
	char *text;	     /* a value, or NULL: */
	struct pp_view *row; /* a row */
};

struct pp_view {
	struct entry *first, *last;
	struct pp_view *parent; /* where names are looked up next */
	int failed;
};

/* One {{...}} of a template. */
struct tag {
	const char *begin, *end; /* with the braces */
	char kind;		 /* '#', '^', '/', or 0: a value */
	char name[PP_VIEW_NAME_MAX];
};

struct pp_view *
pp_view_new(void)
{
	return (calloc(1, sizeof(struct pp_view)));
}

void
pp_view_free(struct pp_view *view)
{
	struct entry *entry;

	if (view == NULL)
		return;
	while ((entry = view->first) != NULL) {
		view->first = entry->next;
		pp_view_free(entry->row);
		free(entry->text);
		free(entry);
	}
	free(view);
}

static struct entry *
view_add(struct pp_view *view, const char *name)
{
	struct entry *entry;

	entry = calloc(1, sizeof(*entry));
	if (entry == NULL || strlen(name) >= sizeof(entry->name)) {
		free(entry);
		return (NULL);
	}
	memcpy(entry->name, name, strlen(name));
	if (view->last != NULL)
		view->last->next = entry;
	else
		view->first = entry;
	view->last = entry;
	return (entry);
}

/* The root knows about every failure, also in rows that were never made. */
static void
view_fail(struct pp_view *view)
{
	for (; view != NULL; view = view->parent)
		view->failed = 1;
}

void
pp_view_set(struct pp_view *view, const char *name, const char *format, ...)
{
	struct entry *entry;
	char *text;
	va_list args;
	int len;

	if (view == NULL)
		return;
	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len == -1) {
		view_fail(view);
		return;
	}
	if ((entry = view_add(view, name)) == NULL) {
		view_fail(view);
		free(text);
		return;
	}
	entry->text = text;
}

struct pp_view *
pp_view_row(struct pp_view *view, const char *name)
{
	struct entry *entry;
	struct pp_view *row;

	if (view == NULL)
		return (NULL);
	row = pp_view_new();
	entry = row == NULL ? NULL : view_add(view, name);
	if (entry == NULL) {
		view_fail(view);
		pp_view_free(row);
		return (NULL);
	}
	entry->row = row;
	row->parent = view;
	return (row);
}

static const struct entry *
view_find(const struct pp_view *view, const char *name)
{
	const struct entry *entry;

	for (; view != NULL; view = view->parent) {
		for (entry = view->first; entry != NULL; entry = entry->next) {
			if (strcmp(entry->name, name) == 0)
				return (entry);
		}
	}
	return (NULL);
}

/* Finds the next tag. Returns 1; 0: there is none; -1: the tag is broken. */
static int
template_tag(const char *text, const char *end, struct tag *tag)
{
	const char *name, *close;
	size_t len;

	tag->begin = memmem(text, (size_t)(end - text), "{{", 2);
	if (tag->begin == NULL)
		return (0);
	name = tag->begin + 2;
	close = memmem(name, (size_t)(end - name), "}}", 2);
	if (close == NULL)
		return (-1);
	tag->end = close + 2;
	tag->kind = '\0';
	if (name < close && strchr("#^/", *name) != NULL)
		tag->kind = *name++;
	len = (size_t)(close - name);
	if (len == 0 || len >= sizeof(tag->name))
		return (-1);
	memcpy(tag->name, name, len);
	tag->name[len] = '\0';
	return (1);
}

/* Finds the tag that closes `open`, over sections inside. */
static int
template_close(const struct tag *open, const char *end, struct tag *close)
{
	const char *text = open->end;
	int depth = 1;

	while (depth > 0) {
		if (template_tag(text, end, close) != 1)
			return (-1);
		text = close->end;
		if (close->kind == '/')
			depth--;
		else if (close->kind != '\0')
			depth++;
	}
	return (strcmp(open->name, close->name) == 0 ? 0 : -1);
}

static int template_part(const char *, const char *, const struct pp_view *,
    struct pp_buf *, int);

static int
template_section(const struct tag *open, const char *end,
    const struct pp_view *view, struct pp_buf *out, int depth)
{
	const struct entry *entry;
	int empty;

	entry = view_find(view, open->name);
	empty = entry == NULL || (entry->text != NULL && *entry->text == '\0');
	if (open->kind == '^' || empty)
		return (empty == (open->kind == '^')
			? template_part(open->end, end, view, out, depth)
			: 0);
	if (entry->text != NULL)
		return (template_part(open->end, end, view, out, depth));
	for (; entry != NULL; entry = entry->next) {
		if (strcmp(entry->name, open->name) != 0)
			continue;
		if (template_part(open->end, end, entry->row, out, depth) != 0)
			return (-1);
	}
	return (0);
}

static int
template_part(const char *text, const char *end, const struct pp_view *view,
    struct pp_buf *out, int depth)
{
	const struct entry *entry;
	struct tag tag, close;
	int found;

	if (depth > PP_TEMPLATE_DEPTH)
		return (-1);
	while ((found = template_tag(text, end, &tag)) == 1) {
		pp_buf_append(out, text, (size_t)(tag.begin - text));
		text = tag.end;
		if (tag.kind == '/')
			return (-1);
		if (tag.kind == '\0') {
			entry = view_find(view, tag.name);
			if (entry == NULL || entry->text == NULL)
				return (-1);
			pp_buf_escape(out, entry->text, strlen(entry->text));
			continue;
		}
		if (template_close(&tag, end, &close) != 0 ||
		    template_section(&tag, close.begin, view, out, depth + 1) !=
			0)
			return (-1);
		text = close.end;
	}
	pp_buf_append(out, text, (size_t)(end - text));
	return (found);
}

int
pp_template_render(const char *text, size_t len, const struct pp_view *view,
    struct pp_buf *out)
{
	if (view == NULL || view->failed)
		return (-1);
	if (template_part(text, text + len, view, out, 0) != 0)
		return (-1);
	return (out->failed ? -1 : 0);
}
