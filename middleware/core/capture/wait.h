/*
 * Waits, summed up by stack and labels, for block and mutex. Nothing is
 * measured until a rate is set; from then on each wait that ends is offered
 * here.
 *
 * Rule: hot. The thread that has waited calls these functions, outside of
 * signal handlers, and inside of pthread_mutex_lock() and the like: no lock, no
 * allocation.
 */
#ifndef PP_CAPTURE_WAIT_H
#define PP_CAPTURE_WAIT_H

#include <stdint.h>

#include "base/waits.h"
#include "capture/self.h"

/* Bits that say who measures waits in this process. 0: nobody does, and the
 * wrappers jump to their originals. They follow the control words
 * (pp_wait_apply). */
#define PP_WATCH_BLOCK 1
#define PP_WATCH_MUTEX 2
#define PP_WATCH_TRACE 4
extern _Atomic int pp_wait_watch;

/* The thread or signal handler that changes pp_wait_watch calls this function
 * with each new value. NULL: none. */
extern void (*pp_wait_follow)(int watch);

/* Read the control words again; async-signal-safe. */
void pp_wait_apply(void);

/* The calling thread has waited `ns` for `wait`, a number below PP_WAITS_ALL;
 * the stack is the thread's own. Keeps errno. */
void pp_wait_ended(uint32_t wait, int64_t ns);

/* The sum of all `ns` that the calling thread has given to pp_wait_ended(). If
 * a wait has other waits within it, the caller takes their time off by this
 * sum. */
extern __thread int64_t pp_wait_sum;

/* The same for a stack and a label set that were taken earlier (0: none). */
void pp_wait_ended_at(enum pp_wait wait, int64_t ns, uint32_t stack,
    uint32_t label);

/* The calling thread has let go of something for which others have waited `ns`,
 * all together: one contention, as Go counts them. */
void pp_wait_caused(enum pp_wait wait, int64_t ns);

/* Returns the id of the calling thread's stack in the slot's table, 0: none
 * (counted); _skip() leaves the first `skip` frames out. */
uint32_t pp_wait_stack(void);
uint32_t pp_wait_stack_skip(int skip);

#endif
