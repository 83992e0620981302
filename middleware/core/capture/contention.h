/*
 * Who waits for which lock now, so that whoever lets go of it can be charged
 * with the time that others have waited while it was held.
 *
 * Rule: hot, lock-free. Only contended locks are in the table; a lock that
 * nobody waits for costs its unlocker one load.
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

/* It has got it. */
void pp_contention_leave(int handle);

/* It has not: what it has waited for is charged to whoever lets go next. */
void pp_contention_give_up(int handle);

/* Waiting for a condition, which ends by waiting for its mutex: who has woken
 * the waiter and keeps the mutex is charged from then on. A handle, as above,
 * also if its thread is cancelled. */
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

/* Nobody is charged any more: those who let go are not seen. */
void pp_contention_forget(void);

/* The calling thread is about to let go of `lock`: what has been waited for
 * it since the last one did so is this one's. */
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
