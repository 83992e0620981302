/*
 * The objects (executable, shared libraries) that a process has loaded, so
 * that the collector can tell which file a pc belongs to, also after the
 * process has unloaded it or died. Not symbols: those are the collector's.
 *
 * Entries are never reused. The addresses of an unloaded object are kept
 * reserved in the process (capture/objects.c), so within a process a pc means
 * one object for ever.
 *
 * Rule: written by the slot's own process outside of signal handlers; the
 * entry first, its state last, then `changes`.
 */
#ifndef PP_STORE_OBJECTS_H
#define PP_STORE_OBJECTS_H

#include "store/arena.h"

/*
 * Add an object, or revive the retired entry of the same object at the same
 * place. `entry->state` is ignored. Returns its index, or -1 when the table
 * is full (the caller counts). *fresh tells whether the entry is new.
 */
int pp_objects_add(struct pp_objects *objects, const struct pp_object *entry,
    int *fresh);

/* Mark the entry as unloaded. */
void pp_objects_retire(struct pp_objects *objects, uint32_t index);

/* Whether the two are the same file: by build id if both have one, by name if
 * none has. `own` is memory of the caller's: it says how much is compared. */
int pp_objects_same_file(const struct pp_object *a,
    const struct pp_object *own);

/* Lengths in range, limits in order, the text as long as it says, which is
 * terminated now. Returns 0, or -1: it lies. */
int pp_object_check(struct pp_object *object);

/*
 * Copy entry `index` out, checked. Returns 0, or -1 when there is no such entry
 * or it lies. Any process.
 */
int pp_objects_read(const struct pp_objects *objects, uint32_t index,
    struct pp_object *out);

#endif
