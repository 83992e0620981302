/*
 * Preloaded into the parent: prints how each child ended, which Kore does not
 * do for the workers that it waits for at shutdown.
 *
 * Rule: changes nothing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t
say(pid_t found, const int *status)
{
	char line[64];
	int len;

	if (found > 0 && status != NULL) {
		len = snprintf(line, sizeof(line), "waited: %d %d\n",
		    (int)found, *status);
		/* A terminal's write is ended by the SIGCHLD of the next. */
		while (write(2, line, (size_t)len) == -1 && errno == EINTR)
			;
	}
	return (found);
}

pid_t
waitpid(pid_t pid, int *status, int options)
{
	static pid_t (*next)(pid_t, int *, int);

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "waitpid");
	return (say(next(pid, status, options), status));
}

pid_t
wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	static pid_t (*next)(pid_t, int *, int, struct rusage *);

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "wait4");
	return (say(next(pid, status, options, usage), status));
}
