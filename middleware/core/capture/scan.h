/*
 * What this process has loaded: a list of its own, of which its slot gets a
 * copy. All actions (to reserve addresses, to give them back, to name files to
 * the collector) follow the list, which no other process can write.
 *
 * The addresses of an unloaded object are reserved (PROT_NONE, no memory), so
 * that no other code ever gets them: a pc in a sample stays unambiguous. Only
 * the same file may get its addresses back. If another thread was faster, or
 * the table has no entry for the object, the unwinder forgets what it remembers
 * of addresses instead.
 *
 * Rule: outside of signal handlers; one thread at a time (hook/loader.c holds a
 * lock).
 */
#ifndef PP_CAPTURE_SCAN_H
#define PP_CAPTURE_SCAN_H

#include "store/arena.h"

/* pp_scan_objects() calls this function for an object that was not in the list
 * before. */
typedef void (*pp_objects_seen_fn)(const struct pp_object *object);

/* Remember the path of the executable, whose name in the dynamic linker's list
 * is "". Called once, before any chroot. */
void pp_scan_prepare(void);

/* Bring the list, and the slot's copy, up to date with the dynamic linker's.
 * `seen` may be NULL. Does nothing without a slot. */
void pp_scan_objects(pp_objects_seen_fn seen);

/* The list of this process. */
const struct pp_objects *pp_scan_mine(void);

/* `path` is about to be loaded, perhaps not for the first time: the addresses
 * that are reserved for that file are free for it until the next scan. Returns
 * 1 if there were any. */
int pp_scan_release(const char *path);

#endif
