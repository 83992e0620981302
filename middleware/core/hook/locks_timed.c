/*
 * The wrappers for calls that wait until a time: see locks.h. If the time is
 * not valid, the original is called at once and refuses the time before the
 * lock is tried.
 */
#include <errno.h>
#include <pthread.h>

#include "hook/locks_private.h"
#include "hook/sleeps.h"

typedef const struct timespec *when;

static int (*real_mutex_timedlock)(pthread_mutex_t *, when);
static int (*real_mutex_clocklock)(pthread_mutex_t *, clockid_t, when);
static int (*real_timedrdlock)(pthread_rwlock_t *, when);
static int (*real_timedwrlock)(pthread_rwlock_t *, when);
static int (*real_clockrdlock)(pthread_rwlock_t *, clockid_t, when);
static int (*real_clockwrlock)(pthread_rwlock_t *, clockid_t, when);
static int (*real_cond_timedwait)(pthread_cond_t *, pthread_mutex_t *, when);
static int (
    *real_cond_clockwait)(pthread_cond_t *, pthread_mutex_t *, clockid_t, when);
static int (*real_timedjoin)(pthread_t, void **, when);
static int (*real_clockjoin)(pthread_t, void **, clockid_t, when);
static int (*real_sem_timedwait)(sem_t *, when);
static int (*real_sem_clockwait)(sem_t *, clockid_t, when);

/* Try the lock; if another thread holds it, wait for it. */
#define TRY_THEN_WAIT(lock, wait, clock, until, tried, call)                   \
	do {                                                                   \
		int result;                                                    \
                                                                               \
		if (!watched(WATCH_ANY) || !time_is_one(clock, until)) {       \
			CALL(result, call);                                    \
			return (result);                                       \
		}                                                              \
		result = (tried);                                              \
		if (result == EBUSY)                                           \
			WAIT_FOR(lock, wait, call);                            \
		return (result);                                               \
	} while (0)

EXPORTED int
pprof_hook_mutex_timedlock(pthread_mutex_t *mutex, when until)
{
	TRY_THEN_WAIT(mutex, PP_WAIT_MUTEX, CLOCK_REALTIME, until,
	    pthread_mutex_trylock(mutex), real_mutex_timedlock(mutex, until));
}

EXPORTED int
pprof_hook_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, when until)
{
	TRY_THEN_WAIT(mutex, PP_WAIT_MUTEX, clock, until,
	    pthread_mutex_trylock(mutex),
	    real_mutex_clocklock(mutex, clock, until));
}

static int
hook_timedrdlock(pthread_rwlock_t *lock, when until)
{
	TRY_THEN_WAIT(lock, PP_WAIT_RWLOCK, CLOCK_REALTIME, until,
	    pthread_rwlock_tryrdlock(lock), real_timedrdlock(lock, until));
}

static int
hook_timedwrlock(pthread_rwlock_t *lock, when until)
{
	TRY_THEN_WAIT(lock, PP_WAIT_RWLOCK, CLOCK_REALTIME, until,
	    pthread_rwlock_trywrlock(lock), real_timedwrlock(lock, until));
}

static int
hook_clockrdlock(pthread_rwlock_t *lock, clockid_t clock, when until)
{
	TRY_THEN_WAIT(lock, PP_WAIT_RWLOCK, clock, until,
	    pthread_rwlock_tryrdlock(lock),
	    real_clockrdlock(lock, clock, until));
}

static int
hook_clockwrlock(pthread_rwlock_t *lock, clockid_t clock, when until)
{
	TRY_THEN_WAIT(lock, PP_WAIT_RWLOCK, clock, until,
	    pthread_rwlock_trywrlock(lock),
	    real_clockwrlock(lock, clock, until));
}

static int
hook_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, when until)
{
	int result;

	if (!watched(WATCH_ANY))
		return (real_cond_timedwait(cond, mutex, until));
	WAIT_FOR_COND(cond, mutex, real_cond_timedwait(cond, mutex, until));
	return (result);
}

static int
hook_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
    clockid_t clock, when until)
{
	int result;

	if (!watched(WATCH_ANY))
		return (real_cond_clockwait(cond, mutex, clock, until));
	WAIT_FOR_COND(cond, mutex,
	    real_cond_clockwait(cond, mutex, clock, until));
	return (result);
}

EXPORTED int
pprof_hook_timedjoin(pthread_t thread, void **value, when until)
{
	int result;

	if (!watched(WATCH_WAIT))
		CALL(result, real_timedjoin(thread, value, until));
	else
		WAIT_FOR(NULL, PP_WAIT_JOIN,
		    real_timedjoin(thread, value, until));
	return (result);
}

EXPORTED int
pprof_hook_clockjoin(pthread_t thread, void **value, clockid_t clock,
    when until)
{
	int result;

	if (!watched(WATCH_WAIT))
		CALL(result, real_clockjoin(thread, value, clock, until));
	else
		WAIT_FOR(NULL, PP_WAIT_JOIN,
		    real_clockjoin(thread, value, clock, until));
	return (result);
}

static inline __attribute__((always_inline)) int
hook_sem_timed(sem_t *sem, when until)
{
	int result;

	PP_SLEEP_THROUGH(result, real_sem_timedwait(sem, until));
	return (result);
}

static inline __attribute__((always_inline)) int
hook_sem_clocked(sem_t *sem, clockid_t clock, when until)
{
	int result;

	PP_SLEEP_THROUGH(result, real_sem_clockwait(sem, clock, until));
	return (result);
}

EXPORTED int
pprof_hook_sem_timedwait(sem_t *sem, when until)
{
	int result;

	if (!watched(WATCH_WAIT) || !time_is_one(CLOCK_REALTIME, until))
		CALL(result, hook_sem_timed(sem, until));
	else if (pp_locks_sem_is_free(sem))
		result = 0;
	else
		WAIT_FOR(NULL, PP_WAIT_SEM, hook_sem_timed(sem, until));
	return (result);
}

EXPORTED int
pprof_hook_sem_clockwait(sem_t *sem, clockid_t clock, when until)
{
	int result;

	if (!watched(WATCH_WAIT) || !time_is_one(clock, until))
		CALL(result, hook_sem_clocked(sem, clock, until));
	else if (pp_locks_sem_is_free(sem))
		result = 0;
	else
		WAIT_FOR(NULL, PP_WAIT_SEM,
		    hook_sem_clocked(sem, clock, until));
	return (result);
}

const struct pp_got_hook pp_hook_timed[PP_TIMED_HOOKS] = {
	EXPORTED_HOOK(pthread_mutex_timedlock, mutex_timedlock, PP_GOT_ALL),
	EXPORTED_HOOK(pthread_mutex_clocklock, mutex_clocklock, PP_GOT_ALL),
	LOCK_HOOK(pthread_rwlock_timedrdlock, timedrdlock, PP_GOT_ALL),
	LOCK_HOOK(pthread_rwlock_timedwrlock, timedwrlock, PP_GOT_ALL),
	LOCK_HOOK(pthread_rwlock_clockrdlock, clockrdlock, PP_GOT_ALL),
	LOCK_HOOK(pthread_rwlock_clockwrlock, clockwrlock, PP_GOT_ALL),
	LOCK_HOOK(pthread_cond_timedwait, cond_timedwait, PP_GOT_ALL),
	LOCK_HOOK(pthread_cond_clockwait, cond_clockwait, PP_GOT_ALL),
	EXPORTED_HOOK(pthread_timedjoin_np, timedjoin, PP_GOT_ALL),
	EXPORTED_HOOK(pthread_clockjoin_np, clockjoin, PP_GOT_ALL),
	EXPORTED_HOOK(sem_timedwait, sem_timedwait, PP_GOT_ALL),
	EXPORTED_HOOK(sem_clockwait, sem_clockwait, PP_GOT_ALL),
};
