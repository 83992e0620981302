/*
 * This table wraps system calls that may block, as modules and libraries make
 * them, for the trace and the block profile. While neither is on, each call
 * costs one branch and a jump. Calls that the C library makes within itself are
 * not seen; the calls of stdio are in streams.h.
 *
 * Calls that go on after our own signal are in sleeps.h, sockets.h and masks.h.
 *
 * Rule: a wrapper calls the original once, with the caller's arguments, and
 * result and errno are the original's.
 */
#ifndef PP_HOOK_CALLS_H
#define PP_HOOK_CALLS_H

#include "hook/got.h"

#define PP_CALL_HOOKS 41

extern const struct pp_got_hook pp_hook_call[PP_CALL_HOOKS];

#endif
