/*
 * syscall(), by which libraries make calls that the C library has no function
 * for, or none that they want: those that a signal ends whatever its flags go
 * on after one of ours, as in sleeps.h. All others are a jump.
 *
 * Rule: what a call returns was returned by the original.
 */
#ifndef PP_HOOK_RAW_H
#define PP_HOOK_RAW_H

#include "hook/got.h"

#define PP_RAW_HOOKS 1

extern const struct pp_got_hook pp_raw_hooks[PP_RAW_HOOKS];

#endif
