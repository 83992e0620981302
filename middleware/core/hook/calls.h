/*
 * System calls that may block, as modules and libraries make them, for the
 * trace. Off, each costs one branch and a jump. What the C library calls
 * within itself (stdio, the resolver) is not seen.
 *
 * Calls that go on after our own signal are in sleeps.h and sockets.h.
 *
 * Rule: the call is the original's, once, with what the caller gave; errno is
 * the original's, too.
 */
#ifndef PP_HOOK_CALLS_H
#define PP_HOOK_CALLS_H

#include "hook/got.h"

#define PP_CALL_HOOKS 24

extern const struct pp_got_hook pp_call_hooks[PP_CALL_HOOKS];

#endif
