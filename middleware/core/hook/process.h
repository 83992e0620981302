/*
 * The hooks that every process of the service has, whatever the server:
 * threads that begin, children that are forked, and what loader.h follows.
 *
 * Rule: set up once in the constructor. The adapter adds its own hooks for
 * the server's own calls by pp_process_hooks().
 */
#ifndef PP_HOOK_PROCESS_H
#define PP_HOOK_PROCESS_H

#include "capture/objects.h"
#include "capture/thread.h"
#include "hook/got.h"

#define PP_PROCESS_HOOKS_MAX 32

/*
 * Patch the loaded objects with our hooks and the caller's `hooks` (kept by
 * reference, count <= PP_PROCESS_HOOKS_MAX), and those loaded later too.
 * `seen` is called for each object that this process loads later and that the
 * slot did not know. Returns 0, or -1 with *why (a constant sentence) when
 * part of it could not be done.
 */
int pp_process_hook(const struct pp_got_hook *hooks, size_t count,
    pp_objects_seen_fn seen, const char **why);

/* What the calling thread was begun with, NULL if it did not begin as a thread
 * of a worker. */
extern __thread void *pp_process_argument;

#endif
