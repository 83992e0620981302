/*
 * The calls that wait, wrapped: pthread locks, conditions, barriers, joins and
 * semaphores, the same with a time, and those of C11's threads, in every
 * object. Off they cost one load and a jump, those of a mutex the jump alone.
 *
 * Rule: the semantics are the original's: what is tried first and waited for
 * then is the same lock, and every error is the original's own.
 */
#ifndef PP_HOOK_LOCKS_H
#define PP_HOOK_LOCKS_H

#include <pthread.h>

#include "hook/got.h"

#define PP_LOCK_HOOKS  11
#define PP_TIMED_HOOKS 12
#define PP_C11_HOOKS   8

extern const struct pp_got_hook pp_lock_hooks[PP_LOCK_HOOKS];
extern const struct pp_got_hook pp_timed_hooks[PP_TIMED_HOOKS];
extern const struct pp_got_hook pp_c11_hooks[PP_C11_HOOKS];

/* What is watched now: bits of capture/wait.h. Once the originals are known;
 * async-signal-safe. */
void pp_locks_follow(int watch);

/* pthread_cond_wait(), for who wraps that of the program itself. */
int pp_locks_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);

#endif
