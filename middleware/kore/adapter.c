/*
 * The adapter's knowledge of its process, and its lines in Kore's log. All of
 * the adapter's folders use this file; it calls none of them.
 */
#include <kore/kore.h>

#include <stdarg.h>
#include <stdio.h>

#include "kore/adapter.h"

struct pp_kore pp_kore = { .arena_fd = -1,
	.socket = -1,
	.collector_socket = -1,
	.listen_fd = -1,
	.proc_fd = -1,
	.broken = "the service's parent process has not started it" };

/* Used by parent.c and by launch.c. */
pid_t (*pp_parent_real_fork)(void);

/* Before Kore has set itself up, its pid is -1 or 0, by its version. */
int
pp_kore_runs(void)
{
	return (kore_pid > 0);
}

void
pp_kore_log(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* In the parent, an operator's start script reads stderr; a worker
	 * writes to Kore's log. */
	if (worker == NULL)
		(void)fprintf(stderr, "pprof: %s\n", line);
	if (pp_kore_runs() && (worker != NULL || kore_foreground == 0))
		kore_log(LOG_NOTICE, "pprof: %s", line);
}
