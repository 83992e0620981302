/*
 * New clients of the listener: they are taken from the listening socket and
 * given to libmicrohttpd.
 *
 * The library does not accept clients itself: if the kernel refuses, the
 * library says nothing and tries again at once, for ever.
 *
 * Rule: if the kernel refuses, a log line says so, and the next try comes after
 * a pause, which doubles up to ACCEPT_PAUSE_MAX_NS.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "collector/listener_private.h"

#define ACCEPT_AT_ONCE	    32 /* in one turn of the loop */
#define ACCEPT_PAUSE_NS	    (10 * PP_NS_PER_MS)
#define ACCEPT_PAUSE_MAX_NS (10 * PP_NS_PER_SEC)

/* Adds the listening socket to what is watched, or takes it out. Returns 0, or
 * -1. */
static int
accept_watch(struct pp_listener *listener, int how)
{
	struct epoll_event event = { .events = EPOLLIN };

	return (epoll_ctl(listener->epoll, how, listener->listen, &event));
}

/*
 * No client is accepted until `listener->again`. The socket is not watched
 * meanwhile, since it would be readable all that time.
 */
static void
accept_pause(struct pp_listener *listener, int64_t now)
{
	listener->pause =
	    listener->pause == 0 ? ACCEPT_PAUSE_NS : 2 * listener->pause;
	if (listener->pause > ACCEPT_PAUSE_MAX_NS)
		listener->pause = ACCEPT_PAUSE_MAX_NS;
	listener->again = now + listener->pause;
	(void)accept_watch(listener, EPOLL_CTL_DEL);
}

/* Whether the error concerns only the client that has just gone again. */
static int
accept_passes(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
		return (1);
	default:
		return (0);
	}
}

/* The library ends a connection that it cannot read from as if the client had
 * gone. Returns 0, or -1 after a log line. */
static int
accept_readable(struct pp_listener *listener, int fd)
{
	char byte;

	if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != -1 ||
	    (errno != EPERM && errno != ENOSYS))
		return (0);
	pp_collector_report(&listener->unread,
	    "recvfrom is refused: the door reads no requests");
	return (-1);
}

/* Returns 1 when a client was taken or has gone again, 0 when there is none,
 * -1 when the kernel refuses. */
static int
accept_one(struct pp_listener *listener)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char line[128];
	int fd;

	fd = accept4(listener->listen, (struct sockaddr *)&from, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return (0);
		if (accept_passes(errno))
			return (1);
		(void)snprintf(line, sizeof(line),
		    "accept4: %s: the door takes no clients for now",
		    strerror(errno));
		if (listener->pause == 0)
			pp_collector_report(&listener->refused, line);
		return (-1);
	}
	listener->pause = 0;
	if (accept_readable(listener, fd) == -1)
		(void)close(fd);
	else /* the library closes a client that it cannot serve */
		(void)MHD_add_connection(listener->daemon, fd,
		    (struct sockaddr *)&from, len);
	return (1);
}

int
pp_listener_watch(struct pp_listener *listener)
{
	int flags = fcntl(listener->listen, F_GETFL);

	if (flags == -1 ||
	    fcntl(listener->listen, F_SETFL, flags | O_NONBLOCK) == -1)
		return (-1);
	return (accept_watch(listener, EPOLL_CTL_ADD));
}

void
pp_listener_accept(struct pp_listener *listener, int64_t now)
{
	int i, got = 1;

	if (listener->again != 0) {
		if (now < listener->again)
			return;
		listener->again = 0;
		if (accept_watch(listener, EPOLL_CTL_ADD) == -1)
			got = -1;
	}
	for (i = 0; i < ACCEPT_AT_ONCE && got == 1; i++) {
		/* Clients that were closed are removed in MHD_run(). */
		if (listener->clients_held >= PP_LISTENER_ROOM)
			break;
		got = accept_one(listener);
	}
	if (got == -1)
		accept_pause(listener, now);
}
