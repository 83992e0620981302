/*
 * A stack of our own for each registered thread, and the switch to it: the
 * application's stack may be a thread's smallest, a coroutine's or an
 * alternate signal stack, and the unwinder wants 8 KiB.
 *
 * Not a stack for the application's code: what runs on it is ours alone.
 *
 * Rule: hot. At most 512 bytes of the stack that the caller is on are used.
 * The memory is mapped when the thread first needs it and stays with the
 * thread's place in the table, for the next thread in that place.
 */
#ifndef PP_CAPTURE_OWN_STACK_H
#define PP_CAPTURE_OWN_STACK_H

#include "capture/self.h"

/* The unwinder's slow path takes 7 KiB, our frames 3; the rest is for a signal
 * handler of the application's that interrupts a walk outside of ours. */
#define PP_OWN_STACK_SIZE 65536

/* What must be left of a stack for a walk to take place on that stack. */
#define PP_OWN_STACK_NEED 24576

/*
 * The top of the calling thread's own stack, which is mapped now if it has not
 * been. NULL: the system gave no memory. `thread` is the caller's own entry.
 */
void *pp_own_stack_top(struct pp_thread *thread);

/*
 * Calls run(argument) on the stack that ends at `top`. The frame is a standard
 * one (its caller's address lies behind the frame pointer), so that unwinders
 * walk across.
 */
void pp_own_stack_call(void (*run)(void *), void *argument, void *top);

/*
 * For a signal handler: run(argument) on the thread's own stack, or where the
 * caller is if that stack has been interrupted. -1: there is none, and nothing
 * was run.
 */
int pp_own_stack_in_handler(struct pp_thread *thread, void (*run)(void *),
    void *argument);

/*
 * For everything else: run(argument) where the caller is if the thread's stack
 * has room enough, otherwise on its own stack. -1: there is neither, and
 * nothing was run. Keeps errno.
 */
int pp_own_stack_run(void (*run)(void *), void *argument);

#endif
