/*
 * See contention.h.
 *
 * Each waiter has a place of its own: the lock's address, and since when its
 * waiting has not been charged to anybody. Who lets go takes the time of all
 * places with its lock. A filter of counts by address says quickly that there
 * is none.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "base/clock.h"
#include "capture/contention.h"
#include "capture/wait.h"

/* Places that a lock's waiters may be in. */
#define PLACES 64

struct waiter {
	_Atomic uintptr_t lock; /* 0: free */
	/* CLOCK_MONOTONIC; 0: not yet. Only who has the place writes it, but
	 * for whoever charges for the time before. */
	_Atomic int64_t since;
};

static struct waiter waiters[PP_CONTENDED_MAX];
_Atomic uint16_t pp_contention_filter[PP_CONTENTION_FILTER];

int
pp_contention_enter(const void *lock)
{
	uint32_t hash = pp_contention_hash(lock), probe, place;
	uintptr_t none;

	for (probe = 0; probe < PLACES; probe++) {
		place = (hash + probe) % PP_CONTENDED_MAX;
		none = 0;
		if (atomic_load_explicit(&waiters[place].lock,
			memory_order_relaxed) != 0)
			continue;
		if (!atomic_compare_exchange_strong(&waiters[place].lock, &none,
			(uintptr_t)lock))
			continue;
		atomic_store(&waiters[place].since, pp_clock_mono());
		atomic_fetch_add(
		    &pp_contention_filter[hash % PP_CONTENTION_FILTER], 1);
		return ((int)place);
	}
	pp_slot_lose(pp_self.slot, PP_LOSS_CONTENDED_DROPPED, 1);
	return (-1);
}

void
pp_contention_leave(int handle)
{
	struct waiter *w;
	uint32_t hash;

	if (handle == -1)
		return;
	w = &waiters[handle];
	hash = pp_contention_hash((const void *)atomic_load(&w->lock));
	atomic_fetch_sub(&pp_contention_filter[hash % PP_CONTENTION_FILTER], 1);
	/* Before the place is free: its next lock is not to be charged with
	 * this one's time. */
	atomic_store(&w->since, 0);
	atomic_store(&w->lock, 0);
}

void
pp_contention_charge(const void *lock, enum pp_wait wait)
{
	uint32_t hash = pp_contention_hash(lock), probe;
	int64_t now, since, ns = 0;
	struct waiter *w;

	now = pp_clock_mono();
	for (probe = 0; probe < PLACES; probe++) {
		w = &waiters[(hash + probe) % PP_CONTENDED_MAX];
		if (atomic_load(&w->lock) != (uintptr_t)lock)
			continue;
		since = atomic_load(&w->since);
		if (since == 0 || since >= now ||
		    !atomic_compare_exchange_strong(&w->since, &since, now))
			continue;
		ns += now - since;
	}
	if (ns != 0)
		pp_wait_caused(wait, ns);
}
