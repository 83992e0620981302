/*
 * Requests are seen here as Kore reads them, before their turn comes. A request
 * with a body is in flight from here on, and a request for the profiler does
 * not wait in Kore's queue. Kore takes the newest request of the queue first
 * and stops after http_request_ms of work, so beside slow handlers some
 * requests wait for as long as the load lasts.
 *
 *     read ──► asleep, listed ──► pp_arrive_run(): awake, and Kore's own
 *                  │              http_process_request() out of turn
 *                  └─ connection gone: flagged by Kore, which frees it
 *
 * This is no second way to serve a request: authentication, access log and
 * flush are Kore's. Where Kore's functions cannot be patched, nothing comes
 * here, and requests wait for their turn.
 *
 * Rule: the event loop's thread only. A handler may be running when a request
 * is read (to answer one request reads the next), so no request is processed
 * then. A listed request is asleep and out of Kore's queue. It cannot be freed
 * before the next run, which comes ahead of all that frees requests.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <sys/socket.h>

#include <string.h>

#include "base/hot_path.h"
#include "capture/trace.h"
#include "kore/abi.h"
#include "kore/adapter.h"
#include "kore/routes/history.h"
#define PPROF_NO_SHIM
#include "pprof.h"

/* How many requests are listed and how many connections accepted in one turn of
 * the loop. Any more wait as they would without the profiler. */
#define EARLY_MAX   64
#define ACCEPTS_MAX 64

/* How many bytes of a new connection are looked at: a method, and the beginning
 * of a path. */
#define PEEK_BYTES 272

static struct http_request *early[EARLY_MAX];
PP_HOT_PATH_DATA static uint32_t earlies;

/* Kore's function that takes a piece of a body. */
static int (*body_recv)(struct netbuf *);

static struct connection *accepted[ACCEPTS_MAX];
PP_HOT_PATH_DATA static uint32_t accepts;

static int
arrive_complete(const struct http_request *req)
{
	return ((req->flags &
		    (HTTP_REQUEST_COMPLETE | HTTP_REQUEST_SLEEPING |
			HTTP_REQUEST_DELETE)) == HTTP_REQUEST_COMPLETE);
}

static int
arrive_ours(const struct http_request *req)
{
	return (pp_abi_handler(req) == (const void *)pprof_handler &&
	    (pp_kore.entry_refused & PP_ENTRIES_INFLIGHT) == 0 &&
	    earlies < EARLY_MAX);
}

/* The request is put to sleep by the function behind the hook, since it waits
 * for nothing that should be shown. */
static void
arrive_list(struct http_request *req)
{
	(void)pp_inflight_created(req);
	pp_inflight_real_sleep(req);
	early[earlies++] = req;
}

static int arrive_body(struct netbuf *nb);

/* Kore calls a function for each piece of a body, and does not export it; so
 * the netbuf's pointer is replaced. If the end of a request cannot be followed,
 * this is not done. */
static void
arrive_receives(struct http_request *req)
{
	struct netbuf *nb = req->owner->rnb;

	if ((req->flags & (HTTP_REQUEST_EXPECT_BODY | HTTP_REQUEST_DELETE)) !=
		HTTP_REQUEST_EXPECT_BODY ||
	    nb->extra != req || nb->cb == arrive_body ||
	    (pp_kore.entry_refused & PP_ENTRIES_INFLIGHT) != 0)
		return;
	body_recv = nb->cb;
	nb->cb = arrive_body;
	pp_inflight_receives(req);
}

/* A request has been read. It is complete, or its body is still to come. */
PP_HOT_PATH static void
arrive_read(struct http_request *req)
{
	if (!arrive_complete(req)) {
		arrive_receives(req);
		return;
	}
	if (arrive_ours(req))
		arrive_list(req);
	else if (pp_trace_active())
		(void)pp_inflight_created(req);
}

static int
arrive_body(struct netbuf *nb)
{
	struct http_request *req = nb->extra;
	int result = body_recv(nb), done;

	done = req == NULL || (req->flags & HTTP_REQUEST_EXPECT_BODY) == 0;
	/* Kore has set its own function again, or has left ours. */
	if (nb->cb == body_recv || nb->cb == arrive_body)
		nb->cb = done ? body_recv : arrive_body;
	if (req == NULL)
		return (result);
	pp_inflight_received(req);
	if (done)
		arrive_read(req);
	return (result);
}

PP_HOT_PATH static int
arrive_recv(struct netbuf *nb)
{
	struct connection *c = nb->owner;
	struct http_request **end = c->http_requests.tqh_last, *req;
	int result;

	result = pp_history_real_header_recv(nb);
	if (pp_self.worker != 0 && (req = pp_history_newest(c, end)) != NULL)
		arrive_read(req);
	return (result);
}

PP_HOT_PATH int
pp_arrive_header_recv(struct netbuf *nb)
{
	return (pp_history_shut(nb->owner) ? arrive_recv(nb)
					   : pp_history_recv(nb, arrive_recv));
}

void
pp_arrive_accepted(struct connection *c)
{
	if (accepts < ACCEPTS_MAX && pp_self.worker != 0)
		accepted[accepts++] = c;
}

/* The connection is looked at without waiting for its event, which would come
 * only after another handler. */
static void
arrive_peek(struct connection *c)
{
	char text[PEEK_BYTES];
	const char *path;
	ssize_t got;

	if (c->state != CONN_STATE_ESTABLISHED || c->proto != CONN_PROTO_HTTP)
		return;
	got = recv(c->fd, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT);
	if (got <= 0 || (path = memchr(text, ' ', (size_t)got)) == NULL)
		return;
	path++;
	if (!pp_kore_routes_may_mean(c, path, (size_t)(text + got - path)))
		return;
	c->evt.flags |= KORE_EVENT_READ;
	c->evt.handle(c, 0);
}

int
pp_arrive_waiting(void)
{
	return (earlies != 0);
}

void
pp_arrive_run(void)
{
	struct http_request *req;
	uint32_t i;

	/* If no request is in flight, no handler will run in this turn. */
	for (i = 0; i < accepts && http_request_count > 0; i++)
		arrive_peek(accepted[i]);
	accepts = 0;
	/* A request that is answered at once may let Kore read the next one of
	 * its connection, which is then added to the list. */
	for (i = 0; i < earlies; i++) {
		req = early[i];
		if ((req->flags & HTTP_REQUEST_DELETE) != 0)
			continue;
		pp_inflight_real_wakeup(req);
		pp_forward_process(req);
	}
	earlies = 0;
}
