/*
 * The collector's own listener: which clients are connected, and for how long.
 * See listener.h.
 *
 * libmicrohttpd's own timeout starts anew with each byte; here a time limit
 * counts from the beginning. If a client has to go, its socket is shut down;
 * the library then finds the end of the connection and closes it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "collector/listener_private.h"

#define LISTENER_READ_NS (10 * PP_NS_PER_SEC)
#define LISTENER_SEND_NS (300 * PP_NS_PER_SEC)

static const int64_t listener_allowed[PP_CLIENT_STATES] = {
	[PP_CLIENT_READS] = LISTENER_READ_NS,
	[PP_CLIENT_WAITS] = INT64_MAX, /* as long as its profile takes */
	[PP_CLIENT_SENDS] = LISTENER_SEND_NS,
	[PP_CLIENT_ENDS] = INT64_MAX,
};

/* Memory of one connection: room for the longest request that the routes take,
 * and for its headers. */
#define LISTENER_MEMORY (size_t)(2 * PP_REQUEST_QUERY_MAX + 16384)

static void
listener_end(struct pp_client *client)
{
	client->listener->count--;
	(void)shutdown(client->fd, SHUT_RDWR);
	pp_client_enter(client, PP_CLIENT_ENDS);
}

/*
 * A client has come and no place is free: the slowest client goes. Clients that
 * wait for a profile stay.
 */
static void
listener_crowded(struct pp_listener *listener, struct pp_client *newest)
{
	struct pp_client *client;

	client = TAILQ_FIRST(&listener->clients[PP_CLIENT_READS]);
	if (client == newest)
		client = TAILQ_FIRST(&listener->clients[PP_CLIENT_SENDS]);
	listener_end(client != NULL ? client : newest);
}

static void
listener_came(struct pp_listener *listener, struct MHD_Connection *connection,
    void **own)
{
	const union MHD_ConnectionInfo *info;
	struct pp_client *client;

	info = MHD_get_connection_info(connection,
	    MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info == NULL)
		return;
	if ((client = calloc(1, sizeof(*client))) == NULL) {
		(void)shutdown(info->connect_fd, SHUT_RDWR);
		return;
	}
	client->listener = listener;
	client->connection = connection;
	client->fd = info->connect_fd;
	client->body.limit = PP_REQUEST_BODY_MAX;
	client->since_ns = pp_clock_mono();
	TAILQ_INSERT_TAIL(&listener->clients[PP_CLIENT_READS], client, list);
	*own = client;
	listener->clients_held++;
	if (++listener->count > PP_CLIENTS_MAX)
		listener_crowded(listener, client);
}

static void
listener_connection(void *arg, struct MHD_Connection *connection, void **own,
    enum MHD_ConnectionNotificationCode what)
{
	struct pp_listener *listener = arg;
	struct pp_client *client = *own;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		listener_came(listener, connection, own);
	} else if (client != NULL) {
		*own = NULL;
		TAILQ_REMOVE(&listener->clients[client->state], client, list);
		pp_client_waits(client, PP_WAITS_NOT);
		listener->clients_held--;
		if (client->state != PP_CLIENT_ENDS)
			listener->count--;
		pp_client_forget(client);
		free(client);
	}
}

/* Starts the library's server, which gets no socket to listen on. */
static struct MHD_Daemon *
listener_daemon(struct pp_listener *listener)
{
	return (MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
		MHD_ALLOW_SUSPEND_RESUME,
	    0, NULL, NULL, pp_client_request, listener,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned int)PP_LISTENER_ROOM,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, LISTENER_MEMORY,
	    MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned int)(LISTENER_SEND_NS / PP_NS_PER_SEC),
	    MHD_OPTION_NOTIFY_CONNECTION, listener_connection, listener,
	    MHD_OPTION_NOTIFY_COMPLETED, pp_client_completed, listener,
	    MHD_OPTION_URI_LOG_CALLBACK, pp_client_uri, listener,
	    MHD_OPTION_END));
}

/* Makes one descriptor for the library's descriptor and the socket. Returns 0,
 * or -1. */
static int
listener_watch(struct pp_listener *listener)
{
	const union MHD_DaemonInfo *info;
	struct epoll_event event = { .events = EPOLLIN };

	info = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	listener->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (info == NULL || listener->epoll == -1 ||
	    epoll_ctl(listener->epoll, EPOLL_CTL_ADD, info->epoll_fd, &event) ==
		-1)
		return (-1);
	return (pp_listener_watch(listener));
}

struct pp_listener *
pp_listener_open(struct pp_collector *c, int listen,
    const struct pp_allow *allow)
{
	struct pp_listener *listener;
	int state;

	if ((listener = calloc(1, sizeof(*listener))) == NULL)
		return (NULL);
	listener->c = c;
	listener->allow = *allow;
	listener->listen = listen;
	listener->epoll = -1;
	for (state = 0; state < PP_CLIENT_STATES; state++)
		TAILQ_INIT(&listener->clients[state]);
	if ((listener->daemon = listener_daemon(listener)) != NULL) {
		if (listener_watch(listener) == 0)
			return (listener);
		MHD_stop_daemon(listener->daemon);
	}
	if (listener->epoll != -1)
		close(listener->epoll);
	free(listener);
	return (NULL);
}

void
pp_listener_close(struct pp_listener *listener)
{
	struct pp_client *client;

	if (listener == NULL)
		return;
	/* The library must not be stopped while connections are suspended. */
	TAILQ_FOREACH(client, &listener->clients[PP_CLIENT_WAITS], list)
		pp_listener_hangup(client);
	MHD_run(listener->daemon);
	MHD_stop_daemon(listener->daemon);
	close(listener->epoll);
	close(listener->listen);
	free(listener);
}

int
pp_listener_fd(const struct pp_listener *listener)
{
	return (listener->epoll);
}

/* Close the clients that have been in a state for too long. */
static void
listener_expire(struct pp_listener *listener, enum pp_client_state state,
    int64_t now)
{
	struct pp_client *client;

	while ((client = TAILQ_FIRST(&listener->clients[state])) != NULL &&
	    now - client->since_ns >= listener_allowed[state])
		listener_end(client);
}

/* Returns when the next client will have been in the state for too long. */
static int64_t
listener_due(const struct pp_listener *listener, enum pp_client_state state)
{
	const struct pp_client *client = TAILQ_FIRST(&listener->clients[state]);

	return (client == NULL ? INT64_MAX
			       : client->since_ns + listener_allowed[state]);
}

int64_t
pp_listener_next(const struct pp_listener *listener, int64_t now)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int64_t next;

	if (listener == NULL)
		return (INT64_MAX);
	/* The descriptor does not become readable for a client that was
	 * resumed. */
	if (listener->resumed)
		return (now);
	next = listener->next;
	if (listener->again != 0 && listener->again < next)
		next = listener->again;
	if (MHD_get_timeout(listener->daemon, &ms) == MHD_YES &&
	    now + (int64_t)ms * PP_NS_PER_MS < next)
		next = now + (int64_t)ms * PP_NS_PER_MS;
	return (next);
}

void
pp_listener_run(struct pp_listener *listener, int64_t now)
{
	int64_t reads, sends;

	if (listener == NULL)
		return;
	listener_expire(listener, PP_CLIENT_READS, now);
	listener_expire(listener, PP_CLIENT_SENDS, now);
	listener->resumed = 0;
	pp_listener_accept(listener, now);
	MHD_run(listener->daemon);
	/* This comes after MHD_run(), since new clients have a time limit, too.
	 */
	reads = listener_due(listener, PP_CLIENT_READS);
	sends = listener_due(listener, PP_CLIENT_SENDS);
	listener->next = reads < sends ? reads : sends;
}
