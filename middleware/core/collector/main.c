/*
 * pprof-collector: the steps of its start, in order. loop.c has what comes
 * after.
 *
 *     descriptors, signals, arena   as the parent left us
 *     open the object files         needs the parent's rights and root
 *     user, chroot, seccomp         from here on nothing is opened
 *     read the object files         which nobody vouches for
 *     loop
 *
 * Rule: if a step fails, the program ends with one line; the service goes on
 * without profiles.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/budget.h"
#include "collector/collector.h"
#include "collector/listener.h"
#include "store/facts.h"

/* Descriptors: two for an object, two for a request, one for a worker, the
 * listener's connections, and some more. */
#define FILES_WANTED                                                           \
	(2 * PP_OBJECTS_MAX + 2 * PP_REQUESTS_MAX + PP_WORKERS_MAX +           \
	    2 * PP_CLIENTS_MAX + 64)

static int
compare_fd(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;

	return ((left > right) - (left < right));
}

static void
main_close_others(const struct pp_collector_options *o)
{
	int keep[] = { o->listen == -1 ? o->arena : o->listen, o->arena,
		o->socket, o->facts };
	unsigned int from = STDERR_FILENO + 1, at;
	size_t i;

	qsort(keep, 4, sizeof(keep[0]), compare_fd);
	for (i = 0; i < 4; i++) {
		at = (unsigned int)keep[i];
		if (at > from)
			close_range(from, at - 1, 0);
		from = at + 1;
	}
	close_range(from, ~0U, 0);
}

/*
 * Keep the descriptors that the parent has given, and close all others.
 * Descriptors 0 to 2 are filled, or the next file opened would become stderr.
 */
static int
main_descriptors(const struct pp_collector_options *o)
{
	socklen_t len = sizeof(int);
	int fd, type;

	if (fcntl(o->arena, F_SETFD, FD_CLOEXEC) == -1) {
		pp_collector_log("--arena=%d: %s", o->arena, strerror(errno));
		return (-1);
	}
	if (getsockopt(o->socket, SOL_SOCKET, SO_TYPE, &type, &len) == -1 ||
	    type != SOCK_SEQPACKET) {
		pp_collector_log("--socket=%d: not a SOCK_SEQPACKET socket",
		    o->socket);
		return (-1);
	}
	fcntl(o->socket, F_SETFD, FD_CLOEXEC);
	len = sizeof(int);
	if (o->listen != -1 &&
	    (getsockopt(o->listen, SOL_SOCKET, SO_ACCEPTCONN, &type, &len) ==
		    -1 ||
		type != 1)) {
		pp_collector_log("--listen=%d: not a listening socket",
		    o->listen);
		return (-1);
	}
	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd != -1 && fd <= STDERR_FILENO);
	main_close_others(o);
	return (0);
}

/*
 * The parent decides when the service ends; a signal to the process group is
 * meant for the parent. When the parent dies, the collector ends, too.
 */
static int
main_tie_to_parent(const struct pp_collector_options *o)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) {
		pp_collector_log("prctl(PR_SET_PDEATHSIG): %s",
		    strerror(errno));
		return (-1);
	}
	if (o->parent != 0 && getppid() != (pid_t)o->parent) {
		pp_collector_log("the parent %ld has ended", o->parent);
		return (-1);
	}
	return (0);
}

static void
main_process(void)
{
	static const int ignored[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP,
		SIGPIPE, SIGPROF, SIGXFSZ };
	struct rlimit files;
	size_t i;

	prctl(PR_SET_NAME, "pprof-collector");
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
	    files.rlim_cur < FILES_WANTED) {
		files.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max
							       : FILES_WANTED;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static void
main_log(const char *line)
{
	pp_collector_log("%s", line);
}

/*
 * If the listener fails, the program goes on: the routes work without the
 * listener.
 */
static void
main_listener(struct pp_collector *c, int listen, const struct pp_allow *allow)
{
	if ((c->listener = pp_listener_open(c, listen, allow)) == NULL) {
		pp_collector_log("the door stays shut: out of memory");
		close(listen);
	}
}

static int
main_start(struct pp_collector *c, const struct pp_collector_options *o)
{
	struct pp_arena *arena;
	struct pp_allow allow;
	char why[512];
	struct pp_files *files;
	int own;

	main_process();
	if (main_descriptors(o) != 0 || main_tie_to_parent(o) != 0)
		return (-1);
	if ((arena = pp_arena_attach(o->arena, o->facts)) == NULL) {
		pp_collector_log("--arena=%d: %s", o->arena,
		    errno == EPROTO ? "not an arena of this build"
				    : strerror(errno));
		return (-1);
	}
	c->arena = arena;
	c->arena_size = arena->size;
	c->socket = o->socket;
	if ((c->epoll = epoll_create1(EPOLL_CLOEXEC)) == -1) {
		pp_collector_log("epoll_create1: %s", strerror(errno));
		return (-1);
	}
	if ((c->symbols = pp_symbols_new()) == NULL ||
	    (files = pp_collector_reach(o->facts)) == NULL) {
		pp_collector_log("out of memory");
		return (-1);
	}
	close(o->facts);
	pp_collector_links(files, o->user, o->root);
	own = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	pp_budget_set(arena->memory_mib << 20, own);
	if (pp_allow_environment(&allow, why, sizeof(why)) == -1) {
		pp_collector_log("%s", why);
		free(files);
		return (-1);
	}
	if (o->listen != -1)
		main_listener(c, o->listen, &allow);
	/* The kernel ends the tie to the parent when the user changes, so it is
	 * made again. */
	if (pp_collector_drop(o->user, o->root) != 0 ||
	    main_tie_to_parent(o) != 0 ||
	    pp_collector_sandbox(c->listener != NULL) != 0) {
		free(files);
		return (-1);
	}
	pp_collector_know(files, c->symbols);
	c->service = pp_service_new(arena, o->arena, c->symbols);
	if (c->service == NULL) {
		pp_collector_log("out of memory");
		return (-1);
	}
	pp_service_log(c->service, main_log);
	if (!allow.settings)
		pp_service_lock_settings(c->service);
	pp_service_own(c->service, own);
	return (0);
}

/* If a worker lives on, its sampling is turned off. */
static void
main_end(struct pp_collector *c)
{
	size_t i;

	pp_listener_close(c->listener);
	for (i = 0; i < PP_REQUESTS_MAX; i++) {
		if (c->pending[i].task != NULL)
			pp_task_cancel(c->pending[i].task);
	}
	pp_service_free(c->service);
	pp_symbols_free(c->symbols);
	if (c->arena != NULL)
		pp_arena_detach(c->arena, c->arena_size);
	if (c->epoll != -1)
		close(c->epoll);
	free(c);
}

int
main(int argc, char **argv)
{
	struct pp_collector_options options;
	struct pp_collector *c;
	int status;

	if (pp_collector_options(argc, argv, &options, &status) != 0)
		return (status);
	if ((c = calloc(1, sizeof(*c))) == NULL) {
		pp_collector_log("out of memory");
		return (1);
	}
	c->epoll = c->spare = -1;
	status =
	    main_start(c, &options) == 0 && pp_collector_run(c) == 0 ? 0 : 1;
	main_end(c);
	return (status);
}
