/*
 * This table wraps syscall(). Libraries use it for calls that have no function
 * in the C library, or none that suits them. A call that a signal ends whatever
 * the handler's flags are goes on after a signal of ours, as in sleeps.h; what
 * writes goes on with the rest, as in sockets.h. All other calls go straight to
 * the original.
 *
 * Rule: every error is one that the original gives without our signals. If a
 * call that writes fails after a part, the part is its result.
 */
#ifndef PP_HOOK_RAW_H
#define PP_HOOK_RAW_H

#include "hook/got.h"

#define PP_RAW_HOOKS 1

extern const struct pp_got_hook pp_hook_raw[PP_RAW_HOOKS];

#endif
