/*
 * A stack of our own for each registered thread, and the switch to it: the
 * application's stack may be a thread's smallest, a coroutine's or an
 * alternate signal stack, and the unwinder wants 8 KiB.
 *
 * Not a stack for the application's code: only our own code runs on it.
 *
 * Rule: hot. At most 512 bytes of the caller's stack are used. The memory is
 * mapped when a thread first needs it, and stays with the entry in the thread
 * table for the next thread there. The owner of the entry owns the stack: the
 * store of the state FREE by one thread is a release, and pairs with the
 * acquire of the compare-and-swap by which the next thread claims the entry.
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
 * The top of the calling thread's own stack, which is mapped now if that has
 * not been done. NULL: the system gave no memory. `thread` is the caller's own
 * entry.
 */
void *pp_own_stack_top(struct pp_thread *thread);

/*
 * Calls run(argument) on the stack that ends at `top`. The frame is a standard
 * one (its caller's address lies behind the frame pointer), so that unwinders
 * walk across.
 */
void pp_own_stack_call(void (*run)(void *), void *argument, void *top);

/*
 * For a signal handler: calls run(argument) on the thread's own stack. If the
 * handler has interrupted code on that stack, it goes on where it is. Returns
 * 0, or -1: there is no stack or too little room, and nothing was run.
 */
int pp_own_stack_in_handler(struct pp_thread *thread, void (*run)(void *),
    void *argument);

/*
 * For everything else: calls run(argument) on the caller's stack if the
 * thread's stack has room enough, otherwise on our own stack. Returns 0, or -1:
 * neither has room, and nothing was run. Keeps errno if run() does.
 */
int pp_own_stack_run(void (*run)(void *), void *argument);

#endif
