/*
 * What this process has loaded: a list of its own, of which its slot gets a
 * copy. What is done (addresses reserved and given back, files named to the
 * collector) is done by the list, which no other process can write.
 *
 * The addresses of an unloaded object are reserved (PROT_NONE, no memory), so
 * that no other code ever gets them: a pc in a sample stays unambiguous. Only
 * the same file may have them back. Where another thread was faster, or the
 * table has no entry for the object, what the unwinder remembers of addresses
 * is forgotten instead.
 *
 * Rule: outside of signal handlers; one thread at a time (hook/loader.c holds a
 * lock).
 */
#ifndef PP_CAPTURE_SCAN_H
#define PP_CAPTURE_SCAN_H

#include "store/arena.h"

/* Called for an object that was not in the table before. */
typedef void (*pp_objects_seen_fn)(const struct pp_object *object);

/* Remember what "" (the executable) is called. Once, before any chroot. */
void pp_scan_prepare(void);

/* Bring the list, and the slot's copy, up to date with the dynamic linker's.
 * `seen` may be NULL. Does nothing without a slot. */
void pp_scan_objects(pp_objects_seen_fn seen);

/* The list. */
const struct pp_objects *pp_scan_mine(void);

/* `path` is about to be loaded, perhaps not for the first time: what that file
 * had is free for it until the next scan. Returns whether it had something. */
int pp_scan_release(const char *path);

#endif
