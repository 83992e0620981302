/*
 * See buf.h. Not a stream: all bytes are in memory, and `limit` bounds them.
 *
 * Rule: every error sets `failed`, keeps the bytes that are there and returns,
 * so that a caller need not look before the end.
 */
#include "base/buf.h"

#include "base/budget.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Smallest block, bytes: most texts of an answer's head fit into it. */
#define PP_BUF_FIRST 256

static int pp_buf_allow(struct pp_buf *, size_t);
static int pp_buf_grow(struct pp_buf *, size_t);

void
pp_buf_append(struct pp_buf *buf, const void *data, size_t len)
{
	if (len == 0 || pp_buf_allow(buf, len) == -1)
		return;
	if (pp_buf_grow(buf, buf->len + len) == -1)
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
}

void
pp_buf_text(struct pp_buf *buf, const char *text)
{
	pp_buf_append(buf, text, strlen(text));
}

void
pp_buf_escape(struct pp_buf *buf, const char *text, size_t len)
{
	static const char special[] = { '&', '<', '>', '"', '\'' };
	static const char *const entity[] = { "&amp;", "&lt;", "&gt;", "&quot;",
		"&#39;" };
	const char *found;

	for (; len > 0; text++, len--) {
		found = memchr(special, *text, sizeof(special));
		if (found == NULL)
			pp_buf_append(buf, text, 1);
		else
			pp_buf_text(buf, entity[found - special]);
	}
}

void
pp_buf_printf(struct pp_buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pp_buf_vprintf(buf, format, args);
	va_end(args);
}

void
pp_buf_vprintf(struct pp_buf *buf, const char *format, va_list args)
{
	va_list again;
	size_t free_room;
	int len;

	if (buf->failed)
		return;

	/* Most texts fit, and are formatted only once. */
	free_room = buf->room - buf->len;
	va_copy(again, args);
	len = vsnprintf(free_room == 0 ? NULL : buf->data + buf->len, free_room,
	    format, args);
	if (len < 0)
		buf->failed = 1;
	else if (pp_buf_allow(buf, (size_t)len) == 0 && len > 0) {
		/* vsnprintf() wants room for a NUL, which is not kept. */
		if ((size_t)len < free_room)
			buf->len += (size_t)len;
		else if (pp_buf_grow(buf, buf->len + (size_t)len + 1) == 0) {
			vsnprintf(buf->data + buf->len, (size_t)len + 1, format,
			    again);
			buf->len += (size_t)len;
		}
	}
	va_end(again);
}

void
pp_buf_free(struct pp_buf *buf)
{
	free(buf->data);
	buf->data = NULL;
	buf->len = 0;
	buf->room = 0;
	buf->failed = 0;
}

/* Whether `more` bytes may still be added; the comparison cannot wrap. */
static int
pp_buf_allow(struct pp_buf *buf, size_t more)
{
	size_t limit = buf->limit != 0 ? buf->limit : SIZE_MAX / 2;

	if (buf->failed)
		return (-1);
	if (buf->len > limit || more > limit - buf->len) {
		buf->failed = 1;
		return (-1);
	}
	return (0);
}

/* The room doubles: all copies of a buffer of n bytes together have moved at
 * most n bytes, and pages that are never touched cost no memory. */
static int
pp_buf_grow(struct pp_buf *buf, size_t need)
{
	size_t room = buf->room != 0 ? buf->room : PP_BUF_FIRST;
	char *data;

	if (need <= buf->room)
		return (0);
	while (room < need)
		room = room > SIZE_MAX / 2 ? need : room * 2;
	if (!pp_budget_fits(room) ||
	    (data = realloc(buf->data, room)) == NULL) {
		buf->failed = 1;
		return (-1);
	}
	buf->data = data;
	buf->room = room;
	return (0);
}
