/*
 * What the parent knows and a process that does not inherit it must be told:
 * how large the arena is, and which files are loaded. In a sealed memfd, made of
 * the parent's own memory, so that no worker has a word in it.
 *
 *     head of struct pp_arena | struct pp_object ...
 *
 * Rule: written once, by the parent.
 */
#ifndef PP_STORE_FACTS_H
#define PP_STORE_FACTS_H

#include "store/arena.h"

/* The memfd, close-on-exec; `objects` is private memory of the caller's.
 * Returns -1 with errno set when it could not be made. Called by the parent. */
int pp_arena_facts(const struct pp_arena *arena,
    const struct pp_objects *objects);

/*
 * Map an arena that another process made, for reading and control.
 *
 * The head comes from `facts`. Checks magic and geometry against this build
 * and the size of the file, so that no slot lies outside the mapping. Returns
 * NULL with errno EPROTO when they do not fit, or mmap's errno. Does not take
 * the descriptors.
 */
struct pp_arena *pp_arena_attach(int fd, int facts);

/* File `index` of the facts, checked as pp_objects_read() does. Returns 0, or
 * -1 when there is none. */
int pp_arena_fact(int facts, uint32_t index, struct pp_object *out);

#endif
