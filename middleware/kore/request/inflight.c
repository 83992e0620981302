/*
 * Requests in flight: which ones run, which ones sleep, since when and where.
 * The endpoint goroutine shows them, and block counts the time that they slept.
 * Tasks are in inflight_task.c; inflight_reason.c finds what a request sleeps
 * for.
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
#include "base/hot_path.h"
#include "capture/label.h"
#include "capture/route_count.h"
#include "capture/trace.h"
#include "capture/trace_user.h"
#include "capture/wait.h"
#include "kore/adapter.h"
#include "kore/request/inflight_table.h"

/* The request whose handler runs, its entry and label set, and since when. */
PP_HOT_PATH_DATA static const struct http_request *running;
PP_HOT_PATH_DATA static uint32_t running_entry, running_label;
PP_HOT_PATH_DATA static int64_t running_since;
PP_HOT_PATH_DATA static int running_timer; /* 1: it has set a timer */

/* Entries of requests whose handler was not called yet. */
static uint8_t uncalled[PP_INFLIGHT_MAX];

void
pp_inflight_start(void)
{
	struct pp_inflights *table = pp_inflight_table();
	uint32_t used = atomic_load(&table->used), i;

	for (i = 0; i < used && i < PP_INFLIGHT_MAX; i++)
		atomic_store(&table->inflight[i].id, 0);
	atomic_store(&table->used, 1);
	atomic_store(&table->running, 0);
	pp_route_count_start();
}

/* Kore counts content_length down, to the bytes that are still to come. */
PP_HOT_PATH uint32_t
pp_inflight_bytes_in(const struct http_request *req)
{
	size_t left = (req->flags & HTTP_REQUEST_EXPECT_BODY) != 0
	    ? req->content_length
	    : 0;

	return ((uint32_t)(req->http_body_length - left));
}

PP_HOT_PATH static void
inflight_begin(struct pp_inflight *inflight, const struct http_request *req,
    uint32_t label)
{
	atomic_store_explicit(&inflight->id, 0, memory_order_relaxed);
	/* The old id is gone before the new fields come: a reader looks at the
	 * id last. */
	atomic_thread_fence(memory_order_release);
	pp_inflight_path(inflight, req->path);
	atomic_store_explicit(&inflight->bytes_in, pp_inflight_bytes_in(req),
	    memory_order_relaxed);
	atomic_store_explicit(&inflight->bytes_out, 0, memory_order_relaxed);
	atomic_store_explicit(&inflight->started_ns, running_since,
	    memory_order_relaxed);
	atomic_store_explicit(&inflight->label, label, memory_order_relaxed);
	pp_inflight_set(inflight, PP_WAIT_NONE, 0, running_since);
	atomic_store_explicit(&inflight->id, pp_inflight_request_id(),
	    memory_order_release);
	pp_route_count_begin(label);
}

static void
inflight_trace(enum pp_trace_kind kind, uint32_t n, uint32_t label, int64_t now)
{
	uint64_t record[] = { 0, (uint64_t)now, pp_self_inflight };

	(void)pp_trace_write_at(kind, n, label, record, 3);
}

/* A request that has never slept has entry 0 while its handler runs. */
PP_HOT_PATH void
pp_inflight_run(const struct http_request *req, uint32_t label)
{
	struct pp_inflights *table = pp_inflight_table();
	struct pp_inflight *inflight;

	running = req;
	running_timer = 0;
	running_label = label;
	running_since = pp_clock_mono();
	running_entry = pp_inflight_find(req, 0);
	inflight = &table->inflight[running_entry];
	if (running_entry == 0) {
		inflight_begin(inflight, req, label);
	} else {
		atomic_store_explicit(&inflight->label, label,
		    memory_order_relaxed);
		/* A request's time begins with its handler's first call. */
		if (uncalled[running_entry])
			atomic_store_explicit(&inflight->started_ns,
			    running_since, memory_order_relaxed);
		uncalled[running_entry] = 0;
		pp_inflight_set(inflight, PP_WAIT_NONE, 0, running_since);
	}
	pp_self_inflight =
	    atomic_load_explicit(&inflight->id, memory_order_relaxed);
	pp_self_request = pp_self_inflight;
	atomic_store_explicit(&table->running, pp_self_inflight,
	    memory_order_release);
	if (pp_trace_active())
		inflight_trace(PP_TRACE_RUN, 0, label, running_since);
}

static uint32_t inflight_own(const struct http_request *req);

PP_HOT_PATH void
pp_inflight_ran(const struct http_request *req, int ended)
{
	struct pp_inflights *table = pp_inflight_table();
	int forgotten;
	int64_t now;

	/* If the handler will be called again, the request keeps its id in an
	 * entry of its own. If there is no entry free, the request begins anew
	 * then, under another id. */
	forgotten = !ended && running_entry == 0 && inflight_own(req) == 0;
	if (forgotten)
		pp_route_count_abandon(running_label);
	/* This comes before the time is read, since it writes records that are
	 * earlier than RAN. */
	if (pp_trace_active())
		pp_trace_user_returned();
	now = pp_route_count_ran(running_label, running_since, ended,
	    atomic_load_explicit(&table->inflight[running_entry].started_ns,
		memory_order_relaxed));
	if (pp_trace_active()) {
		if (forgotten)
			pp_slot_lose(pp_self.slot, PP_LOSS_TRACE_DROPPED, 1);
		inflight_trace(PP_TRACE_RAN, ended || forgotten, 0, now);
	}
	pp_self_inflight = pp_self_request = 0;
	atomic_store_explicit(&table->running, 0, memory_order_relaxed);
	atomic_store_explicit(&table->inflight[0].id, 0, memory_order_release);
	if (ended && running_entry != 0)
		pp_inflight_release_entry(pp_inflight_find(req, 1));
	running = NULL;
	running_entry = 0;
	if (pp_trace_active())
		pp_trace_begin_loop();
}

/* The request is known from now on. Returns that time. */
static int64_t
inflight_create(uint32_t label, uint64_t id)
{
	uint64_t record[] = { 0, 0, id };

	if (pp_trace_active() &&
	    pp_trace_write(PP_TRACE_CREATE, 0, label, record, 3) == 0)
		return ((int64_t)record[1]);
	return (pp_clock_mono());
}

/* Fills an entry, which nobody reads before its id is stored. */
static void
inflight_fill(struct pp_inflight *inflight, const struct http_request *req)
{
	struct pp_inflight *now = &pp_inflight_table()->inflight[0];
	uint32_t label = pp_kore_route_label(req);
	uint64_t id, out = 0;
	int64_t started;

	/* A request that is not the running one begins now. */
	if (req == running) {
		id = pp_self_inflight;
		started = atomic_load(&now->started_ns);
		out = atomic_load(&now->bytes_out);
		atomic_store(&now->id, 0);
	} else {
		id = pp_inflight_request_id();
		started = inflight_create(label, id);
		pp_route_count_begin(label);
	}
	atomic_store_explicit(&inflight->task, 0, memory_order_relaxed);
	atomic_store_explicit(&inflight->tid, 0, memory_order_relaxed);
	atomic_store_explicit(&inflight->label, label, memory_order_relaxed);
	atomic_store_explicit(&inflight->request, 0, memory_order_relaxed);
	atomic_store_explicit(&inflight->bytes_in, pp_inflight_bytes_in(req),
	    memory_order_relaxed);
	atomic_store_explicit(&inflight->bytes_out, out, memory_order_relaxed);
	pp_inflight_path(inflight, req->path != NULL ? req->path : "");
	atomic_store_explicit(&inflight->started_ns, started,
	    memory_order_relaxed);
	pp_inflight_set(inflight, PP_WAIT_NONE, 0, started);
	atomic_store_explicit(&inflight->id, id, memory_order_release);
}

/* The request's own entry, which is made now if it has none. 0: no room. */
static uint32_t
inflight_own(const struct http_request *req)
{
	uint32_t entry = pp_inflight_find(req, 0);

	if (entry != 0)
		return (entry);
	entry = pp_inflight_claim();
	if (entry == 0)
		return (0);
	if (pp_inflight_put(req, entry) == -1) {
		pp_inflight_release_entry(entry);
		return (0);
	}
	inflight_fill(&pp_inflight_table()->inflight[entry], req);
	uncalled[entry] = req != running;
	if (req == running)
		running_entry = entry;
	return (entry);
}

PP_HOT_PATH struct pp_inflight *
pp_inflight_of(const struct http_request *req)
{
	uint32_t entry =
	    req == running ? running_entry : pp_inflight_find(req, 0);

	if (entry == 0 && req != running)
		return (NULL);
	return (&pp_inflight_table()->inflight[entry]);
}

struct pp_inflight *
pp_inflight_created(const struct http_request *req)
{
	uint32_t entry = inflight_own(req);

	return (entry != 0 ? &pp_inflight_table()->inflight[entry] : NULL);
}

void (*pp_inflight_real_sleep)(struct http_request *);
void (*pp_inflight_real_wakeup)(struct http_request *);
PP_HOT_PATH_DATA void (*pp_inflight_real_free)(struct http_request *);

int (*pp_inflight_real_acquire)(struct http_runlock *, struct http_request *);
void (*pp_inflight_real_release)(struct http_runlock *, struct http_request *);

static void
inflight_falls_asleep(const struct http_request *req)
{
	struct pp_inflight *inflight;
	enum pp_wait reason =
	    pp_inflight_reason(req, req == running && running_timer);
	uint32_t entry = inflight_own(req), stack;

	if (entry == 0)
		return;
	inflight = &pp_inflight_table()->inflight[entry];
	/* The label set includes the labels that the handler has pushed. */
	if (req == running && pp_label_now != 0)
		atomic_store(&inflight->label, pp_label_now);
	stack = pp_wait_stack();
	pp_inflight_set(inflight, reason, stack, pp_clock_mono());
	pp_trace(PP_TRACE_SLEEP, reason, 0, atomic_load(&inflight->id), stack);
}

void
pp_inflight_awakes(const struct http_request *req)
{
	struct pp_inflight *inflight;
	uint32_t entry = pp_inflight_find(req, 0), reason;

	if (entry == 0)
		return;
	inflight = &pp_inflight_table()->inflight[entry];
	reason = atomic_load(&inflight->state);
	/* A request of the profiler itself sleeps without a wait. A request
	 * that waits for its client (RECEIVE) is not counted below. */
	if (reason == PP_WAIT_NONE)
		return;
	if (reason == PP_WAIT_RECEIVE)
		pp_inflight_set(inflight, PP_WAIT_NONE, 0, pp_clock_mono());
	else
		pp_inflight_waited(inflight);
	pp_trace(PP_TRACE_WAKE, reason, 0, atomic_load(&inflight->id),
	    pp_wait_stack());
}

static int
inflight_asleep(const struct http_request *req)
{
	return ((req->flags & HTTP_REQUEST_SLEEPING) != 0);
}

void
pp_inflight_sleep(struct http_request *req)
{
	if (pp_self.worker != 0 && !inflight_asleep(req))
		inflight_falls_asleep(req);
	pp_inflight_real_sleep(req);
}

void
pp_inflight_wakeup(struct http_request *req)
{
	if (pp_self.worker != 0 && inflight_asleep(req))
		pp_inflight_awakes(req);
	pp_inflight_real_wakeup(req);
}

/* Within Kore's <http.c> the compiler has inlined http_request_sleep() and
 * http_request_wakeup(): the sleeps and wake-ups of a runlock pass no entry
 * that is patched. So they are found out here. */
int
pp_inflight_acquire(struct http_runlock *lock, struct http_request *req)
{
	int before = inflight_asleep(req), result;
	uint32_t entry;

	result = pp_inflight_real_acquire(lock, req);
	if (pp_self.worker != 0 && !before && inflight_asleep(req)) {
		entry = pp_inflight_find(req, 0);
		if (entry == 0 ||
		    atomic_load(&pp_inflight_table()->inflight[entry].state) ==
			PP_WAIT_NONE)
			inflight_falls_asleep(req);
	}
	return (result);
}

void
pp_inflight_release(struct http_runlock *lock, struct http_request *req)
{
	const struct http_runlock_queue *first = LIST_FIRST(&lock->queue);
	const struct http_request *next = first != NULL ? first->req : NULL;
	uint32_t entry;

	pp_inflight_real_release(lock, req);
	if (pp_self.worker == 0 || next == NULL || inflight_asleep(next))
		return;
	entry = pp_inflight_find(next, 0);
	if (entry != 0 &&
	    atomic_load(&pp_inflight_table()->inflight[entry].state) ==
		PP_WAIT_RUNLOCK)
		pp_inflight_awakes(next);
}

static __attribute__((noinline)) void
inflight_abandon(const struct http_request *req)
{
	uint32_t entry = pp_inflight_find(req, 1);

	if (entry == 0)
		return;
	pp_trace(PP_TRACE_END, 0, 0,
	    atomic_load(&pp_inflight_table()->inflight[entry].id));
	pp_route_count_abandon(pp_kore_route_label(req));
	pp_inflight_release_entry(entry);
}

PP_HOT_PATH void
pp_inflight_free(struct http_request *req)
{
	if (pp_self.worker != 0 && pp_inflight_known != 0)
		inflight_abandon(req);
	pp_inflight_real_free(req);
}

struct kore_timer *(*pp_inflight_real_timer_add)(void (*)(void *, uint64_t),
    uint64_t, void *, int);

/* Some handlers set the timer that wakes them before they go to sleep, others
 * afterwards. */
struct kore_timer *
pp_inflight_timer_add(void (*call)(void *, uint64_t), uint64_t ms, void *arg,
    int flags)
{
	uint32_t asleep = PP_WAIT_SLEEP;
	struct pp_inflight *inflight;
	struct pp_inflights *table;

	if (pp_self.worker != 0 && (flags & KORE_TIMER_ONESHOT) != 0) {
		table = pp_inflight_table();
		if (pp_self_inflight != 0 &&
		    pp_self_inflight == atomic_load(&table->running)) {
			running_timer = 1;
			inflight = &table->inflight[running_entry];
			if (atomic_compare_exchange_strong(&inflight->state,
				&asleep, PP_WAIT_TIMER))
				pp_trace(PP_TRACE_SLEEP, PP_WAIT_TIMER, 0,
				    pp_self_inflight,
				    atomic_load(&inflight->stack));
		}
	}
	return (pp_inflight_real_timer_add(call, ms, arg, flags));
}
