/*
 * A small template language, so that pages are files in assets/ and no HTML
 * stands in C.
 *
 *     {{name}}                   the value, HTML-escaped, always
 *     {{#name}} ... {{/name}}    once for each row of that name; for a value:
 *                                once if it is not empty
 *     {{^name}} ... {{/name}}    once if there is neither row nor value
 *
 * A name that a row does not have is looked up in the rows around it. There
 * is no way to write a value unescaped.
 *
 * Rule: a template is a file of ours, but a mistake in it is an error, never
 * a crash: unknown names, open sections, more than PP_TEMPLATE_DEPTH levels.
 */
#ifndef PP_SERVICE_HTTP_TEMPLATE_H
#define PP_SERVICE_HTTP_TEMPLATE_H

#include <stddef.h>

#include "base/buf.h"

#define PP_TEMPLATE_DEPTH 8
#define PP_VIEW_NAME_MAX  32

/* The values and rows that a template shows. */
struct pp_view;

/* pp_view_new() returns an empty view, or NULL. pp_view_free() frees a view
 * with all its rows, and does nothing with NULL. */
struct pp_view *pp_view_new(void);
void pp_view_free(struct pp_view *view);

/* Set a value. If memory runs out, the view remembers that, and rendering
 * fails. */
void pp_view_set(struct pp_view *view, const char *name, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* Add a row to the list of that name; it belongs to `view`. NULL when out of
 * memory; both functions take a NULL view and do nothing with it. */
struct pp_view *pp_view_row(struct pp_view *view, const char *name);

/* Append the template, filled in, to `out`. Returns 0, or -1 when the
 * template has a mistake or memory ran out. */
int pp_template_render(const char *text, size_t len, const struct pp_view *view,
    struct pp_buf *out);

#endif
