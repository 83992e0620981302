/*
 * The macros that locks.c, locks_timed.c and locks_c11.c share. Nobody else
 * includes this.
 */
#ifndef PP_HOOK_LOCKS_PRIVATE_H
#define PP_HOOK_LOCKS_PRIVATE_H

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <threads.h>
#include <time.h>

#include "base/clock.h"
#include "capture/contention.h"
#include "capture/trace.h"
#include "capture/wait.h"
#include "hook/locks.h"

/* WATCH_WAIT: somebody measures waits for which no holder can be charged.
 * WATCH_ANY: somebody measures waits of any kind. */
#define WATCH_WAIT (PP_WATCH_BLOCK | PP_WATCH_TRACE)
#define WATCH_ANY  (WATCH_WAIT | PP_WATCH_MUTEX)

static inline int
watched(int what)
{
	return (__builtin_expect((atomic_load_explicit(&pp_wait_watch,
				      memory_order_relaxed) &
				     what) != 0,
	    0));
}

/* Returns 1 if clock and time are valid. If they are not, the wrapper calls the
 * original at once, which refuses them: the originals may look at the time
 * before they try the lock. */
static inline int
time_is_one(clockid_t clock, const struct timespec *until)
{
	return ((clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC) &&
	    until->tv_nsec >= 0 && until->tv_nsec < PP_NS_PER_SEC);
}

/* Returns 1 if a wait has ended by its time, with pthread's error or C11's. The
 * number of C11's is no error of pthread's. */
static inline int
gave_up(int result)
{
	return (result == ETIMEDOUT || result == thrd_timedout);
}

/* Take the semaphore if nobody has to wait for it: returns 1, else 0. As in the
 * originals, a thread that is cancelled ends here even if it need not wait, and
 * errno stays. */
int pp_locks_sem_is_free(sem_t *sem);

/* Make `call`, which waits for `lock` (NULL: nobody can be charged). The wait
 * may be charged to the holder of the lock, become a sample, and be traced. */
#define WAIT_FOR(lock, wait, call)                                             \
	do {                                                                   \
		uint64_t traced_ =                                             \
		    watched(PP_WATCH_TRACE) ? pp_trace_wait(wait) : 0;         \
		int64_t began_ = pp_clock_mono();                              \
		int place_ = (lock) != NULL && watched(PP_WATCH_MUTEX)         \
		    ? pp_contention_enter(lock)                                \
		    : -1;                                                      \
		result = (call);                                               \
		if (gave_up(result))                                           \
			pp_contention_give_up(place_);                         \
		else                                                           \
			pp_contention_leave(place_);                           \
		pp_wait_ended((wait), pp_clock_mono() - began_);               \
		pp_trace_waited((wait), traced_);                              \
	} while (0)

/* The same for a condition: the wait lets go of the mutex and takes the mutex
 * back at its end. The thread may be cancelled during the wait. */
static inline void
cond_left(void *place)
{
	pp_contention_cond_leave(*(const int *)place);
}

#define WAIT_FOR_COND(cond, mutex, call)                                       \
	do {                                                                   \
		int at_ = -1;                                                  \
                                                                               \
		if (watched(PP_WATCH_MUTEX)) {                                 \
			at_ = pp_contention_cond_enter(cond, mutex);           \
			pp_contention_release(mutex, PP_WAIT_MUTEX);           \
		}                                                              \
		pthread_cleanup_push(cond_left, &at_);                         \
		WAIT_FOR(NULL, PP_WAIT_COND, call);                            \
		pthread_cleanup_pop(1);                                        \
	} while (0)

/* Make `call` as a call that returns here, not as a jump. Some functions of the
 * C library leave no frame while they wait, or are the leaf whether they wait
 * or not; then the frame of our wrapper tells what the thread does
 * (live/activity_state.c). */
#define CALL(result, call)                                                     \
	do {                                                                   \
		(result) = (call);                                             \
		__asm__ volatile("");                                          \
	} while (0)

/* The mark of a wrapper whose name is in the module's table of exports, which
 * no strip takes away: by that name the collector knows what a thread waits
 * for. */
#define EXPORTED __attribute__((visibility("default")))

EXPORTED int pprof_hook_mutex_timedlock(pthread_mutex_t *mutex,
    const struct timespec *until);
EXPORTED int pprof_hook_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock,
    const struct timespec *until);
EXPORTED int pprof_hook_barrier_wait(pthread_barrier_t *barrier);
EXPORTED int pprof_hook_join(pthread_t thread, void **value);
EXPORTED int pprof_hook_timedjoin(pthread_t thread, void **value,
    const struct timespec *until);
EXPORTED int pprof_hook_clockjoin(pthread_t thread, void **value,
    clockid_t clock, const struct timespec *until);
EXPORTED int pprof_hook_thrd_join(thrd_t thread, int *value);
EXPORTED int pprof_hook_sem_wait(sem_t *sem);
EXPORTED int pprof_hook_sem_timedwait(sem_t *sem, const struct timespec *until);
EXPORTED int pprof_hook_sem_clockwait(sem_t *sem, clockid_t clock,
    const struct timespec *until);

#define EXPORTED_HOOK(name, hook, scope)                                       \
	{                                                                      \
#name, (void *)pprof_hook_##hook, (void **)&real_##hook, scope \
	}

#define LOCK_HOOK(name, hook, scope)                                           \
	{                                                                      \
#name, (void *)hook_##hook, (void **)&real_##hook, scope       \
	}

#endif
