/*
 * See inflight_table.h.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/hot_path.h"
#include "base/mix.h"
#include "capture/wait.h"
#include "kore/adapter.h"
#include "kore/request/inflight_table.h"

/* In how many places of the map a request may be, from the one that its address
 * gives. */
#define PLACES 32
#define MAP    (2 * PP_INFLIGHT_MAX)

static struct {
	const struct http_request *req; /* NULL: free */
	uint32_t entry;
	uint32_t homed; /* requests in the map whose first place this is */
} map[MAP];

PP_HOT_PATH_DATA uint32_t pp_inflight_known; /* places in use */

/* Tasks may be run from any thread, so they are counted by an atomic addition.
 * Requests, which are many more, are counted by the event loop's thread alone.
 * Requests get even counts and tasks odd ones, and each worker has its own
 * remainder: no two ids are equal. */
static uint64_t
inflight_id(uint64_t count, uint64_t task)
{
	return ((2 * count + task) * pp_kore.slots + pp_self.worker);
}

PP_HOT_PATH uint64_t
pp_inflight_request_id(void)
{
	_Atomic uint64_t *requests = &pp_inflight_table()->requests;
	uint64_t count;

	count = atomic_load_explicit(requests, memory_order_relaxed) + 1;
	atomic_store_explicit(requests, count, memory_order_relaxed);
	return (inflight_id(count, 0));
}

uint64_t
pp_inflight_task_id(void)
{
	return (
	    inflight_id(atomic_fetch_add(&pp_inflight_table()->tasks, 1) + 1,
		1));
}

/*
 * Entries that were given back are in a list. Its head holds the number of the
 * first entry in the low half and a count of changes in the high half: if two
 * threads take at once, one of them sees that the head has changed, even if the
 * same entry is first again.
 *
 * The exchange that pushes an entry releases its free_next, and the load of the
 * head before a pop acquires it. The count wraps after 2^32 changes: for a
 * mistake, one thread would have to stand still between its load and its
 * exchange while others make exactly so many.
 */
static _Atomic uint64_t free_head;
static _Atomic uint32_t free_next[PP_INFLIGHT_MAX];

static uint64_t
free_head_after(uint64_t head, uint32_t first)
{
	return (((head >> 32) + 1) << 32 | first);
}

static uint32_t
inflight_pop_free(void)
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
inflight_push_free(uint32_t entry)
{
	uint64_t head = atomic_load(&free_head);

	do {
		/* The exchange below publishes this store. */
		atomic_store_explicit(&free_next[entry], (uint32_t)head,
		    memory_order_relaxed);
	} while (!atomic_compare_exchange_weak(&free_head, &head,
	    free_head_after(head, entry)));
}

/* The entry gets its id from the caller, after it has been filled. */
uint32_t
pp_inflight_claim(void)
{
	struct pp_inflights *table = pp_inflight_table();
	uint32_t entry, used;

	entry = inflight_pop_free();
	if (entry == 0) {
		used = atomic_load(&table->used);
		while (used < PP_INFLIGHT_MAX &&
		    !atomic_compare_exchange_weak(&table->used, &used,
			used + 1))
			;
		entry = used;
	}
	if (entry == 0 || entry >= PP_INFLIGHT_MAX) {
		pp_slot_lose(pp_self.slot, PP_LOSS_INFLIGHT_DROPPED, 1);
		return (0);
	}
	/* Whoever copies the entry and then finds its id as before must not
	 * have met the new fields: the id's 0 is released before them. */
	atomic_thread_fence(memory_order_release);
	return (entry);
}

void
pp_inflight_release_entry(uint32_t entry)
{
	if (entry == 0)
		return;
	atomic_store(&pp_inflight_table()->inflight[entry].id, 0);
	inflight_push_free(entry);
}

static uint32_t
map_home(const struct http_request *req)
{
	return (
	    (uint32_t)(pp_mix(pp_mix(0, (uint64_t)(uintptr_t)req), 0) % MAP));
}

uint32_t
pp_inflight_lookup(const struct http_request *req, int take)
{
	uint32_t home = map_home(req), probe, place;

	for (probe = 0; map[home].homed != 0 && probe < PLACES; probe++) {
		place = (home + probe) % MAP;
		if (map[place].req != req)
			continue;
		if (take) {
			map[place].req = NULL;
			map[home].homed--;
			pp_inflight_known--;
		}
		return (map[place].entry);
	}
	return (0);
}

int
pp_inflight_put(const struct http_request *req, uint32_t entry)
{
	uint32_t home = map_home(req), probe, place;

	for (probe = 0; probe < PLACES; probe++) {
		place = (home + probe) % MAP;
		if (map[place].req != NULL)
			continue;
		map[place].req = req;
		map[place].entry = entry;
		map[home].homed++;
		pp_inflight_known++;
		return (0);
	}
	pp_slot_lose(pp_self.slot, PP_LOSS_INFLIGHT_DROPPED, 1);
	return (-1);
}

PP_HOT_PATH void
pp_inflight_path(struct pp_inflight *inflight, const char *path)
{
	size_t i;

	/* Paths are short, so calls of the C library would cost more than this
	 * loop. */
	for (i = 0; i < PP_INFLIGHT_PATH_MAX - 1 && path[i] != '\0'; i++)
		inflight->path[i] = path[i];
	inflight->path[i] = '\0';
}

void
pp_inflight_waited(struct pp_inflight *inflight)
{
	uint32_t stack = atomic_load(&inflight->stack);
	int64_t now = pp_clock_mono();

	pp_wait_ended_at(atomic_load(&inflight->state),
	    now - atomic_load(&inflight->since_ns), stack,
	    atomic_load(&inflight->label));
	pp_inflight_set(inflight, PP_WAIT_NONE, stack, now);
}
