/*
 * The calling thread's stack as an id of the slot's table. Heap samples, waits,
 * thread creations and custom profiles keep such an id.
 *
 * Rule: hot, outside of signal handlers; at most 512 bytes of the caller's
 * stack. Keeps errno.
 */
#ifndef PP_CAPTURE_STACK_HERE_H
#define PP_CAPTURE_STACK_HERE_H

#include <stdint.h>

#include "capture/unwind.h"

/* Returns the id of the stack without its first `skip` frames; 0: there is no
 * stack. The caller counts stacks that are missing or, by *end, incomplete. */
uint32_t pp_stack_here(int skip, enum pp_unwind_end *end);

#endif
