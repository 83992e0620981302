/*
 * The one loop: packets, clients that hang up, deadlines, and the service's
 * own work between them.
 *
 * Rule: each turn does a bounded piece of work (some packets, one profile at
 * most), so that the rings are drained in time whatever comes in.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "collector/collector.h"
#include "collector/listener.h"

/* The numbers of the shared socket and of the listener. The numbers from 0 on
 * are places of struct pp_pending, and behind these of struct pp_incoming. */
#define LOOP_SOCKET   UINT32_MAX
#define LOOP_LISTENER (UINT32_MAX - 1)

#define LOOP_PACKETS  32 /* in one turn; the kernel queues 10 by default */
#define LOOP_EVENTS   64

/* Frees the place. The caller has taken its content. */
static void
loop_release(struct pp_collector *c, struct pp_pending *pending)
{
	/*
	 * The watch ends explicitly: the worker may hold a copy of the
	 * descriptor, and then closing this one would not end the watch.
	 */
	epoll_ctl(c->epoll, EPOLL_CTL_DEL, pending->fd, NULL);
	pending->task = NULL;
	c->waiting--;
}

static void
loop_hangup(struct pp_collector *c, uint32_t place, uint32_t events)
{
	struct pp_pending *pending = &c->pending[place];
	struct pp_task *task = pending->task;
	struct epoll_event watch = { .events = 0 };

	if (task == NULL)
		return;
	if (pending->client != NULL && !(events & (EPOLLHUP | EPOLLERR)) &&
	    pp_listener_reads(pending->client, pp_task_deadline(task))) {
		watch.data.u32 = place;
		epoll_ctl(c->epoll, EPOLL_CTL_MOD, pending->fd, &watch);
		return;
	}
	loop_release(c, pending);
	if (pending->client != NULL)
		pp_listener_hangup(pending->client);
	else
		close(pending->fd);
	pp_task_cancel(task);
}

/* Answer the request that is due for longest. Returns when the next one is
 * due (INT64_MAX: none waits). */
static int64_t
loop_due(struct pp_collector *c, int64_t now)
{
	struct pp_pending *due = NULL, *pending;
	int64_t first = INT64_MAX, second = INT64_MAX, deadline;
	struct pp_answer answer;
	struct pp_task *task;
	uint32_t i;

	for (i = 0; i < PP_REQUESTS_MAX && c->waiting > 0; i++) {
		pending = &c->pending[i];
		if (pending->task == NULL)
			continue;
		deadline = pp_task_deadline(pending->task);
		if (deadline < first) {
			second = first;
			first = deadline;
			due = pending;
		} else if (deadline < second) {
			second = deadline;
		}
	}
	if (due == NULL || first > now)
		return (first);
	task = due->task;
	loop_release(c, due);
	memset(&answer, 0, sizeof(answer));
	pp_task_finish(task, &answer);
	if (due->client != NULL)
		pp_listener_answer(due->client, &answer);
	else
		pp_collector_reply(due->fd, &answer);
	return (second);
}

static int
loop_timeout(int64_t next)
{
	int64_t ns;

	if (next == INT64_MAX)
		return (-1);
	ns = next - pp_clock_mono();
	if (ns <= 0)
		return (0);
	if (ns > 3600 * PP_NS_PER_SEC)
		ns = 3600 * PP_NS_PER_SEC;
	return ((int)((ns + PP_NS_PER_MS - 1) / PP_NS_PER_MS));
}

/*
 * Returns 0, 1 when the other side has closed, -1 on an error. An empty packet
 * looks like the end, so the end counts only if the kernel reports a hang-up,
 * too.
 */
static int
loop_socket(struct pp_collector *c, uint32_t events)
{
	int i, got = 1;

	for (i = 0; i < LOOP_PACKETS && got > 0; i++)
		got = pp_collector_packet(c);
	if (got == -2)
		return (-1);
	return (got == -1 && (events & (EPOLLRDHUP | EPOLLHUP)) != 0);
}

static int
loop_events(struct pp_collector *c, int timeout)
{
	struct epoll_event event[LOOP_EVENTS];
	int i, count, end = 0;

	count = epoll_wait(c->epoll, event, LOOP_EVENTS, timeout);
	if (count == -1 && errno != EINTR) {
		pp_collector_log("epoll_wait: %s", strerror(errno));
		return (-1);
	}
	for (i = 0; i < count; i++) {
		if (event[i].data.u32 < PP_REQUESTS_MAX)
			loop_hangup(c, event[i].data.u32, event[i].events);
	}
	for (i = 0; i < count; i++) {
		if (event[i].data.u32 >= PP_REQUESTS_MAX &&
		    event[i].data.u32 - PP_REQUESTS_MAX < PP_BODIES_MAX)
			pp_collector_piece(c,
			    event[i].data.u32 - PP_REQUESTS_MAX);
	}
	/* This comes after the hang-ups, so that their places are free. */
	for (i = 0; i < count; i++) {
		if (event[i].data.u32 == LOOP_SOCKET)
			end = loop_socket(c, event[i].events);
	}
	return (end);
}

int
pp_collector_run(struct pp_collector *c)
{
	struct epoll_event watch = { .events = EPOLLIN | EPOLLRDHUP };
	int64_t now, next, due, listener;
	int end;

	watch.data.u32 = LOOP_SOCKET;
	if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->socket, &watch) == -1) {
		pp_collector_log("epoll_ctl: %s", strerror(errno));
		return (-1);
	}
	watch.events = EPOLLIN;
	watch.data.u32 = LOOP_LISTENER;
	if (c->listener != NULL &&
	    epoll_ctl(c->epoll, EPOLL_CTL_ADD, pp_listener_fd(c->listener),
		&watch) == -1) {
		pp_collector_log("epoll_ctl: %s", strerror(errno));
		return (-1);
	}
	do {
		now = pp_clock_mono();
		/*
		 * The listener comes first: pp_service_tick() looks after the
		 * tasks that begin here.
		 */
		pp_listener_run(c->listener, now);
		next = pp_service_tick(c->service, now);
		due = loop_due(c, now);
		if (due < next)
			next = due;
		due = pp_collector_bodies(c, now);
		if (due < next)
			next = due;
		listener = pp_listener_next(c->listener, now);
		end = loop_events(c,
		    loop_timeout(listener < next ? listener : next));
	} while (end == 0);
	return (end == 1 ? 0 : -1);
}
