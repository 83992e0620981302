/*
 * Which thread waits for which lock now: a thread that lets go of a lock is
 * charged with the time that others have waited for it. Not the sums, which are
 * in wait.h.
 *
 * Rule: hot, lock-free (contention.c says how). Only contended locks are in the
 * table; if nobody waits for a lock, its release costs one load more.
 */
#ifndef PP_CAPTURE_CONTENTION_H
#define PP_CAPTURE_CONTENTION_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/mix.h"
#include "base/waits.h"

/* Waiters by their lock's address: 0 says that a lock has none. */
#define PP_CONTENTION_FILTER 4096
extern _Atomic uint16_t pp_contention_filter[PP_CONTENTION_FILTER];

static inline uint32_t
pp_contention_hash(const void *lock)
{
	return ((uint32_t)pp_mix(0, (uint64_t)(uintptr_t)lock));
}

/* A thread begins to wait for `lock`. Returns a handle for _leave(), or -1:
 * no room (counted). */
int pp_contention_enter(const void *lock);

/* The thread has got the lock. */
void pp_contention_leave(int handle);

/* The thread has not got the lock and waits no more: its time is charged to the
 * thread that lets go next. */
void pp_contention_give_up(int handle);

/* The same for a wait for a condition, which ends with a wait for its mutex:
 * the thread that has woken the waiter and keeps the mutex is charged from then
 * on. The handle must be given back even if the waiter is cancelled. */
int pp_contention_cond_enter(const void *cond, const void *mutex);
void pp_contention_cond_leave(int handle);
void pp_contention_wake(const void *cond, int all);

/* The condition is about to be signalled. */
static inline void
pp_contention_signal(const void *cond, int all)
{
	uint32_t place = pp_contention_hash(cond) % PP_CONTENTION_FILTER;

	if (__builtin_expect(atomic_load_explicit(&pp_contention_filter[place],
				 memory_order_relaxed) != 0,
		0))
		pp_contention_wake(cond, all);
}

/* Drop the time that waiters have left: from now on nobody sees who lets go. */
void pp_contention_forget(void);

/* The calling thread is about to let go of `lock`, and is charged with all
 * waits for it since it was last let go of. */
void pp_contention_charge(const void *lock, enum pp_wait wait);

static inline void
pp_contention_release(const void *lock, enum pp_wait wait)
{
	uint32_t place = pp_contention_hash(lock) % PP_CONTENTION_FILTER;

	if (__builtin_expect(atomic_load_explicit(&pp_contention_filter[place],
				 memory_order_relaxed) != 0,
		0))
		pp_contention_charge(lock, wait);
}

#endif
