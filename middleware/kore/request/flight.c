/*
 * Requests in flight: which ones run, which ones sleep, since when and where.
 * The endpoint goroutine shows them, and block counts the time that they slept.
 * Tasks are in flight_task.c; flight_reason.c finds what a request sleeps for.
 *
 * The request whose handler runs has entry 0 of the slot's table, which is
 * written anew for each request: most requests never sleep, and cost no more
 * than that. A request that goes to sleep gets an entry of its own until it
 * ends.
 *
 * Rule: requests belong to the event loop's thread, so there is no lock.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include "base/clock.h"
#include "base/often.h"
#include "capture/label.h"
#include "capture/routes.h"
#include "capture/trace.h"
#include "capture/trace_user.h"
#include "capture/wait.h"
#include "kore/adapter.h"
#include "kore/request/flight_table.h"

/* The request whose handler runs, its entry and label set, and since when. */
PP_OFTEN_DATA static const struct http_request *running;
PP_OFTEN_DATA static uint32_t running_entry, running_label;
PP_OFTEN_DATA static int64_t running_since;
PP_OFTEN_DATA static int running_timer; /* 1: it has set a timer */

/* Entries of requests whose handler was not called yet. */
static uint8_t uncalled[PP_FLIGHTS_MAX];

void
pp_flight_start(void)
{
	struct pp_flights *table = pp_flight_table();
	uint32_t used = atomic_load(&table->used), i;

	for (i = 0; i < used && i < PP_FLIGHTS_MAX; i++)
		atomic_store(&table->flight[i].id, 0);
	atomic_store(&table->used, 1);
	atomic_store(&table->running, 0);
	pp_routes_start();
}

/* Kore counts content_length down, to the bytes that are still to come. */
PP_OFTEN uint32_t
pp_flight_in(const struct http_request *req)
{
	size_t left = (req->flags & HTTP_REQUEST_EXPECT_BODY) != 0
	    ? req->content_length
	    : 0;

	return ((uint32_t)(req->http_body_length - left));
}

PP_OFTEN static void
flight_begin(struct pp_flight *flight, const struct http_request *req,
    uint32_t label)
{
	atomic_store_explicit(&flight->id, 0, memory_order_relaxed);
	/* The old id is gone before the new fields come: a reader looks at the
	 * id last. */
	atomic_thread_fence(memory_order_release);
	pp_flight_path(flight, req->path);
	atomic_store_explicit(&flight->bytes_in, pp_flight_in(req),
	    memory_order_relaxed);
	atomic_store_explicit(&flight->bytes_out, 0, memory_order_relaxed);
	atomic_store_explicit(&flight->started_ns, running_since,
	    memory_order_relaxed);
	atomic_store_explicit(&flight->label, label, memory_order_relaxed);
	pp_flight_set(flight, PP_WAIT_NONE, 0, running_since);
	atomic_store_explicit(&flight->id, pp_flight_request_id(),
	    memory_order_release);
	pp_routes_begin(label);
}

static void
flight_trace(enum pp_trace_kind kind, uint32_t n, uint32_t label, int64_t now)
{
	uint64_t record[] = { 0, (uint64_t)now, pp_flight_now };

	(void)pp_trace_write_at(kind, n, label, record, 3);
}

/* A request that has never slept has entry 0 while its handler runs. */
PP_OFTEN void
pp_flight_run(const struct http_request *req, uint32_t label)
{
	struct pp_flights *table = pp_flight_table();
	struct pp_flight *flight;

	running = req;
	running_timer = 0;
	running_label = label;
	running_since = pp_clock_mono();
	running_entry = pp_flight_find(req, 0);
	flight = &table->flight[running_entry];
	if (running_entry == 0) {
		flight_begin(flight, req, label);
	} else {
		atomic_store_explicit(&flight->label, label,
		    memory_order_relaxed);
		/* A request's time begins with its handler's first call. */
		if (uncalled[running_entry])
			atomic_store_explicit(&flight->started_ns,
			    running_since, memory_order_relaxed);
		uncalled[running_entry] = 0;
		pp_flight_set(flight, PP_WAIT_NONE, 0, running_since);
	}
	pp_flight_now = atomic_load_explicit(&flight->id, memory_order_relaxed);
	pp_flight_request = pp_flight_now;
	atomic_store_explicit(&table->running, pp_flight_now,
	    memory_order_release);
	if (pp_trace_active())
		flight_trace(PP_TRACE_RUN, 0, label, running_since);
}

static uint32_t flight_own(const struct http_request *req);

PP_OFTEN void
pp_flight_ran(const struct http_request *req, int ended)
{
	struct pp_flights *table = pp_flight_table();
	int forgotten;
	int64_t now;

	/* If the handler will be called again, the request keeps its id in an
	 * entry of its own. If there is no entry free, the request begins anew
	 * then, under another id. */
	forgotten = !ended && running_entry == 0 && flight_own(req) == 0;
	if (forgotten)
		pp_routes_abandon(running_label);
	/* This comes before the time is read, since it writes records that are
	 * earlier than RAN. */
	if (pp_trace_active())
		pp_trace_user_returned();
	now = pp_routes_ran(running_label, running_since, ended,
	    atomic_load_explicit(&table->flight[running_entry].started_ns,
		memory_order_relaxed));
	if (pp_trace_active()) {
		if (forgotten)
			pp_slot_lose(pp_self.slot, PP_LOSS_TRACE_DROPPED, 1);
		flight_trace(PP_TRACE_RAN, ended || forgotten, 0, now);
	}
	pp_flight_now = pp_flight_request = 0;
	atomic_store_explicit(&table->running, 0, memory_order_relaxed);
	atomic_store_explicit(&table->flight[0].id, 0, memory_order_release);
	if (ended && running_entry != 0)
		pp_flight_release_entry(pp_flight_find(req, 1));
	running = NULL;
	running_entry = 0;
	if (pp_trace_active())
		pp_trace_begin_loop();
}

/* The request is known from now on. Returns that time. */
static int64_t
flight_create(uint32_t label, uint64_t id)
{
	uint64_t record[] = { 0, 0, id };

	if (pp_trace_active() &&
	    pp_trace_write(PP_TRACE_CREATE, 0, label, record, 3) == 0)
		return ((int64_t)record[1]);
	return (pp_clock_mono());
}

/* Fills an entry, which nobody reads before its id is stored. */
static void
flight_fill(struct pp_flight *flight, const struct http_request *req)
{
	struct pp_flight *now = &pp_flight_table()->flight[0];
	uint32_t label = pp_route_label(req);
	uint64_t id, out = 0;
	int64_t started;

	/* A request that is not the running one begins now. */
	if (req == running) {
		id = pp_flight_now;
		started = atomic_load(&now->started_ns);
		out = atomic_load(&now->bytes_out);
		atomic_store(&now->id, 0);
	} else {
		id = pp_flight_request_id();
		started = flight_create(label, id);
		pp_routes_begin(label);
	}
	atomic_store_explicit(&flight->task, 0, memory_order_relaxed);
	atomic_store_explicit(&flight->tid, 0, memory_order_relaxed);
	atomic_store_explicit(&flight->label, label, memory_order_relaxed);
	atomic_store_explicit(&flight->request, 0, memory_order_relaxed);
	atomic_store_explicit(&flight->bytes_in, pp_flight_in(req),
	    memory_order_relaxed);
	atomic_store_explicit(&flight->bytes_out, out, memory_order_relaxed);
	pp_flight_path(flight, req->path != NULL ? req->path : "");
	atomic_store_explicit(&flight->started_ns, started,
	    memory_order_relaxed);
	pp_flight_set(flight, PP_WAIT_NONE, 0, started);
	atomic_store_explicit(&flight->id, id, memory_order_release);
}

/* The request's own entry, which is made now if it has none. 0: no room. */
static uint32_t
flight_own(const struct http_request *req)
{
	uint32_t entry = pp_flight_find(req, 0);

	if (entry != 0)
		return (entry);
	entry = pp_flight_claim();
	if (entry == 0)
		return (0);
	if (pp_flight_put(req, entry) == -1) {
		pp_flight_release_entry(entry);
		return (0);
	}
	flight_fill(&pp_flight_table()->flight[entry], req);
	uncalled[entry] = req != running;
	if (req == running)
		running_entry = entry;
	return (entry);
}

PP_OFTEN struct pp_flight *
pp_flight_of(const struct http_request *req)
{
	uint32_t entry =
	    req == running ? running_entry : pp_flight_find(req, 0);

	if (entry == 0 && req != running)
		return (NULL);
	return (&pp_flight_table()->flight[entry]);
}

struct pp_flight *
pp_flight_created(const struct http_request *req)
{
	uint32_t entry = flight_own(req);

	return (entry != 0 ? &pp_flight_table()->flight[entry] : NULL);
}

void (*pp_flight_real_sleep)(struct http_request *);
void (*pp_flight_real_wakeup)(struct http_request *);
PP_OFTEN_DATA void (*pp_flight_real_free)(struct http_request *);

int (*pp_flight_real_acquire)(struct http_runlock *, struct http_request *);
void (*pp_flight_real_release)(struct http_runlock *, struct http_request *);

static void
flight_falls_asleep(const struct http_request *req)
{
	struct pp_flight *flight;
	enum pp_wait reason =
	    pp_flight_reason(req, req == running && running_timer);
	uint32_t entry = flight_own(req), stack;

	if (entry == 0)
		return;
	flight = &pp_flight_table()->flight[entry];
	/* The label set includes the labels that the handler has pushed. */
	if (req == running && pp_label_now != 0)
		atomic_store(&flight->label, pp_label_now);
	stack = pp_wait_stack();
	pp_flight_set(flight, reason, stack, pp_clock_mono());
	pp_trace(PP_TRACE_SLEEP, reason, 0, atomic_load(&flight->id), stack);
}

void
pp_flight_awakes(const struct http_request *req)
{
	struct pp_flight *flight;
	uint32_t entry = pp_flight_find(req, 0), reason;

	if (entry == 0)
		return;
	flight = &pp_flight_table()->flight[entry];
	reason = atomic_load(&flight->state);
	/* A request of the profiler itself sleeps without a wait. A request
	 * that waits for its client (RECEIVE) is not counted below. */
	if (reason == PP_WAIT_NONE)
		return;
	if (reason == PP_WAIT_RECEIVE)
		pp_flight_set(flight, PP_WAIT_NONE, 0, pp_clock_mono());
	else
		pp_flight_waited(flight);
	pp_trace(PP_TRACE_WAKE, reason, 0, atomic_load(&flight->id),
	    pp_wait_stack());
}

static int
flight_asleep(const struct http_request *req)
{
	return ((req->flags & HTTP_REQUEST_SLEEPING) != 0);
}

void
pp_flight_sleep(struct http_request *req)
{
	if (pp_self.worker != 0 && !flight_asleep(req))
		flight_falls_asleep(req);
	pp_flight_real_sleep(req);
}

void
pp_flight_wakeup(struct http_request *req)
{
	if (pp_self.worker != 0 && flight_asleep(req))
		pp_flight_awakes(req);
	pp_flight_real_wakeup(req);
}

/* Within Kore's <http.c> the compiler has inlined http_request_sleep() and
 * http_request_wakeup(): the sleeps and wake-ups of a runlock pass no entry
 * that is patched. So they are found out here. */
int
pp_flight_acquire(struct http_runlock *lock, struct http_request *req)
{
	int before = flight_asleep(req), result;
	uint32_t entry;

	result = pp_flight_real_acquire(lock, req);
	if (pp_self.worker != 0 && !before && flight_asleep(req)) {
		entry = pp_flight_find(req, 0);
		if (entry == 0 ||
		    atomic_load(&pp_flight_table()->flight[entry].state) ==
			PP_WAIT_NONE)
			flight_falls_asleep(req);
	}
	return (result);
}

void
pp_flight_release(struct http_runlock *lock, struct http_request *req)
{
	const struct http_runlock_queue *first = LIST_FIRST(&lock->queue);
	const struct http_request *next = first != NULL ? first->req : NULL;
	uint32_t entry;

	pp_flight_real_release(lock, req);
	if (pp_self.worker == 0 || next == NULL || flight_asleep(next))
		return;
	entry = pp_flight_find(next, 0);
	if (entry != 0 &&
	    atomic_load(&pp_flight_table()->flight[entry].state) ==
		PP_WAIT_RUNLOCK)
		pp_flight_awakes(next);
}

static __attribute__((noinline)) void
flight_abandon(const struct http_request *req)
{
	uint32_t entry = pp_flight_find(req, 1);

	if (entry == 0)
		return;
	pp_trace(PP_TRACE_END, 0, 0,
	    atomic_load(&pp_flight_table()->flight[entry].id));
	pp_routes_abandon(pp_route_label(req));
	pp_flight_release_entry(entry);
}

PP_OFTEN void
pp_flight_free(struct http_request *req)
{
	if (pp_self.worker != 0 && pp_flights_known != 0)
		flight_abandon(req);
	pp_flight_real_free(req);
}

struct kore_timer *(*pp_flight_real_timer_add)(void (*)(void *, uint64_t),
    uint64_t, void *, int);

/* Some handlers set the timer that wakes them before they go to sleep, others
 * afterwards. */
struct kore_timer *
pp_flight_timer_add(void (*call)(void *, uint64_t), uint64_t ms, void *arg,
    int flags)
{
	uint32_t asleep = PP_WAIT_SLEEP;
	struct pp_flight *flight;
	struct pp_flights *table;

	if (pp_self.worker != 0 && (flags & KORE_TIMER_ONESHOT) != 0) {
		table = pp_flight_table();
		if (pp_flight_now != 0 &&
		    pp_flight_now == atomic_load(&table->running)) {
			running_timer = 1;
			flight = &table->flight[running_entry];
			if (atomic_compare_exchange_strong(&flight->state,
				&asleep, PP_WAIT_TIMER))
				pp_trace(PP_TRACE_SLEEP, PP_WAIT_TIMER, 0,
				    pp_flight_now, atomic_load(&flight->stack));
		}
	}
	return (pp_flight_real_timer_add(call, ms, arg, flags));
}
