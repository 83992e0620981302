/*
 * This table wraps the ways to create a thread other than pthread_create(),
 * which is in process.c: C11's threads, those that the C library creates to
 * notify somebody, and bare clone(); and _Fork() and clone() where they create
 * a child, of which pthread_atfork() is not told.
 *
 * Rule: the caller gets the original's result. If there is no room to follow a
 * thread, the thread begins as without the profiler.
 */
#ifndef PP_HOOK_THREADS_H
#define PP_HOOK_THREADS_H

#include "hook/got.h"

#define PP_THREAD_HOOKS 5

extern const struct pp_got_hook pp_hook_thread[PP_THREAD_HOOKS];

#endif
