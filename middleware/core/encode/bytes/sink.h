/*
 * The way of encoded bytes into a buffer: through gzip or as they are. Not a
 * file: spool.h is that.
 *
 * Rule: errors are sticky; the encoder writes on and asks at the end.
 */
#ifndef PP_ENCODE_BYTES_SINK_H
#define PP_ENCODE_BYTES_SINK_H

#include <stddef.h>

#include "base/buf.h"

struct pp_sink; /* an encoder's output, private to sink.c */

/* Write into `out`, which stays the caller's. `gzip` 1: a gzip member of level
 * 1 as Go writes it, 0: plain. NULL: out of memory. */
struct pp_sink *pp_sink_open(struct pp_buf *out, int gzip);
void pp_sink_write(struct pp_sink *sink, const void *data, size_t len);

/* Finish, and free the sink. Returns 0, or -1 if anything was lost on the
 * way. */
int pp_sink_close(struct pp_sink *sink);

#endif
