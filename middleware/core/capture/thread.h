/*
 * Threads as they come and go. A thread registers itself, since a CPU timer
 * must be told the thread id, and the unwinder wants to be warmed up in it.
 *
 * Rule: called by the thread itself, outside of signal handlers.
 */
#ifndef PP_CAPTURE_THREAD_H
#define PP_CAPTURE_THREAD_H

#include <stddef.h>

/* Make the calling thread a sampled one. `stack_size` is what it was created
 * with, 0 for the main thread. Does nothing in a process without a slot, or
 * for a thread that is registered. Full table: counted. */
void pp_thread_enter(size_t stack_size);

/* Undo it; called by a thread about to end. */
void pp_thread_leave(void);

#endif
