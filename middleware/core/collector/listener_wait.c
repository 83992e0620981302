/*
 * A client of the listener that waits: for the end of its profile, or for the
 * workers' answers. This file says how many clients may wait, what happens to a
 * client that has stopped sending, and how a wait ends.
 *
 * Rule: places are kept free for clients that are answered sooner
 * (base/limits.h); a client that finds no place gets an answer that says so.
 */
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "collector/listener_private.h"
#include "service/http/answer.h"

static const struct {
	int64_t longer_ns;
	uint32_t most;
} wait_most[PP_PATIENCES] = {
	[PP_WAITS_A_MOMENT] = { 0, PP_CLIENTS_WAIT_MAX },
	[PP_WAITS_A_WHILE] = { PP_CLIENT_WHILE_NS, PP_CLIENTS_WHILE_MAX },
	[PP_WAITS_LONG] = { PP_CLIENT_LONG_NS, PP_CLIENTS_LONG_MAX },
};
_Static_assert(PP_CLIENTS_LONG_MAX < PP_CLIENTS_WHILE_MAX &&
	PP_CLIENTS_WHILE_MAX < PP_CLIENTS_WAIT_MAX &&
	PP_CLIENTS_WAIT_MAX < PP_CLIENTS_MAX - 1,
    "places that are kept free");

/*
 * A client that still reads and a client that has gone answer this differently.
 * Any number of these may come before an answer.
 */
static const char wait_probe[] = "HTTP/1.1 100 Continue\r\n\r\n";

/*
 * Within this time a client that has stopped sending is told apart from a
 * client that has gone, or is answered.
 */
#define WAIT_READY_NS PP_NS_PER_SEC

/*
 * The class of an answer that is due at `deadline`. *full is the class that has
 * no place left; PP_WAITS_NOT: there is room for one more.
 */
static enum pp_patience
wait_patience(const struct pp_listener *listener, int64_t deadline,
    enum pp_patience *full)
{
	int64_t left = deadline - pp_clock_mono();
	enum pp_patience patience = PP_WAITS_LONG, each;

	while (patience > PP_WAITS_A_MOMENT &&
	    left <= wait_most[patience].longer_ns)
		patience--;
	*full = PP_WAITS_NOT;
	for (each = PP_WAITS_A_MOMENT; each <= patience; each++) {
		if (listener->waiting[each] >= wait_most[each].most)
			*full = each;
	}
	return (patience);
}

/*
 * Which events to watch for besides the client's end: a client may stop sending
 * and still read. On a unix socket hanging up is an event of its own.
 */
static uint32_t
wait_watched(const struct pp_client *client)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(client->connection,
	    MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	return (info != NULL && info->client_addr != NULL &&
		    (info->client_addr->sa_family == AF_INET ||
			info->client_addr->sa_family == AF_INET6)
		? EPOLLRDHUP
		: 0);
}

int
pp_client_wait(struct pp_client *client, struct pp_task *task)
{
	struct pp_listener *listener = client->listener;
	enum pp_patience patience, full;

	patience = wait_patience(listener, pp_task_deadline(task), &full);
	if (full != PP_WAITS_NOT)
		pp_answer_error(&client->answer, 503,
		    "%u clients wait here for what takes more than %g seconds, "
		    "which is the most at once; ask for fewer seconds, later, "
		    "or at the service's own routes",
		    wait_most[full].most,
		    (double)wait_most[full].longer_ns / PP_NS_PER_SEC);
	else if (pp_collector_keep(listener->c, task, client, client->fd,
		     wait_watched(client)) != 0)
		pp_collector_full(&client->answer);
	if (client->answer.status != 0) {
		pp_task_cancel(task);
		return (-1);
	}
	pp_client_enter(client, PP_CLIENT_WAITS);
	pp_client_waits(client, patience);
	MHD_suspend_connection(client->connection);
	return (0);
}

/*
 * With TCP, a client that has gone looks like one that has only stopped
 * sending, until something is sent to it: then its kernel says that nobody
 * reads. If nothing may be sent to a client before its answer, the kernel's own
 * probes (kore/start/bind.c) find half a minute later that the client has gone.
 */
int
pp_listener_reads(const struct pp_client *client, int64_t deadline)
{
	if (!client->interim || deadline - pp_clock_mono() <= WAIT_READY_NS)
		return (1);
	return (send(client->fd, wait_probe, sizeof(wait_probe) - 1,
		    MSG_DONTWAIT | MSG_NOSIGNAL) != -1);
}

void
pp_listener_answer(struct pp_client *client, struct pp_answer *answer)
{
	client->answer = *answer;
	memset(answer, 0, sizeof(*answer));
	client->listener->resumed = 1;
	MHD_resume_connection(client->connection);
}

void
pp_listener_hangup(struct pp_client *client)
{
	client->gone = 1;
	client->listener->resumed = 1;
	MHD_resume_connection(client->connection);
}
