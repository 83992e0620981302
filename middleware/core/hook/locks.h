/*
 * These tables wrap the calls that wait, in every object: pthread locks,
 * conditions, barriers, joins and semaphores, the same with a time, and those
 * of C11's threads. While nobody measures, a call costs one load and a jump, a
 * call for a mutex the jump alone.
 *
 * Rule: the semantics are the original's. The lock that a wrapper tries first
 * and the lock that it then waits for are the same, and every error is the
 * original's own.
 */
#ifndef PP_HOOK_LOCKS_H
#define PP_HOOK_LOCKS_H

#include <pthread.h>

#include "hook/got.h"

#define PP_LOCK_HOOKS  11
#define PP_TIMED_HOOKS 12
#define PP_C11_HOOKS   8

extern const struct pp_got_hook pp_hook_lock[PP_LOCK_HOOKS];
extern const struct pp_got_hook pp_hook_timed[PP_TIMED_HOOKS];
extern const struct pp_got_hook pp_hook_c11[PP_C11_HOOKS];

/* Set what is watched from now on: bits of capture/wait.h. The originals must
 * be known by now (pp_got_follow()). Async-signal-safe. */
void pp_locks_follow(int watch);

/* pthread_cond_wait() with its wait measured, for the adapter, which wraps that
 * function in the program itself. */
int pp_locks_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);

#endif
