/*
 * The hooks that every process of the service has, whatever the server is, are
 * put together here: threads that begin, children that are forked, and the
 * objects that loader.h follows.
 *
 * Rule: this is set up once, in the constructor. The adapter gives its hooks
 * for the server's own calls to pp_process_hook().
 */
#ifndef PP_HOOK_PROCESS_H
#define PP_HOOK_PROCESS_H

#include "capture/scan.h"
#include "capture/thread.h"
#include "hook/got.h"

#define PP_PROCESS_HOOKS_MAX 32

/*
 * Patch the loaded objects, and those that are loaded later, with our hooks and
 * the caller's `hooks` (copied; count <= PP_PROCESS_HOOKS_MAX). `seen` is
 * called for each object that this process loads later and that the slot did
 * not know. Returns 0, or -1 with *why (a constant sentence) if a part of this
 * could not be done.
 */
int pp_process_hook(const struct pp_got_hook *hooks, size_t count,
    pp_objects_seen_fn seen, const char **why);

/* The argument that the calling thread was begun with by pthread_create(). NULL
 * if the thread did not begin so in a worker. */
extern __thread void *pp_process_argument;

#endif
