/*
 * Custom profiles: things that the application holds (connections, files,
 * locks) are counted under the stack that added them until they are removed.
 * Not the public functions, which are the adapter's.
 *
 * Rule: any thread, not in signal handlers; no allocation. A lock is taken for
 * a new name, and between threads that add at the same time.
 */
#ifndef PP_CAPTURE_CUSTOM_H
#define PP_CAPTURE_CUSTOM_H

#include "capture/self.h"

/* The index of the profile `name` in this slot, made now if the name is new. -1
 * with errno: ENOTCONN (no slot), EINVAL (the name is empty, too long, not
 * printable, or an endpoint's), ENOSPC (there are PP_CUSTOM_MAX names). */
int pp_custom_place(const char *name);

/* Add `key` under the caller's stack, without its first `skip` frames. 0; -1
 * with errno: those of _place(), EEXIST (the profile has the key already),
 * ENOSPC (no room, counted). */
int pp_custom_add(const char *name, const void *key, int skip);

/* Remove `key`. 0; -1 with errno: those of _place(), ENOENT (the profile does
 * not have the key). */
int pp_custom_remove(const char *name, const void *key);

/* A worker starts in this slot: all that its predecessors held counts as
 * removed. Cold. */
void pp_custom_start(void);

#endif
