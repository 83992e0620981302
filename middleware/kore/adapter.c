/*
 * What the adapter knows of its process, and its words in Kore's log: for all
 * rooms, none of which it calls.
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

/* For the parent, and for what it starts. */
pid_t (*pp_parent_real_fork)(void);

/* -1 or 0, by its version, until then. */
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
	/* An operator's start script reads stderr; a worker has Kore's log. */
	if (worker == NULL)
		(void)fprintf(stderr, "pprof: %s\n", line);
	if (pp_kore_runs() && (worker != NULL || kore_foreground == 0))
		kore_log(LOG_NOTICE, "pprof: %s", line);
}
