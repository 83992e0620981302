/*
 * Gzip or plain bytes into a buffer. Not an encoder: the meaning of the bytes
 * is not known here.
 *
 * The same bytes in the same order give the same output: the gzip header
 * carries no name and no time.
 *
 * Rule: the memory used here is constant, however much passes through.
 */
#define ZLIB_CONST /* deflate() does not write to its input */

#include "base/yield.h"
#include "encode/bytes/sink.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Encoders write a few bytes at a time, while each call of deflate() has its
 * cost: so bytes are collected. */
#define PP_SINK_IN  4096
#define PP_SINK_OUT 16384

/* The level is Go's: level 6 makes a CPU profile 5% smaller and takes half as
 * long again. A window of 8 KiB stays in the nearest cache: of a profile in
 * which nothing repeats it saves a tenth of the time, and a profile in which
 * much repeats gets a thousandth longer. 16 added to the window's bits asks
 * zlib for a gzip member. */
#define PP_SINK_LEVEL  Z_BEST_SPEED
#define PP_SINK_WINDOW (13 + 16)
#define PP_SINK_MEMORY 8 /* zlib's default */

struct pp_sink {
	struct pp_buf *out; /* not owned */
	int gzip;
	int failed; /* 1: zlib refused; a full `out` has its own flag */
	z_stream zip;
	size_t fill; /* of in[] */
	unsigned char in[PP_SINK_IN];
	unsigned char deflated[PP_SINK_OUT];
};

static void pp_sink_deflate(struct pp_sink *, const void *, size_t, int);

struct pp_sink *
pp_sink_open(struct pp_buf *out, int gzip)
{
	struct pp_sink *sink;

	if ((sink = calloc(1, sizeof(*sink))) == NULL)
		return (NULL);
	sink->out = out;
	sink->gzip = gzip;
	if (gzip &&
	    deflateInit2(&sink->zip, PP_SINK_LEVEL, Z_DEFLATED, PP_SINK_WINDOW,
		PP_SINK_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(sink);
		return (NULL);
	}
	return (sink);
}

void
pp_sink_write(struct pp_sink *sink, const void *data, size_t len)
{
	if (!sink->gzip) {
		pp_buf_append(sink->out, data, len);
		return;
	}
	if (len > sizeof(sink->in) - sink->fill) {
		pp_sink_deflate(sink, sink->in, sink->fill, Z_NO_FLUSH);
		sink->fill = 0;
	}
	if (len > sizeof(sink->in)) {
		pp_sink_deflate(sink, data, len, Z_NO_FLUSH);
		return;
	}
	memcpy(sink->in + sink->fill, data, len);
	sink->fill += len;
}

int
pp_sink_close(struct pp_sink *sink)
{
	int failed;

	if (sink->gzip) {
		pp_sink_deflate(sink, sink->in, sink->fill, Z_FINISH);
		deflateEnd(&sink->zip);
	}
	failed = sink->failed || sink->out->failed;
	free(sink);
	return (failed ? -1 : 0);
}

static void
pp_sink_deflate(struct pp_sink *sink, const void *data, size_t len, int flush)
{
	const unsigned char *from = data;
	size_t part;
	int status;

	do {
		/* zlib counts in unsigned int. */
		part = len > 1U << 30 ? 1U << 30 : len;
		len -= part;
		sink->zip.next_in = from;
		sink->zip.avail_in = (uInt)part;
		from += part;
		do {
			pp_yield();
			/* The output will be thrown away: save the work. */
			if (sink->failed || sink->out->failed)
				return;
			sink->zip.next_out = sink->deflated;
			sink->zip.avail_out = sizeof(sink->deflated);
			status =
			    deflate(&sink->zip, len == 0 ? flush : Z_NO_FLUSH);
			if (status == Z_STREAM_ERROR)
				sink->failed = 1;
			pp_buf_append(sink->out, sink->deflated,
			    sizeof(sink->deflated) - sink->zip.avail_out);
		} while (sink->zip.avail_out == 0);
	} while (len > 0);
}
