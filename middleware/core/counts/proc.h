/*
 * What the kernel says of a process's memory: /proc/PID/smaps_rollup, read
 * through a descriptor that the process opened itself.
 *
 * Rule: the descriptor came from a worker; it may be anything that lies in
 * /proc. What does not read like a rollup is refused.
 */
#ifndef PP_COUNTS_PROC_H
#define PP_COUNTS_PROC_H

#include <stddef.h>
#include <stdint.h>

/* In bytes. Shared with another process: since the fork until one of the two
 * writes to it, or by a file or memory that both have mapped. */
struct pp_proc_memory {
	uint64_t rss;
	uint64_t pss; /* each page divided by those that have it */
	uint64_t private_clean;
	uint64_t private_dirty;
	uint64_t shared_clean;
	uint64_t shared_dirty;
};

/* Take a rollup's text apart; 0, or -1 when it is none. */
int pp_proc_parse(const char *text, size_t len, struct pp_proc_memory *out);

/* Read the descriptor from its start; 0, or -1 when the process has ended or
 * it is no rollup. */
int pp_proc_read(int fd, struct pp_proc_memory *out);

#endif
