/*
 * The objects (executable, shared libraries) that a process has loaded, one
 * entry for each executable segment. By them the collector tells which file a
 * pc belongs to, even after the process has unloaded the object or died. Not
 * symbols, which are the collector's.
 *
 * Entries are never reused. The addresses of an unloaded object stay reserved
 * in the process (capture/scan.c), so within a process a pc means one object
 * for ever.
 *
 * Rule: the slot's own process writes, one thread at a time, outside of signal
 * handlers. The release store of an entry's state, which comes after its other
 * fields, pairs with the acquire load of the state in pp_objects_read(); the
 * release of `changes` comes last. A filled entry changes in its state only.
 * `changes` is compared for equality: a reader would have to miss 2^32 changes.
 */
#ifndef PP_STORE_OBJECTS_H
#define PP_STORE_OBJECTS_H

#include "store/arena.h"

/*
 * Add an object, or revive the retired entry of the same file at the same
 * addresses. `entry->state` is ignored. Returns the index, or -1 when the table
 * is full (the caller counts). *fresh is 1 if the entry is new, else 0.
 */
int pp_objects_add(struct pp_objects *objects, const struct pp_object *entry,
    int *fresh);

/* Mark entry `index` as unloaded. */
void pp_objects_retire(struct pp_objects *objects, uint32_t index);

/* Whether the two are the same file: if both have a build id, by build id; if
 * neither has one, by name. `own` is the caller's private memory, and its
 * lengths say how much is compared. */
int pp_objects_same_file(const struct pp_object *a,
    const struct pp_object *own);

/* Check a private copy: the lengths are in range, the limits are in order, and
 * the name has name_len bytes. Terminates the name. Returns 0, or -1. */
int pp_object_check(struct pp_object *object);

/*
 * Copy entry `index` and check the copy. Returns 0, or -1 when there is no such
 * entry or its numbers make no sense. Any process, any thread.
 */
int pp_objects_read(const struct pp_objects *objects, uint32_t index,
    struct pp_object *out);

#endif
