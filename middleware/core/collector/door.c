/*
 * The own listener: which clients are connected, and for how long. See door.h.
 *
 * libmicrohttpd's own timeout starts anew with each byte; here a time limit
 * counts from the beginning. A client that has to go is shut down at the
 * socket, and the library then finds the end of the connection and closes it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "collector/door_private.h"

#define DOOR_READ_NS (10 * PP_NS_PER_SEC)
#define DOOR_SEND_NS (300 * PP_NS_PER_SEC)

static const int64_t door_allowed[PP_VISIT_STATES] = {
	[PP_VISIT_READS] = DOOR_READ_NS,
	[PP_VISIT_WAITS] = INT64_MAX, /* as long as its profile takes */
	[PP_VISIT_SENDS] = DOOR_SEND_NS,
	[PP_VISIT_ENDS] = INT64_MAX,
};

/* Memory of one connection: the longest request that the routes take, and its
 * headers. */
#define DOOR_MEMORY (size_t)(2 * PP_REQUEST_QUERY_MAX + 16384)

static void
door_end(struct pp_visit *visit)
{
	visit->door->count--;
	(void)shutdown(visit->fd, SHUT_RDWR);
	pp_visit_enter(visit, PP_VISIT_ENDS);
}

/*
 * A client has come and no place is free. Clients that wait for a profile stay.
 */
static void
door_crowded(struct pp_door *door, struct pp_visit *newest)
{
	struct pp_visit *visit;

	visit = TAILQ_FIRST(&door->visits[PP_VISIT_READS]);
	if (visit == newest)
		visit = TAILQ_FIRST(&door->visits[PP_VISIT_SENDS]);
	door_end(visit != NULL ? visit : newest);
}

static void
door_came(struct pp_door *door, struct MHD_Connection *connection, void **own)
{
	const union MHD_ConnectionInfo *info;
	struct pp_visit *visit;

	info = MHD_get_connection_info(connection,
	    MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info == NULL)
		return;
	if ((visit = calloc(1, sizeof(*visit))) == NULL) {
		(void)shutdown(info->connect_fd, SHUT_RDWR);
		return;
	}
	visit->door = door;
	visit->connection = connection;
	visit->fd = info->connect_fd;
	visit->body.limit = PP_REQUEST_BODY_MAX;
	visit->since_ns = pp_clock_mono();
	TAILQ_INSERT_TAIL(&door->visits[PP_VISIT_READS], visit, list);
	*own = visit;
	door->places++;
	if (++door->count > PP_VISITS_MAX)
		door_crowded(door, visit);
}

static void
door_connection(void *arg, struct MHD_Connection *connection, void **own,
    enum MHD_ConnectionNotificationCode what)
{
	struct pp_door *door = arg;
	struct pp_visit *visit = *own;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		door_came(door, connection, own);
	} else if (visit != NULL) {
		*own = NULL;
		TAILQ_REMOVE(&door->visits[visit->state], visit, list);
		pp_visit_waits(visit, PP_WAITS_NOT);
		door->places--;
		if (visit->state != PP_VISIT_ENDS)
			door->count--;
		pp_visit_forget(visit);
		free(visit);
	}
}

/* The library's server, which has no socket of its own to listen. */
static struct MHD_Daemon *
door_daemon(struct pp_door *door)
{
	return (MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
		MHD_ALLOW_SUSPEND_RESUME,
	    0, NULL, NULL, pp_visit_request, door, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned int)PP_DOOR_ROOM, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    DOOR_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned int)(DOOR_SEND_NS / PP_NS_PER_SEC),
	    MHD_OPTION_NOTIFY_CONNECTION, door_connection, door,
	    MHD_OPTION_NOTIFY_COMPLETED, pp_visit_completed, door,
	    MHD_OPTION_URI_LOG_CALLBACK, pp_visit_uri, door, MHD_OPTION_END));
}

/* One descriptor for the library's and the socket. Returns 0, or -1. */
static int
door_watch(struct pp_door *door)
{
	const union MHD_DaemonInfo *info;
	struct epoll_event event = { .events = EPOLLIN };

	info = MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	door->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (info == NULL || door->epoll == -1 ||
	    epoll_ctl(door->epoll, EPOLL_CTL_ADD, info->epoll_fd, &event) == -1)
		return (-1);
	return (pp_door_listen(door));
}

struct pp_door *
pp_door_open(struct pp_collector *c, int listen, const struct pp_allow *allow)
{
	struct pp_door *door;
	int state;

	if ((door = calloc(1, sizeof(*door))) == NULL)
		return (NULL);
	door->c = c;
	door->allow = *allow;
	door->listen = listen;
	door->epoll = -1;
	for (state = 0; state < PP_VISIT_STATES; state++)
		TAILQ_INIT(&door->visits[state]);
	if ((door->daemon = door_daemon(door)) != NULL) {
		if (door_watch(door) == 0)
			return (door);
		MHD_stop_daemon(door->daemon);
	}
	if (door->epoll != -1)
		close(door->epoll);
	free(door);
	return (NULL);
}

void
pp_door_close(struct pp_door *door)
{
	struct pp_visit *visit;

	if (door == NULL)
		return;
	/* The library must not be stopped while connections are suspended. */
	TAILQ_FOREACH(visit, &door->visits[PP_VISIT_WAITS], list)
		pp_door_hangup(visit);
	MHD_run(door->daemon);
	MHD_stop_daemon(door->daemon);
	close(door->epoll);
	close(door->listen);
	free(door);
}

int
pp_door_fd(const struct pp_door *door)
{
	return (door->epoll);
}

/* Close the clients that have been in a state for too long. */
static void
door_expire(struct pp_door *door, enum pp_visit_state state, int64_t now)
{
	struct pp_visit *visit;

	while ((visit = TAILQ_FIRST(&door->visits[state])) != NULL &&
	    now - visit->since_ns >= door_allowed[state])
		door_end(visit);
}

/* When the next one will have been. */
static int64_t
door_due(const struct pp_door *door, enum pp_visit_state state)
{
	const struct pp_visit *visit = TAILQ_FIRST(&door->visits[state]);

	return (
	    visit == NULL ? INT64_MAX : visit->since_ns + door_allowed[state]);
}

int64_t
pp_door_next(const struct pp_door *door, int64_t now)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int64_t next;

	if (door == NULL)
		return (INT64_MAX);
	/* It is not told by the descriptor. */
	if (door->resumed)
		return (now);
	next = door->next;
	if (door->again != 0 && door->again < next)
		next = door->again;
	if (MHD_get_timeout(door->daemon, &ms) == MHD_YES &&
	    now + (int64_t)ms * PP_NS_PER_MS < next)
		next = now + (int64_t)ms * PP_NS_PER_MS;
	return (next);
}

void
pp_door_run(struct pp_door *door, int64_t now)
{
	int64_t reads, sends;

	if (door == NULL)
		return;
	door_expire(door, PP_VISIT_READS, now);
	door_expire(door, PP_VISIT_SENDS, now);
	door->resumed = 0;
	pp_door_accept(door, now);
	MHD_run(door->daemon);
	/* Computed after that, since new clients have a time limit, too. */
	reads = door_due(door, PP_VISIT_READS);
	sends = door_due(door, PP_VISIT_SENDS);
	door->next = reads < sends ? reads : sends;
}
