/*
 * The begin and the end of a thread of a worker, in whatever way it is born.
 */
#ifndef PP_HOOK_THREAD_BEGIN_H
#define PP_HOOK_THREAD_BEGIN_H

#include "capture/thread.h"

/* Once, in the constructor. Returns -1 when there is no room. */
int pp_thread_begin_prepare(void);

/* What the calling thread is about
 * to begin; and in the new thread, before its function. */
struct pp_thread_birth pp_process_birth(uintptr_t function);
void pp_process_thread_begins(const struct pp_thread_birth *birth);

#endif
