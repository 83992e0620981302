/*
 * Who waits for which lock now, so that whoever lets go of it can be charged
 * with the time that others have waited while it was held.
 *
 * Rule: hot, lock-free. Only contended locks are in the table; a lock that
 * nobody waits for costs its unlocker one load.
 */
#ifndef PP_CAPTURE_CONTENTION_H
#define PP_CAPTURE_CONTENTION_H

#include <stdint.h>

#include "base/waits.h"

/* A thread begins to wait for `lock`. Returns a handle for _leave(), or -1:
 * no room (counted). */
int pp_contention_enter(const void *lock);

/* It has got it, or given up. */
void pp_contention_leave(int handle);

/* The calling thread is about to let go of `lock`: what has been waited for
 * it since the last one did so is this one's. */
void pp_contention_release(const void *lock, enum pp_wait wait);

#endif
