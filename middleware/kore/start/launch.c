/*
 * These functions find and start the collector's program, in the parent.
 *
 * The program is started by fork and exec, and gets the arena, the facts about
 * the arena, its socket, and the socket of its listener if there is one. It
 * inherits no listening socket of Kore, which would keep the port busy after
 * Kore's end, and none of the parent's memory.
 *
 * Rule: each descriptor that is not named here is closed before exec.
 */
#include <kore/kore.h>

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/scan.h"
#include "kore/abi.h"
#include "kore/adapter.h"
#include "store/facts.h"

#define PROGRAM "pprof-collector"

/* Where `make install` puts the two below one prefix. */
#define MODULES "/lib/kore/"
#define LIBEXEC "/libexec/kore-pprof/"

/* The numbers of the descriptors in the collector, which its arguments name. */
#define ARENA_FD	3
#define SOCKET_FD	4
#define FACTS_FD	5
#define LISTEN_FD	6
#define LAST_FD		LISTEN_FD

#define ARGUMENTS_MAX	12
#define ENVIRONMENT_MAX 32

static char program[PATH_MAX]; /* "": not found */

extern char **environ;

static int
launch_try(const char *directory, size_t len, const char *file)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%.*s%s", (int)len, directory, file) >=
	    (int)sizeof(path))
		return (0);
	return (realpath(path, program) != NULL && access(program, X_OK) == 0);
}

/* Look for the program in the directory of `module`. If that directory is a
 * prefix's directory of Kore modules, also look in the libexec of the same
 * prefix, wherever the prefix was unpacked. */
static int
launch_near(const char *module)
{
	const char *slash = strrchr(module, '/');
	size_t len = slash != NULL ? (size_t)(slash - module) + 1 : 0;
	size_t tail = strlen(MODULES);

	if (len == 0)
		return (0);
	if (launch_try(module, len, PROGRAM))
		return (1);
	return (len >= tail &&
	    strncmp(module + len - tail, MODULES, tail) == 0 &&
	    launch_try(module, len - tail, LIBEXEC PROGRAM));
}

void
pp_launch_prepare(void)
{
	char real[PATH_MAX];
	const char *named;
	Dl_info self;

	/* The operator's choice comes before our own guess. */
	named = getenv("PPROF_COLLECTOR");
	if (named != NULL && named[0] != '\0') {
		if (launch_try("", 0, named))
			return;
		pp_kore_log("PPROF_COLLECTOR: \"%s\" is not a program", named);
	} else {
		if (dladdr((void *)&launch_try, &self) != 0 &&
		    (launch_near(self.dli_fname) ||
			(realpath(self.dli_fname, real) != NULL &&
			    launch_near(real))))
			return;
		/* The module may be a copy in the application's own folder. */
		if (launch_try("/usr", strlen("/usr"), LIBEXEC PROGRAM))
			return;
	}
	program[0] = '\0';
	pp_kore.broken =
	    PROGRAM " was not found beside pprof.so, in /usr" LIBEXEC
		    " or by PPROF_COLLECTOR";
}

/* The collector gets only the variables that are meant for it: the parent's
 * environment may hold secrets. */
static void
launch_environment(char **out)
{
	char **var;
	unsigned int count = 0;

	for (var = environ; *var != NULL && count < ENVIRONMENT_MAX - 1;
	     var++) {
		if (strncmp(*var, "PPROF_", 6) == 0 ||
		    strncmp(*var, "TZ=", 3) == 0)
			out[count++] = *var;
	}
	out[count] = NULL;
}

/* In the child: move the descriptors to their numbers and close all others.
 * Returns 0, or -1. */
static int
launch_descriptors(int facts)
{
	const int from[] = { pp_kore.arena_fd, pp_kore.collector_socket, facts,
		pp_kore.listen_fd };
	int high[4], i, last = pp_kore.listen_fd != -1 ? 4 : 3;

	for (i = 0; i < last; i++) {
		high[i] = fcntl(from[i], F_DUPFD, LAST_FD + 1);
		if (high[i] == -1)
			return (-1);
	}
	for (i = 0; i < last; i++) {
		if (dup2(high[i], ARENA_FD + i) == -1)
			return (-1);
	}
	if (pp_relay_fd() != -1 && dup2(pp_relay_fd(), STDERR_FILENO) == -1)
		return (-1);
	/* Linux before 5.9 has no close_range(): they are closed one by one. */
	last += ARENA_FD;
	if (syscall(SYS_close_range, last, ~0U, 0) == -1) {
		for (int fd = last; fd < 65536; fd++)
			(void)close(fd);
	}
	return (0);
}

static void
launch_child(char **arguments, char **environment, int facts, pid_t parent)
{
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || launch_descriptors(facts) == -1)
		_exit(1);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execve(program, arguments, environment);
	_exit(127);
}

pid_t
pp_launch_collector(void)
{
	char parent[32], user[280], root[PATH_MAX + 8], arena[16], sock[16];
	char listen[16], known[16];
	char *arguments[ARGUMENTS_MAX], *environment[ENVIRONMENT_MAX];
	int count = 0, facts;
	pid_t pid;

	if (program[0] == '\0') {
		pp_kore_log("%s: no profiles", pp_kore.broken);
		return (-1);
	}
	/* The facts are made anew each time: a reload may have loaded other
	 * files. */
	facts = pp_arena_facts(pp_kore.arena, pp_scan_mine());
	if (facts == -1) {
		pp_kore.broken = "no memory could be made for what it must "
				 "know";
		pp_kore_log("%s (%s): no profiles", pp_kore.broken, errno_s);
		return (-1);
	}
	(void)snprintf(arena, sizeof(arena), "--arena=%d", ARENA_FD);
	(void)snprintf(sock, sizeof(sock), "--socket=%d", SOCKET_FD);
	(void)snprintf(parent, sizeof(parent), "--parent=%d", getpid());
	arguments[count++] = program;
	arguments[count++] = arena;
	(void)snprintf(known, sizeof(known), "--facts=%d", FACTS_FD);
	arguments[count++] = sock;
	arguments[count++] = known;
	arguments[count++] = parent;
	if (pp_kore.listen_fd != -1) {
		(void)snprintf(listen, sizeof(listen), "--listen=%d",
		    LISTEN_FD);
		arguments[count++] = listen;
	}
	if (pp_abi_user() != NULL) {
		(void)snprintf(user, sizeof(user), "--user=%s", pp_abi_user());
		arguments[count++] = user;
	}
	if (pp_abi_root() != NULL) {
		(void)snprintf(root, sizeof(root), "--root=%s", pp_abi_root());
		arguments[count++] = root;
	}
	arguments[count] = NULL;
	launch_environment(environment);
	pid = pp_parent_real_fork();
	if (pid == 0)
		launch_child(arguments, environment, facts, kore_pid);
	(void)close(facts);
	if (pid == -1) {
		pp_kore.broken = "no process could be forked for it";
		pp_kore_log("%s: no profiles", pp_kore.broken);
	} else {
		pp_kore.broken = NULL;
	}
	return (pid);
}
