/*
 * Requests and tasks in progress: who runs, who sleeps, since when and where.
 * What goroutine shows; and the time that requests slept, for block.
 *
 * The request whose handler runs has entry 0 of the slot's table, written
 * anew for each: most requests never sleep, and cost no more than that. One
 * that goes to sleep gets an entry of its own until it ends.
 *
 * Rule: requests belong to the event loop's thread; a task's entry is handed
 * to the task's thread. No lock.
 */
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/pgsql.h>
#include <kore/tasks.h>

#include <string.h>

#include "base/clock.h"
#include "base/mix.h"
#include "capture/label.h"
#include "capture/wait.h"
#include "kore/adapter.h"

/* Places in which a request's entry number may be found by its address. */
#define PLACES 32
#define MAP    (2 * PP_FLIGHTS_MAX)

static struct {
	const struct http_request *req; /* NULL: free */
	uint32_t entry;
} map[MAP];
static uint32_t mapped;

/* Whose handler runs. */
static const struct http_request *running;

static struct pp_flights *
flights(void)
{
	return (&pp_self.slot->flights);
}

static uint64_t
flight_id(void)
{
	return (
	    (atomic_fetch_add(&flights()->ids, 1) + 1) * pp_kore.arena->slots +
	    pp_self.worker);
}

/*
 * Entries that were given back, in a list whose head is a count of changes
 * above the number of its first: of two that take at once, one sees that the
 * head has changed, even if the same entry is first again.
 */
static _Atomic uint64_t free_head;
static _Atomic uint32_t free_next[PP_FLIGHTS_MAX];

static uint64_t
free_head_after(uint64_t head, uint32_t first)
{
	return (((head >> 32) + 1) << 32 | first);
}

static uint32_t
flight_pop_free(void)
{
	uint64_t head = atomic_load(&free_head);
	uint32_t first;

	do {
		first = (uint32_t)head;
		if (first == 0)
			return (0);
	} while (!atomic_compare_exchange_weak(&free_head, &head,
	    free_head_after(head, atomic_load(&free_next[first]))));
	return (first);
}

static void
flight_push_free(uint32_t entry)
{
	uint64_t head = atomic_load(&free_head);

	do {
		atomic_store(&free_next[entry], (uint32_t)head);
	} while (!atomic_compare_exchange_weak(&free_head, &head,
	    free_head_after(head, entry)));
}

/* A free entry, or 0: none (counted). Its id is given when it is filled. */
static uint32_t
flight_claim(void)
{
	struct pp_flights *table = flights();
	uint32_t entry, used;

	entry = flight_pop_free();
	if (entry == 0) {
		used = atomic_load(&table->used);
		while (used < PP_FLIGHTS_MAX &&
		    !atomic_compare_exchange_weak(&table->used, &used,
			used + 1))
			;
		entry = used;
	}
	if (entry == 0 || entry >= PP_FLIGHTS_MAX) {
		pp_slot_lose(pp_self.slot, PP_LOSS_FLIGHTS_DROPPED, 1);
		return (0);
	}
	return (entry);
}

static void
flight_release(uint32_t entry)
{
	if (entry == 0)
		return;
	atomic_store(&flights()->flight[entry].id, 0);
	flight_push_free(entry);
}

static void
flight_set(struct pp_flight *flight, enum pp_wait state, uint32_t stack)
{
	atomic_store_explicit(&flight->stack, stack, memory_order_relaxed);
	atomic_store_explicit(&flight->since_ns, pp_clock_mono(),
	    memory_order_relaxed);
	atomic_store_explicit(&flight->state, state, memory_order_release);
}

static void
flight_path(struct pp_flight *flight, const char *path)
{
	size_t len = strnlen(path, PP_FLIGHT_PATH_MAX - 1);

	memcpy(flight->path, path, len);
	flight->path[len] = '\0';
}

static uint32_t
map_place(const struct http_request *req, unsigned int probe)
{
	return (
	    (uint32_t)((pp_mix(0, (uint64_t)(uintptr_t)req) + probe) % MAP));
}

static uint32_t
map_find(const struct http_request *req, int take)
{
	uint32_t probe, place;

	for (probe = 0; mapped != 0 && probe < PLACES; probe++) {
		place = map_place(req, probe);
		if (map[place].req != req)
			continue;
		if (take) {
			map[place].req = NULL;
			mapped--;
		}
		return (map[place].entry);
	}
	return (0);
}

static int
map_put(const struct http_request *req, uint32_t entry)
{
	uint32_t probe, place;

	for (probe = 0; probe < PLACES; probe++) {
		place = map_place(req, probe);
		if (map[place].req != NULL)
			continue;
		map[place].req = req;
		map[place].entry = entry;
		mapped++;
		return (0);
	}
	pp_slot_lose(pp_self.slot, PP_LOSS_FLIGHTS_DROPPED, 1);
	return (-1);
}

void
pp_flight_start(void)
{
	struct pp_flights *table = flights();
	uint32_t used = atomic_load(&table->used), i;

	for (i = 0; i < used && i < PP_FLIGHTS_MAX; i++)
		atomic_store(&table->flight[i].id, 0);
	atomic_store(&table->used, 1);
}

/* Entry 0 is the request whose handler runs. */
void
pp_flight_run(const struct http_request *req, uint32_t label)
{
	struct pp_flight *flight;
	uint32_t entry = map_find(req, 0);

	running = req;
	flight = &flights()->flight[entry];
	if (entry == 0) {
		atomic_store_explicit(&flight->id, 0, memory_order_relaxed);
		/* Gone before its texts are: a reader looks at the id last. */
		atomic_thread_fence(memory_order_release);
		flight_path(flight, req->path);
		atomic_store_explicit(&flight->bytes_in,
		    (uint32_t)req->http_body_length, memory_order_relaxed);
		atomic_store_explicit(&flight->started_ns, pp_clock_mono(),
		    memory_order_relaxed);
	}
	atomic_store_explicit(&flight->label, label, memory_order_relaxed);
	flight_set(flight, PP_WAIT_NONE, 0);
	if (entry == 0)
		atomic_store_explicit(&flight->id, flight_id(),
		    memory_order_release);
}

void
pp_flight_ran(const struct http_request *req, int ended)
{
	running = NULL;
	atomic_store_explicit(&flights()->flight[0].id, 0,
	    memory_order_release);
	if (ended)
		flight_release(map_find(req, 1));
}

/* A query or a task that has ended may be kept while it sleeps for another
 * reason. */
static enum pp_wait
flight_reason(const struct http_request *req)
{
	const struct kore_pgsql *pgsql;
	const struct kore_task *task;

	if (req->runlock != NULL)
		return (PP_WAIT_RUNLOCK);
	LIST_FOREACH(pgsql, &req->pgsqls, rlist) {
		if (pgsql->state == KORE_PGSQL_STATE_INIT ||
		    pgsql->state == KORE_PGSQL_STATE_WAIT)
			return (PP_WAIT_PGSQL);
	}
	LIST_FOREACH(task, &req->tasks, rlist) {
		if (__atomic_load_n(&task->state, __ATOMIC_RELAXED) !=
		    KORE_TASK_STATE_FINISHED)
			return (PP_WAIT_TASK);
	}
	return (PP_WAIT_SLEEP);
}

/* A request that has slept before, or sleeps now for the first time. */
static uint32_t
flight_own(const struct http_request *req)
{
	struct pp_flight *flight, *now;
	uint32_t entry = map_find(req, 0);

	if (entry != 0)
		return (entry);
	entry = flight_claim();
	if (entry == 0)
		return (0);
	if (map_put(req, entry) == -1) {
		flight_release(entry);
		return (0);
	}
	flight = &flights()->flight[entry];
	now = &flights()->flight[0];
	atomic_store(&flight->task, 0);
	atomic_store(&flight->tid, 0);
	atomic_store(&flight->label, pp_runtime_label(req));
	atomic_store(&flight->bytes_in, (uint32_t)req->http_body_length);
	flight_path(flight, req->path != NULL ? req->path : "");
	/* Outside of its handler (its body comes) it begins now. */
	atomic_store(&flight->started_ns,
	    req == running ? atomic_load(&now->started_ns) : pp_clock_mono());
	flight_set(flight, PP_WAIT_NONE, 0);
	if (req == running)
		atomic_store(&now->id, 0);
	atomic_store(&flight->id, flight_id());
	return (entry);
}

void (*pp_flight_real_sleep)(struct http_request *);
void (*pp_flight_real_wakeup)(struct http_request *);
void (*pp_flight_real_free)(struct http_request *);

void
pp_flight_sleep(struct http_request *req)
{
	struct pp_flight *flight;
	uint32_t entry;

	if (pp_self.worker != 0 && (req->flags & HTTP_REQUEST_SLEEPING) == 0 &&
	    (entry = flight_own(req)) != 0) {
		flight = &flights()->flight[entry];
		/* With what its handler has pushed. */
		if (req == running && pp_label_now != 0)
			atomic_store(&flight->label, pp_label_now);
		flight_set(flight, flight_reason(req), pp_wait_stack());
	}
	pp_flight_real_sleep(req);
}

void
pp_flight_wakeup(struct http_request *req)
{
	struct pp_flight *flight;
	uint32_t entry;

	if (pp_self.worker != 0 && (req->flags & HTTP_REQUEST_SLEEPING) != 0 &&
	    (entry = map_find(req, 0)) != 0) {
		flight = &flights()->flight[entry];
		pp_wait_ended_at(atomic_load(&flight->state),
		    pp_clock_mono() - atomic_load(&flight->since_ns),
		    atomic_load(&flight->stack), atomic_load(&flight->label));
		flight_set(flight, PP_WAIT_NONE, atomic_load(&flight->stack));
	}
	pp_flight_real_wakeup(req);
}

void
pp_flight_free(struct http_request *req)
{
	if (pp_self.worker != 0)
		flight_release(map_find(req, 1));
	pp_flight_real_free(req);
}

uint32_t
pp_flight_task_queued(const struct kore_task *task, uint32_t label)
{
	struct pp_flight *flight;
	uint32_t entry = flight_claim();

	if (entry == 0)
		return (0);
	flight = &flights()->flight[entry];
	atomic_store(&flight->task, 1);
	atomic_store(&flight->tid, 0);
	atomic_store(&flight->label, label);
	atomic_store(&flight->bytes_in, 0);
	flight_path(flight,
	    task->req != NULL && task->req->path != NULL ? task->req->path
							 : "");
	atomic_store(&flight->started_ns, pp_clock_mono());
	flight_set(flight, PP_WAIT_QUEUE, pp_wait_stack());
	atomic_store(&flight->id, flight_id());
	return (entry);
}

void
pp_flight_task_runs(uint32_t entry)
{
	struct pp_flight *flight;

	if (entry == 0 || pp_self.worker == 0)
		return;
	flight = &flights()->flight[entry];
	pp_wait_ended_at(PP_WAIT_QUEUE,
	    pp_clock_mono() - atomic_load(&flight->since_ns),
	    atomic_load(&flight->stack), atomic_load(&flight->label));
	if (pp_thread_self != NULL)
		atomic_store(&flight->tid, (uint32_t)pp_thread_self->tid);
	flight_set(flight, PP_WAIT_NONE, atomic_load(&flight->stack));
}

void
pp_flight_task_ended(uint32_t entry)
{
	if (pp_self.worker != 0)
		flight_release(entry);
}
