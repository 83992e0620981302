/*
 * A file that grows while a trace runs: a memfd, so that neither the heap nor a
 * disk holds it, and so that it can be handed over as it is. Not for profiles:
 * these are a struct pp_buf.
 *
 * Rule: errors are sticky; pp_spool_take() checks `failed` once at the end.
 */
#ifndef PP_ENCODE_BYTES_SPOOL_H
#define PP_ENCODE_BYTES_SPOOL_H

#include <stddef.h>
#include <stdint.h>

struct pp_spool {
	int fd; /* -1: none */
	uint64_t len;
	int failed;
};

/* Open an empty file, which can be sealed later. Returns 0, or -1 with
 * errno. */
int pp_spool_open(struct pp_spool *spool);

/* Append bytes; a failure sets `failed`. */
void pp_spool_append(struct pp_spool *spool, const void *data, size_t len);
void pp_spool_close(struct pp_spool *spool);

/* Cut the file to `len` bytes. */
void pp_spool_cut(struct pp_spool *spool, uint64_t len);

/* Return the file, which becomes the caller's, and its bytes in *len; -1: the
 * file is not whole. */
int pp_spool_take(struct pp_spool *spool, uint64_t *len);

#endif
