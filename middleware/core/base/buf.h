/*
 * A growing byte buffer with a sticky error, for the cold side.
 *
 * Writers append without checking; the caller that hands the buffer on looks at
 * `failed` once. An append adds all of its bytes or none; after a failure an
 * append does nothing. The bytes are not terminated. A zeroed struct is an
 * empty buffer.
 *
 * Rule: never in a worker's hot path, because the buffer allocates. One thread
 * at a time for each buffer; not async-signal-safe.
 */
#ifndef PP_BASE_BUF_H
#define PP_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct pp_buf {
	char *data; /* owned; NULL while empty */
	size_t len;
	size_t room;
	size_t limit; /* 0: none; appends beyond it fail */
	int failed;   /* 1: out of memory or over the limit */
};

void pp_buf_append(struct pp_buf *buf, const void *data, size_t len);
void pp_buf_text(struct pp_buf *buf, const char *text);
/* Append text of HTML or XML, with & < > " ' as entities. */
void pp_buf_escape(struct pp_buf *buf, const char *text, size_t len);
void pp_buf_printf(struct pp_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void pp_buf_vprintf(struct pp_buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Free the memory and make the buffer empty and unfailed; `limit` stays. */
void pp_buf_free(struct pp_buf *buf);

#endif
