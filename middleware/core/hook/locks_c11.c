/*
 * The wrappers for the waiting calls of C11's threads: see locks.h. The C
 * library builds these functions on its pthread functions, but the calls in
 * between pass no table.
 */
#include <threads.h>

#include "hook/locks_private.h"

static int (*real_mtx_lock)(mtx_t *);
static int (*real_mtx_timedlock)(mtx_t *, const struct timespec *);
static int (*real_mtx_unlock)(mtx_t *);
static int (*real_cnd_signal)(cnd_t *);
static int (*real_cnd_broadcast)(cnd_t *);
static int (*real_cnd_wait)(cnd_t *, mtx_t *);
static int (*real_cnd_timedwait)(cnd_t *, mtx_t *, const struct timespec *);
static int (*real_thrd_join)(thrd_t, int *);

static int
hook_mtx_lock(mtx_t *mutex)
{
	int result;

	if (!watched(WATCH_ANY))
		return (real_mtx_lock(mutex));
	result = mtx_trylock(mutex);
	if (result != thrd_busy)
		return (result);
	WAIT_FOR(mutex, PP_WAIT_MUTEX, real_mtx_lock(mutex));
	return (result);
}

static int
hook_mtx_timedlock(mtx_t *mutex, const struct timespec *until)
{
	int result;

	if (!watched(WATCH_ANY) || !time_is_one(CLOCK_REALTIME, until))
		return (real_mtx_timedlock(mutex, until));
	result = mtx_trylock(mutex);
	if (result != thrd_busy)
		return (result);
	WAIT_FOR(mutex, PP_WAIT_MUTEX, real_mtx_timedlock(mutex, until));
	return (result);
}

static int
hook_mtx_unlock(mtx_t *mutex)
{
	if (watched(PP_WATCH_MUTEX))
		pp_contention_release(mutex, PP_WAIT_MUTEX);
	return (real_mtx_unlock(mutex));
}

static int
hook_cnd_wait(cnd_t *cond, mtx_t *mutex)
{
	int result;

	if (!watched(WATCH_ANY))
		return (real_cnd_wait(cond, mutex));
	WAIT_FOR_COND(cond, mutex, real_cnd_wait(cond, mutex));
	return (result);
}

static int
hook_cnd_timedwait(cnd_t *cond, mtx_t *mutex, const struct timespec *until)
{
	int result;

	if (!watched(WATCH_ANY))
		return (real_cnd_timedwait(cond, mutex, until));
	WAIT_FOR_COND(cond, mutex, real_cnd_timedwait(cond, mutex, until));
	return (result);
}

static int
hook_cnd_signal(cnd_t *cond)
{
	if (watched(PP_WATCH_MUTEX))
		pp_contention_signal(cond, 0);
	return (real_cnd_signal(cond));
}

static int
hook_cnd_broadcast(cnd_t *cond)
{
	if (watched(PP_WATCH_MUTEX))
		pp_contention_signal(cond, 1);
	return (real_cnd_broadcast(cond));
}

EXPORTED int
pprof_hook_thrd_join(thrd_t thread, int *value)
{
	int result;

	if (!watched(WATCH_WAIT))
		CALL(result, real_thrd_join(thread, value));
	else
		WAIT_FOR(NULL, PP_WAIT_JOIN, real_thrd_join(thread, value));
	return (result);
}

const struct pp_got_hook pp_hook_c11[PP_C11_HOOKS] = {
	LOCK_HOOK(mtx_lock, mtx_lock, PP_GOT_ALL),
	LOCK_HOOK(mtx_timedlock, mtx_timedlock, PP_GOT_ALL),
	LOCK_HOOK(mtx_unlock, mtx_unlock, PP_GOT_ALL),
	LOCK_HOOK(cnd_wait, cnd_wait, PP_GOT_ALL),
	LOCK_HOOK(cnd_timedwait, cnd_timedwait, PP_GOT_ALL),
	LOCK_HOOK(cnd_signal, cnd_signal, PP_GOT_ALL),
	LOCK_HOOK(cnd_broadcast, cnd_broadcast, PP_GOT_ALL),
	EXPORTED_HOOK(thrd_join, thrd_join, PP_GOT_ALL),
};
