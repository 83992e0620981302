/*
 * Facts: what the parent knows and a collector, which does not inherit the
 * parent's memory, must be told: how large the arena is, and which files are
 * loaded. They are copied from the parent's private memory into a sealed memfd,
 * so that no worker can change them. Not the arena itself (arena.h).
 *
 *     head of struct pp_arena | struct pp_object ...
 *
 * Rule: written once, by the parent, and sealed before anybody reads.
 */
#ifndef PP_STORE_FACTS_H
#define PP_STORE_FACTS_H

#include "store/arena.h"

/* Make the facts; `objects` is private memory of the caller. Returns the memfd,
 * which the caller owns (close-on-exec), or -1 with errno. Called by the
 * parent. */
int pp_arena_facts(const struct pp_arena *arena,
    const struct pp_objects *objects);

/*
 * Map an arena that another process made, for reading and control.
 *
 * The head comes from `facts`. Magic and geometry are checked against this
 * build and the size of the file, so that no slot lies outside the mapping.
 * Returns the mapping, which pp_arena_detach() ends; NULL with errno EPROTO
 * when a check fails, or with mmap's errno. The descriptors stay the caller's.
 */
struct pp_arena *pp_arena_attach(int fd, int facts);

/* Copy object `index` of the facts, checked by pp_object_check(). Returns 0, or
 * -1 when there is none or its numbers make no sense. */
int pp_arena_fact(int facts, uint32_t index, struct pp_object *out);

#endif
