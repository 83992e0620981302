/*
 * Calls that do much at once, and that a signal of ours cuts short: several
 * messages, files, random bytes; and close(), which waits for a socket's last
 * bytes where SO_LINGER says so. They go on with the rest; close() is not
 * disturbed.
 *
 * What reads and writes one buffer is in sockets.h.
 *
 * Rule: errors are the original's. What fails after a part gives the part.
 */
#ifndef PP_HOOK_TRANSFERS_H
#define PP_HOOK_TRANSFERS_H

#include <stdatomic.h>

#include "hook/got.h"

#define PP_TRANSFER_HOOKS 9

/* 1: some socket is to wait for its last bytes when it is closed. */
extern _Atomic int pp_transfers_linger;

extern const struct pp_got_hook pp_transfer_hooks[PP_TRANSFER_HOOKS];

#endif
