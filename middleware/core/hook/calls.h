/*
 * System calls that may block, as modules and libraries make them, for the
 * trace and the block profile. Off, each costs one branch and a jump. What the C
 * library calls within itself is not seen; of stdio see streams.h.
 *
 * Calls that go on after our own signal are in sleeps.h, sockets.h and masks.h.
 *
 * Rule: the call is the original's, once, with what the caller gave; errno is
 * the original's, too.
 */
#ifndef PP_HOOK_CALLS_H
#define PP_HOOK_CALLS_H

#include "hook/got.h"

#define PP_CALL_HOOKS 41

extern const struct pp_got_hook pp_call_hooks[PP_CALL_HOOKS];

#endif
