/*
 * The begin and the end of a thread of a worker, in whatever way the thread is
 * created. Who creates threads is in process.c and threads.c.
 *
 * Rule: the new thread calls pp_process_thread_begins() before its own
 * function; its end is seen by a destructor of pthread's keys.
 */
#ifndef PP_HOOK_THREAD_BEGIN_H
#define PP_HOOK_THREAD_BEGIN_H

#include "capture/thread.h"

/* Called once, in the constructor. Returns 0, or -1 if there is no key left. */
int pp_process_begin_prepare(void);

/* The creation of a thread that runs `function`, as its creator, the calling
 * thread, sees it. */
struct pp_thread_creation pp_process_creation(uintptr_t function);

/* Called in the new thread, before its function. */
void pp_process_thread_begins(const struct pp_thread_creation *creation);

#endif
