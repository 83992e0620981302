/*
 * The head of a request as it came, before Kore has read it: what has to be
 * known of it for those that come after it on the same connection (allow.h).
 *
 * Not a parser of HTTP: what a request means is Kore's to say. Where Kore and
 * others could read the same bytes differently, this says so.
 *
 * Rule: pure functions over a buffer that need not be terminated.
 */
#ifndef PP_BASE_HEAD_H
#define PP_BASE_HEAD_H

#include <stddef.h>

enum pp_head {
	PP_HEAD_WHOLE = 1, /* an empty line has come */
	PP_HEAD_PROXY = 2, /* a proxy's header, or more lines than are kept */
	PP_HEAD_BODY = 4,  /* it says that a body follows */
	PP_HEAD_UNREAD = 8 /* which nobody reads as one, or other bytes do */
};

/* `lines`: how many are kept, the first one and Host among them; 0: do not look
 * for those of a proxy. Returns the bits above; those of a head that is not yet
 * whole are of what there is. */
unsigned int pp_head_look(const char *head, size_t len, unsigned int lines);

#endif
