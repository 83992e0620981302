/*
 * See locks.h. A wrapper tries the lock first and reads the clock only if
 * another thread holds the lock. If the calling thread itself holds a mutex, a
 * try-lock answers otherwise than a lock (EDEADLK, or recursion), so a lock
 * that was refused with EBUSY is asked for again with the original.
 */
#include <sys/single_threaded.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "hook/locks_private.h"

static int (*real_mutex_lock)(pthread_mutex_t *);
static int (*real_mutex_unlock)(pthread_mutex_t *);
static int (*real_rdlock)(pthread_rwlock_t *);
static int (*real_wrlock)(pthread_rwlock_t *);
static int (*real_rwunlock)(pthread_rwlock_t *);
static int (*real_cond_signal)(pthread_cond_t *);
static int (*real_cond_broadcast)(pthread_cond_t *);
static int (*real_cond_wait)(pthread_cond_t *, pthread_mutex_t *);
static int (*real_barrier_wait)(pthread_barrier_t *);
static int (*real_join)(pthread_t, void **);
static int (*real_sem_wait)(sem_t *);

/* The wait is a function of its own, so that a call that need not wait saves no
 * registers for it. */
static __attribute__((noinline)) int
mutex_wait(pthread_mutex_t *mutex)
{
	int result;

	WAIT_FOR(mutex, PP_WAIT_MUTEX, real_mutex_lock(mutex));
	return (result);
}

/* In a process with one thread nobody else can hold a plain mutex. The C
 * library then takes the mutex without an atomic operation, which a try-lock
 * has. */
static int
mutex_is_nobodys(const pthread_mutex_t *mutex)
{
	return (__libc_single_threaded &&
	    mutex->__data.__kind == PTHREAD_MUTEX_TIMED_NP);
}

static int
mutex_lock_watched(pthread_mutex_t *mutex)
{
	int result;

	if (mutex_is_nobodys(mutex))
		return (real_mutex_lock(mutex));
	result = pthread_mutex_trylock(mutex);
	return (result == EBUSY ? mutex_wait(mutex) : result);
}

static int
mutex_unlock_watched(pthread_mutex_t *mutex)
{
	if (!mutex_is_nobodys(mutex))
		pp_contention_release(mutex, PP_WAIT_MUTEX);
	return (real_mutex_unlock(mutex));
}

/* The functions that a mutex's wrappers jump to. With one thread, the C
 * library's own pair takes 8 ns; one more load and test in each would add a
 * sixth. A thread may read the old pointer for a while, or one old and one new:
 * each function is right at any time, so the loads and stores are relaxed. */
static int (*mutex_lock_now)(pthread_mutex_t *) = mutex_lock_watched;
static int (*mutex_unlock_now)(pthread_mutex_t *) = mutex_unlock_watched;

static int
hook_mutex_lock(pthread_mutex_t *mutex)
{
	return (__atomic_load_n(&mutex_lock_now, __ATOMIC_RELAXED)(mutex));
}

static int
hook_mutex_unlock(pthread_mutex_t *mutex)
{
	return (__atomic_load_n(&mutex_unlock_now, __ATOMIC_RELAXED)(mutex));
}

void
pp_locks_follow(int watch)
{
	if ((watch & PP_WATCH_MUTEX) == 0)
		pp_contention_forget();
	__atomic_store_n(&mutex_lock_now,
	    watch & WATCH_ANY ? mutex_lock_watched : real_mutex_lock,
	    __ATOMIC_RELAXED);
	__atomic_store_n(&mutex_unlock_now,
	    watch & PP_WATCH_MUTEX ? mutex_unlock_watched : real_mutex_unlock,
	    __ATOMIC_RELAXED);
}

static int
hook_rdlock(pthread_rwlock_t *lock)
{
	int result;

	if (!watched(WATCH_ANY))
		return (real_rdlock(lock));
	result = pthread_rwlock_tryrdlock(lock);
	if (result != EBUSY)
		return (result);
	WAIT_FOR(lock, PP_WAIT_RWLOCK, real_rdlock(lock));
	return (result);
}

static int
hook_wrlock(pthread_rwlock_t *lock)
{
	int result;

	if (!watched(WATCH_ANY))
		return (real_wrlock(lock));
	result = pthread_rwlock_trywrlock(lock);
	if (result != EBUSY)
		return (result);
	WAIT_FOR(lock, PP_WAIT_RWLOCK, real_wrlock(lock));
	return (result);
}

static int
hook_rwunlock(pthread_rwlock_t *lock)
{
	if (watched(PP_WATCH_MUTEX))
		pp_contention_release(lock, PP_WAIT_RWLOCK);
	return (real_rwunlock(lock));
}

/* The wait for a condition lets go of the mutex. */
int
pp_locks_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	int result;

	if (!watched(WATCH_ANY))
		return (real_cond_wait(cond, mutex));
	WAIT_FOR_COND(cond, mutex, real_cond_wait(cond, mutex));
	return (result);
}

static int
hook_cond_signal(pthread_cond_t *cond)
{
	if (watched(PP_WATCH_MUTEX))
		pp_contention_signal(cond, 0);
	return (real_cond_signal(cond));
}

static int
hook_cond_broadcast(pthread_cond_t *cond)
{
	if (watched(PP_WATCH_MUTEX))
		pp_contention_signal(cond, 1);
	return (real_cond_broadcast(cond));
}

EXPORTED int
pprof_hook_barrier_wait(pthread_barrier_t *barrier)
{
	int result;

	if (!watched(WATCH_WAIT))
		CALL(result, real_barrier_wait(barrier));
	else
		WAIT_FOR(NULL, PP_WAIT_BARRIER, real_barrier_wait(barrier));
	return (result);
}

EXPORTED int
pprof_hook_join(pthread_t thread, void **value)
{
	int result;

	if (!watched(WATCH_WAIT))
		CALL(result, real_join(thread, value));
	else
		WAIT_FOR(NULL, PP_WAIT_JOIN, real_join(thread, value));
	return (result);
}

int
pp_locks_sem_is_free(sem_t *sem)
{
	int saved = errno;

	pthread_testcancel();
	if (sem_trywait(sem) == 0)
		return (1);
	errno = saved;
	return (0);
}

EXPORTED int
pprof_hook_sem_wait(sem_t *sem)
{
	int result;

	if (!watched(WATCH_WAIT)) {
		CALL(result, real_sem_wait(sem));
		return (result);
	}
	if (pp_locks_sem_is_free(sem))
		return (0);
	WAIT_FOR(NULL, PP_WAIT_SEM, real_sem_wait(sem));
	return (result);
}

const struct pp_got_hook pp_hook_lock[PP_LOCK_HOOKS] = {
	LOCK_HOOK(pthread_mutex_lock, mutex_lock, PP_GOT_ALL),
	LOCK_HOOK(pthread_mutex_unlock, mutex_unlock, PP_GOT_ALL),
	LOCK_HOOK(pthread_rwlock_rdlock, rdlock, PP_GOT_ALL),
	LOCK_HOOK(pthread_rwlock_wrlock, wrlock, PP_GOT_ALL),
	LOCK_HOOK(pthread_rwlock_unlock, rwunlock, PP_GOT_ALL),
	/* In the program itself, a server's idle thread may be the one that
	 * waits: the adapter, which knows the server, wraps that call. */
	{ "pthread_cond_wait", (void *)pp_locks_cond_wait,
	    (void **)&real_cond_wait, PP_GOT_LIBRARIES },
	LOCK_HOOK(pthread_cond_signal, cond_signal, PP_GOT_ALL),
	LOCK_HOOK(pthread_cond_broadcast, cond_broadcast, PP_GOT_ALL),
	EXPORTED_HOOK(pthread_barrier_wait, barrier_wait, PP_GOT_ALL),
	EXPORTED_HOOK(pthread_join, join, PP_GOT_ALL),
	EXPORTED_HOOK(sem_wait, sem_wait, PP_GOT_ALL),
};
