/*
 * Profiles of the application's own: things that it has (connections, files,
 * locks), each counted under the stack that added it until it is removed.
 *
 * Rule: any thread, not in signal handlers; no allocation, and no lock but
 * for a name that is new and between threads that add at the same time.
 */
#ifndef PP_CAPTURE_OWN_H
#define PP_CAPTURE_OWN_H

#include "capture/self.h"

/* Place of the profile in this slot, made if it is new. -1 with errno:
 * ENOTCONN (no slot), EINVAL (a name that is none: empty, too long, not
 * printable, or an endpoint's), ENOSPC (PP_OWN_MAX names). */
int pp_own_place(const char *name);

/* Add `key` under the calling stack, less `skip` frames. 0; -1 with errno:
 * those of _place(), EEXIST (the key is in it already), ENOSPC (no room for
 * it, counted). */
int pp_own_add(const char *name, const void *key, int skip);

/* Remove it. 0; -1 with errno: those of _place(), ENOENT. */
int pp_own_remove(const char *name, const void *key);

/* A worker starts: what its predecessors had is gone. Cold. */
void pp_own_start(void);

#endif
