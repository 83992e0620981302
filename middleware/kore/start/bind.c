/*
 * The socket of the collector's own listener (PPROF_LISTEN). The parent opens
 * the socket once: it has the rights to bind, and a collector that is started
 * again gets the same socket. The collector serves it.
 *
 * Rule: if the socket cannot be opened, one line in the log says so, and the
 * service and its routes go on without it.
 */
#include <kore/kore.h>

#include <sys/stat.h>

#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/listen.h"
#include "kore/adapter.h"

/* How many clients can wait while the collector is started again. */
#define BACKLOG 64

static struct pp_listen listen_at;
static int bound; /* 1: we have made the unix socket's name */

/* Returns 1 if nobody serves the socket of that name: a connection is refused.
 * The name is still in the way of bind(). */
static int
bind_is_stale(void)
{
	struct stat st;
	int fd, failed;

	if (lstat(listen_at.address.un.sun_path, &st) == -1 ||
	    !S_ISSOCK(st.st_mode))
		return (0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return (0);
	failed = connect(fd, &listen_at.address.any, listen_at.len) == -1 &&
	    errno == ECONNREFUSED;
	(void)close(fd);
	return (failed);
}

/* The sockets of clients inherit these options. If a client has gone while it
 * waited, the kernel finds out within half a minute, also if nothing may be
 * sent to the client before its answer. */
static void
bind_probe(int fd)
{
	static const struct {
		int level, name, value;
	} option[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 10 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 5 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },
	};
	size_t i;

	for (i = 0; i < sizeof(option) / sizeof(option[0]); i++)
		(void)setsockopt(fd, option[i].level, option[i].name,
		    &option[i].value, sizeof(option[i].value));
}

/* Returns 0, or -1 with errno. */
static int
bind_socket(int fd)
{
	const char *path = listen_at.address.un.sun_path;
	int on = 1, failed, saved;
	mode_t mask;

	if (listen_at.address.any.sa_family != AF_UNIX) {
		bind_probe(fd);
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (listen_at.address.any.sa_family == AF_INET6)
			(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
			    sizeof(on));
		return (bind(fd, &listen_at.address.any, listen_at.len));
	}
	/* The name must never be open to others, not even between two calls. */
	mask = umask(0177);
	failed = bind(fd, &listen_at.address.any, listen_at.len);
	if (failed == -1 && errno == EADDRINUSE && bind_is_stale() &&
	    unlink(path) == 0)
		failed = bind(fd, &listen_at.address.any, listen_at.len);
	saved = errno;
	(void)umask(mask);
	bound = failed == 0;
	errno = saved;
	return (failed);
}

void
pp_bind_listener(void)
{
	const char *text = getenv("PPROF_LISTEN"), *rule;
	char why[512];
	int fd;

	if (text == NULL || text[0] == '\0')
		return;
	if (pp_listen_parse(&listen_at, text, why, sizeof(why)) == -1) {
		pp_kore_log("%s: the door stays shut", why);
		return;
	}
	rule = getenv("PPROF_ALLOW");
	if (!listen_at.local && (rule == NULL || rule[0] == '\0')) {
		pp_kore_log("PPROF_LISTEN: \"%s\" can be reached from other "
			    "machines; without PPROF_ALLOW, which says who "
			    "may, the door stays shut",
		    text);
		return;
	}
	fd = socket(listen_at.address.any.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 || bind_socket(fd) == -1 || listen(fd, BACKLOG) == -1) {
		pp_kore_log("PPROF_LISTEN: \"%s\": %s: the door stays shut",
		    text, errno_s);
		if (fd != -1)
			(void)close(fd);
		return;
	}
	pp_kore.listen_fd = fd;
}

void
pp_bind_close(void)
{
	if (pp_kore.listen_fd == -1)
		return;
	(void)close(pp_kore.listen_fd);
	pp_kore.listen_fd = -1;
	if (bound)
		(void)unlink(listen_at.address.un.sun_path);
	bound = 0;
}

/* This runs at the parent's end. Its children run it, too, and do nothing. */
__attribute__((destructor)) static void
bind_destructor(void)
{
	if (worker == NULL && pp_kore.parent == getpid())
		pp_bind_close();
}
