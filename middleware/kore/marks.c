/*
 * What happens to the server besides its handlers, for the trace: requests
 * that were read and wait for their turn, the accept lock, messages between
 * workers, timers, connections, reloads. Followed by the entries of Kore's
 * functions (entries.c); while nobody traces, each costs one branch. What
 * comes on a connection is looked at on the way (history.h).
 *
 * Rule: the event loop's thread only.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include "base/often.h"
#include "capture/trace.h"
#include "kore/adapter.h"
#include "kore/history.h"

PP_OFTEN_DATA int (*pp_marks_real_header_recv)(struct netbuf *);
int (*pp_marks_real_accept)(struct listener *, struct connection **);
PP_OFTEN_DATA void (*pp_marks_real_timer_run)(uint64_t);
void (*pp_marks_real_reload)(int);
void (*pp_marks_real_msg_send)(uint16_t, uint8_t, const void *, size_t);
int (*pp_marks_real_msg_register)(uint8_t,
    void (*)(struct kore_msg *, const void *));

#define MARK(what, number)                                                     \
	pp_trace(PP_TRACE_MARK, PP_TRACE_MARK_##what, 0, (number))

/*
 * Kore puts a new request at the end of its connection's list: if the end has
 * moved, it is that of a request which was not there. Not those whose body is
 * to come, Kore puts them to sleep where nobody sees it.
 */
static __attribute__((noinline)) int
marks_header_recv(struct netbuf *nb)
{
	struct connection *c = nb->owner;
	struct http_request **end = c->http_requests.tqh_last, *req;
	int result;

	result = pp_marks_real_header_recv(nb);
	if ((req = pp_history_newest(c, end)) == NULL)
		return (result);
	if ((req->flags &
		(HTTP_REQUEST_COMPLETE | HTTP_REQUEST_SLEEPING |
		    HTTP_REQUEST_DELETE)) == HTTP_REQUEST_COMPLETE)
		pp_flight_created(req);
	return (result);
}

PP_OFTEN static int
marks_recv(struct netbuf *nb)
{
	return (pp_trace_active() ? marks_header_recv(nb)
				  : pp_marks_real_header_recv(nb));
}

PP_OFTEN int
pp_marks_header_recv(struct netbuf *nb)
{
	return (pp_history_shut(nb->owner) ? marks_recv(nb)
					   : pp_history_recv(nb, marks_recv));
}

int
pp_marks_accept(struct listener *listener, struct connection **out)
{
	int result;

	result = pp_marks_real_accept(listener, out);
	if (result == KORE_RESULT_OK)
		MARK(CONNECTION, 0);
	return (result);
}

PP_OFTEN void
pp_marks_timer_run(uint64_t now)
{
	if (pp_trace_active() && kore_timer_next_run(now) == 0)
		MARK(TIMER, 0);
	pp_marks_real_timer_run(now);
}

void
pp_marks_reload(int callbacks)
{
	pp_marks_real_reload(callbacks);
	MARK(RELOAD, 0);
}

void
pp_marks_msg_send(uint16_t to, uint8_t id, const void *data, size_t len)
{
	MARK(MESSAGE_SENT, id);
	pp_marks_real_msg_send(to, id, data, len);
}

/* Who asked for messages of that number. */
static void (*receiver[UINT8_MAX + 1])(struct kore_msg *, const void *);

static void
marks_received(struct kore_msg *msg, const void *data)
{
	MARK(MESSAGE_GOT, msg->id);
	receiver[msg->id](msg, data);
}

int
pp_marks_msg_register(uint8_t id, void (*call)(struct kore_msg *, const void *))
{
	int result;

	result = pp_marks_real_msg_register(id, marks_received);
	if (result == KORE_RESULT_OK)
		receiver[id] = call;
	return (result);
}

/* Once a turn, while somebody traces. A change that was made while nobody did
 * is none. */
void
pp_marks_turn(void)
{
	static uint32_t recording;
	static int had;
	int has = worker->has_lock != 0;
	uint32_t on = atomic_load_explicit(&pp_trace_on, memory_order_relaxed);

	if (recording == on && has != had) {
		if (has)
			MARK(ACCEPT_TAKEN, 0);
		else
			MARK(ACCEPT_GIVEN, 0);
	}
	recording = on;
	had = has;
}
