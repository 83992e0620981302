/* Hot: signal handlers run what is in this file. */
/*
 * See contention.h.
 *
 * Each waiter has an entry of its own: the lock's address, and the time from
 * which its waiting has not been charged to anybody. A thread that lets go of a
 * lock takes the time of all entries with that lock. A filter of counts by
 * address says quickly that there is none.
 *
 * An entry is taken by compare-and-swap of `lock` from 0. All stores and
 * compare-and-swaps of an entry are sequentially consistent: the store of
 * `since`, which comes after `lock`, pairs with the load of `since` by whoever
 * charges. `since` becomes 0 before `lock` does, and the time is taken by
 * compare-and-swap of `since`, a clock's value, so that no later waiter of the
 * entry is charged. A filter's count is at most PP_CONTENDED_MAX, below 2^16.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "base/clock.h"
#include "capture/contention.h"
#include "capture/wait.h"

/* The entries that a lock's waiters may have, from the hash on. */
#define PLACES 64

struct waiter {
	_Atomic uintptr_t lock; /* 0: free */
	/* CLOCK_MONOTONIC, ns; 0: not yet. Only the waiter writes this field,
	 * and the thread that charges the time up to now. Below 0: nobody waits
	 * any more, and so many ns are still to be charged; the thread that
	 * sets this to 0 frees the entry. */
	_Atomic int64_t since;
	/* 1: the wait began with a signal that may have been meant for another
	 * waiter, so it is charged only once. */
	_Atomic int once;
	/* If `lock` is a condition: the mutex that the waiter will want. NULL:
	 * not set yet, or `lock` is no condition. */
	_Atomic(const void *) mutex;
	_Atomic int moved; /* 1 + the waiter's entry for the mutex, or: */
};

/* The thread waits for the condition; another thread is waking it; the waiter
 * has left meanwhile, and the thread that woke it frees both entries. */
#define ASLEEP 0
#define MOVING (-1)
#define GONE   (-2)

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
		atomic_store(&waiters[place].once, 0);
		atomic_store(&waiters[place].moved, GONE);
		atomic_store(&waiters[place].since, pp_clock_mono());
		atomic_fetch_add(
		    &pp_contention_filter[hash % PP_CONTENTION_FILTER], 1);
		return ((int)place);
	}
	pp_slot_lose(pp_self.slot, PP_LOSS_CONTENDED_DROPPED, 1);
	return (-1);
}

static void
contention_free(struct waiter *w)
{
	uint32_t hash = pp_contention_hash((const void *)atomic_load(&w->lock));

	atomic_fetch_sub(&pp_contention_filter[hash % PP_CONTENTION_FILTER], 1);
	/* These stores come before the entry is free, so that the next lock is
	 * not charged with this lock's time. */
	atomic_store(&w->since, 0);
	atomic_store(&w->mutex, NULL);
	atomic_store(&w->moved, GONE);
	atomic_store(&w->lock, 0);
}

void
pp_contention_leave(int handle)
{
	if (handle != -1)
		contention_free(&waiters[handle]);
}

/* Adds `ns` to an entry that an earlier waiter has left when it gave up.
 * However many waiters give up, a lock has one such entry, or two for a moment.
 * Returns 1 if there was one. */
static int
contention_add(const struct waiter *w, int64_t ns)
{
	uintptr_t lock = atomic_load(&w->lock);
	uint32_t hash = pp_contention_hash((const void *)lock), probe;
	struct waiter *other;
	int64_t owed;

	for (probe = 0; probe < PLACES; probe++) {
		other = &waiters[(hash + probe) % PP_CONTENDED_MAX];
		if (other == w || atomic_load(&other->lock) != lock)
			continue;
		owed = atomic_load(&other->since);
		if (owed < 0 &&
		    atomic_compare_exchange_strong(&other->since, &owed,
			owed - ns))
			return (1);
	}
	return (0);
}

void
pp_contention_give_up(int handle)
{
	struct waiter *w;
	int64_t since, ns;

	if (handle == -1)
		return;
	w = &waiters[handle];
	since = atomic_exchange(&w->since, 0);
	ns = pp_clock_mono() - since;
	if (since <= 0 || ns <= 0 || contention_add(w, ns))
		contention_free(w);
	else
		atomic_store(&w->since, -ns);
}

void
pp_contention_forget(void)
{
	int64_t owed;
	uint32_t i;

	for (i = 0; i < PP_CONTENDED_MAX; i++) {
		owed = atomic_load(&waiters[i].since);
		if (owed < 0 &&
		    atomic_compare_exchange_strong(&waiters[i].since, &owed, 0))
			contention_free(&waiters[i]);
	}
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
		if (since < 0) {
			if (!atomic_compare_exchange_strong(&w->since, &since,
				0))
				continue;
			contention_free(w);
			ns -= since;
			continue;
		}
		if (since == 0 || since >= now ||
		    !atomic_compare_exchange_strong(&w->since, &since,
			atomic_load(&w->once) ? 0 : now))
			continue;
		ns += now - since;
	}
	if (ns != 0)
		pp_wait_caused(wait, ns);
}

int
pp_contention_cond_enter(const void *cond, const void *mutex)
{
	int handle = pp_contention_enter(cond);

	if (handle == -1)
		return (-1);
	atomic_store(&waiters[handle].mutex, mutex);
	/* This store comes last: before it pp_contention_wake() leaves the
	 * entry alone. */
	atomic_store(&waiters[handle].moved, ASLEEP);
	return (handle);
}

void
pp_contention_cond_leave(int handle)
{
	struct waiter *w;
	int moved;

	if (handle == -1)
		return;
	w = &waiters[handle];
	moved = atomic_exchange(&w->moved, GONE);
	if (moved == MOVING)
		return;
	if (moved > 0)
		pp_contention_leave(moved - 1);
	contention_free(w);
}

/* From now on the waiter waits for the mutex. Returns 1 if nobody had woken the
 * waiter before. */
static int
contention_wake(struct waiter *w, const void *mutex, int once)
{
	int moved = ASLEEP, place;

	if (!atomic_compare_exchange_strong(&w->moved, &moved, MOVING))
		return (0);
	place = pp_contention_enter(mutex);
	if (place != -1)
		atomic_store(&waiters[place].once, once);
	moved = MOVING;
	if (atomic_compare_exchange_strong(&w->moved, &moved, place + 1))
		return (1);
	pp_contention_leave(place);
	contention_free(w);
	return (1);
}

/* A signal wakes one waiter, and nobody says which. If no sleeping waiter is
 * left, a waiter that an earlier signal was ascribed to, and that still waits,
 * is charged from now on again. */
void
pp_contention_wake(const void *cond, int all)
{
	uint32_t hash = pp_contention_hash(cond), probe;
	struct waiter *w, *again = NULL;
	const void *mutex;
	int64_t none = 0;
	int moved;

	for (probe = 0; probe < PLACES; probe++) {
		w = &waiters[(hash + probe) % PP_CONTENDED_MAX];
		if (atomic_load(&w->lock) != (uintptr_t)cond ||
		    (mutex = atomic_load(&w->mutex)) == NULL)
			continue;
		if (!contention_wake(w, mutex, !all)) {
			moved = atomic_load(&w->moved);
			if (moved > 0 &&
			    atomic_load(&waiters[moved - 1].since) == 0)
				again = &waiters[moved - 1];
			continue;
		}
		if (!all)
			return;
	}
	if (again != NULL)
		(void)atomic_compare_exchange_strong(&again->since, &none,
		    pp_clock_mono());
}
