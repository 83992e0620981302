/*
 * Threads that are born in other ways than by pthread_create() (process.c):
 * C11's, those that the C library makes to notify somebody, and bare clone();
 * and children that _Fork() and clone() make, of which nobody else is told.
 *
 * Rule: the caller gets what the original gives. Where there is no room to
 * follow a thread, the thread begins as if nobody asked.
 */
#ifndef PP_HOOK_THREADS_H
#define PP_HOOK_THREADS_H

#include "hook/got.h"

#define PP_THREAD_HOOKS 5

extern const struct pp_got_hook pp_thread_hooks[PP_THREAD_HOOKS];

#endif
