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
	 * for whoever charges for the time before. Below 0: nobody waits here
	 * any more, and so many ns are still to be charged; whoever sets that
	 * to 0 frees the place. */
	_Atomic int64_t since;
	/* 1: since a signal, which may have been another's: charged once. */
	_Atomic int once;
	/* Of a place whose lock is a condition: the mutex that its waiter will
	 * want, NULL: not yet, or another kind of place. */
	_Atomic(const void *) mutex;
	_Atomic int moved; /* its waiter's place for the mutex and 1, or: */
};

/* It waits for the condition; somebody wakes it; it has gone meanwhile, and
 * whoever woke it frees both places. */
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
	/* Before the place is free: its next lock is not to be charged with
	 * this one's time. */
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

/* To what others have left, who gave up before: however many do, a lock has
 * one such place, or two for a moment. Returns 1 when there was one. */
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
	/* Last: nobody is woken before, nor one of another kind. */
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

/* From now on it waits for the mutex. Returns 1 if it has not been woken
 * before. */
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

/* A signal wakes one, and is not said which. One that was taken for it before,
 * and was not, is asked again if there is no other. */
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
