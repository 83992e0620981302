/*
 * The calling thread's stack as an id of the slot's table, for what stays:
 * heap samples, waits, thread creations, the application's own profiles.
 *
 * Rule: hot, outside of signal handlers; at most 512 bytes of the caller's
 * stack. Keeps errno.
 */
#ifndef PP_CAPTURE_STACK_HERE_H
#define PP_CAPTURE_STACK_HERE_H

#include <stdint.h>

#include "capture/unwind.h"

/* The id, without the first `skip` frames; 0: none. That and how it ends the
 * caller counts. */
uint32_t pp_stack_here(int skip, enum pp_unwind_end *end);

#endif
