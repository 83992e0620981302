/*
 * This table wraps calls that do much at once and that a signal of ours cuts
 * short: several messages, files, random bytes. Those calls go on with the
 * rest. It also wraps close(), which waits for a socket's last bytes if
 * SO_LINGER says so: SIGPROF is blocked during that wait.
 *
 * Calls that read or write one buffer are in sockets.h.
 *
 * Rule: every error is one that the original gives without our signals. If a
 * call fails after a part, the part is its result.
 */
#ifndef PP_HOOK_TRANSFERS_H
#define PP_HOOK_TRANSFERS_H

#include <stdatomic.h>

#include "hook/got.h"

#define PP_TRANSFER_HOOKS 9

/* 1: somebody has set SO_LINGER on some socket. The value goes from 0 to 1 once
 * and publishes nothing else, so a relaxed load is enough. */
extern _Atomic int pp_transfers_linger;

extern const struct pp_got_hook pp_hook_transfer[PP_TRANSFER_HOOKS];

#endif
