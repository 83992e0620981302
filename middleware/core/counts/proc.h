/*
 * What the kernel says of a process's memory: /proc/PID/smaps_rollup, read
 * through a descriptor that the process itself opened. Not what the process
 * says itself: base/memory.h has that.
 *
 * Rule: the descriptor came from a worker and may be any file of /proc. A text
 * that is no rollup is refused.
 */
#ifndef PP_COUNTS_PROC_H
#define PP_COUNTS_PROC_H

#include <stddef.h>
#include <stdint.h>

/* All in bytes. A page is shared from a fork until one of the two processes
 * writes to it, or by a file or memory that both have mapped. */
struct pp_proc_memory {
	uint64_t rss;
	uint64_t pss; /* each page divided by its processes */
	uint64_t private_clean;
	uint64_t private_dirty;
	uint64_t shared_clean;
	uint64_t shared_dirty;
};

/* Parse the text of a rollup. Returns 0, or -1 if the text is none. */
int pp_proc_parse(const char *text, size_t len, struct pp_proc_memory *out);

/* Read the descriptor from its start. Returns 0, or -1 if the process has ended
 * or the file is no rollup. */
int pp_proc_read(int fd, struct pp_proc_memory *out);

#endif
