/*
 * Waits, summed up by stack and labels: what block and mutex show. Off until
 * a rate is set; then each wait that ends is offered here.
 *
 * Rule: hot. Called by the thread that waited, outside of signal handlers,
 * inside of pthread_mutex_lock() and its like: no lock, no allocation.
 */
#ifndef PP_CAPTURE_WAIT_H
#define PP_CAPTURE_WAIT_H

#include <stdint.h>

#include "base/waits.h"
#include "capture/self.h"

/* 0: nobody measures waits in this process, and the wrappers jump to their
 * originals; else bits. Follows the control words (pp_wait_apply). */
#define PP_WATCH_BLOCK 1
#define PP_WATCH_MUTEX 2
#define PP_WATCH_TRACE 4
extern _Atomic int pp_wait_watch;

/* Is told of each change, by whatever thread or signal handler makes it. NULL:
 * nobody. */
extern void (*pp_wait_follow)(int watch);

/* Look at the control words; async-signal-safe. */
void pp_wait_apply(void);

/* The calling thread has waited `ns` for `wait`, below PP_WAITS_ALL; its own
 * stack is taken. Keeps errno. */
void pp_wait_ended(uint32_t wait, int64_t ns);

/* What the calling thread has waited for so far by the former, ns: who has a
 * wait around another one takes that off. */
extern __thread int64_t pp_wait_sum;

/* The same, for a stack and a label set taken earlier (0: none). */
void pp_wait_ended_at(enum pp_wait wait, int64_t ns, uint32_t stack,
    uint32_t label);

/* The calling thread let go of what others waited `ns` for, all together; one
 * contention, as Go counts them. */
void pp_wait_caused(enum pp_wait wait, int64_t ns);

/* Id of the calling thread's stack in the slot's table, 0: none (counted);
 * without its first `skip` frames. */
uint32_t pp_wait_stack(void);
uint32_t pp_wait_stack_skip(int skip);

#endif
