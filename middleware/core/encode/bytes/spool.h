/*
 * A file that grows while a trace runs: a memfd, so that neither the heap nor
 * a disk holds it, and so that it can be handed over as it is.
 *
 * Rule: errors are sticky; whoever hands the file on asks `failed` once.
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

/* Returns 0, or -1 with errno. The file may be sealed. */
int pp_spool_open(struct pp_spool *spool);
void pp_spool_append(struct pp_spool *spool, const void *data, size_t len);
void pp_spool_close(struct pp_spool *spool);

/* Take back what was appended beyond `len` bytes. */
void pp_spool_cut(struct pp_spool *spool, uint64_t len);

/* The file, which is the caller's now; *len bytes. -1: it is not whole. */
int pp_spool_take(struct pp_spool *spool, uint64_t *len);

#endif
