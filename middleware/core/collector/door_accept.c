/*
 * New clients of the listener: taken from the listening socket and given to
 * libmicrohttpd.
 *
 * The library does not accept clients itself: when the kernel refuses, the
 * library says nothing and tries again at once, for ever.
 *
 * Rule: when the kernel refuses, a log line says so, and the next try comes
 * after a pause, which doubles up to ACCEPT_REST_MAX_NS.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "collector/door_private.h"

#define ACCEPT_AT_ONCE	   32 /* in one turn of the loop */
#define ACCEPT_REST_NS	   (10 * PP_NS_PER_MS)
#define ACCEPT_REST_MAX_NS (10 * PP_NS_PER_SEC)

/* Returns 0, or -1. */
static int
accept_watch(struct pp_door *door, int how)
{
	struct epoll_event event = { .events = EPOLLIN };

	return (epoll_ctl(door->epoll, how, door->listen, &event));
}

/*
 * No client is accepted until `door->again`. The socket is not watched
 * meanwhile, since it would be readable all that time.
 */
static void
accept_rest(struct pp_door *door, int64_t now)
{
	door->rest = door->rest == 0 ? ACCEPT_REST_NS : 2 * door->rest;
	if (door->rest > ACCEPT_REST_MAX_NS)
		door->rest = ACCEPT_REST_MAX_NS;
	door->again = now + door->rest;
	(void)accept_watch(door, EPOLL_CTL_DEL);
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
accept_readable(struct pp_door *door, int fd)
{
	char byte;

	if (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != -1 ||
	    (errno != EPERM && errno != ENOSYS))
		return (0);
	pp_collector_tell(&door->unread,
	    "recvfrom is refused: the door reads no requests");
	return (-1);
}

/* Returns 1 when a client was taken or has gone again, 0 when there is none,
 * -1 when the kernel refuses. */
static int
accept_one(struct pp_door *door)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char line[128];
	int fd;

	fd = accept4(door->listen, (struct sockaddr *)&from, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return (0);
		if (accept_passes(errno))
			return (1);
		(void)snprintf(line, sizeof(line),
		    "accept4: %s: the door takes no clients for now",
		    strerror(errno));
		if (door->rest == 0)
			pp_collector_tell(&door->refused, line);
		return (-1);
	}
	door->rest = 0;
	if (accept_readable(door, fd) == -1)
		(void)close(fd);
	else /* which closes it when it cannot serve it */
		(void)MHD_add_connection(door->daemon, fd,
		    (struct sockaddr *)&from, len);
	return (1);
}

int
pp_door_listen(struct pp_door *door)
{
	int flags = fcntl(door->listen, F_GETFL);

	if (flags == -1 ||
	    fcntl(door->listen, F_SETFL, flags | O_NONBLOCK) == -1)
		return (-1);
	return (accept_watch(door, EPOLL_CTL_ADD));
}

void
pp_door_accept(struct pp_door *door, int64_t now)
{
	int i, got = 1;

	if (door->again != 0) {
		if (now < door->again)
			return;
		door->again = 0;
		if (accept_watch(door, EPOLL_CTL_ADD) == -1)
			got = -1;
	}
	for (i = 0; i < ACCEPT_AT_ONCE && got == 1; i++) {
		/* Clients that were closed are removed in MHD_run(). */
		if (door->places >= PP_DOOR_ROOM)
			break;
		got = accept_one(door);
	}
	if (got == -1)
		accept_rest(door, now);
}
