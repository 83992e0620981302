/*
 * Libraries come and go: what is loaded is patched (got.h), known to the
 * unwinder and written into the slot (capture/objects.h), before anything of
 * it runs; whoever loads it, and however.
 *
 * The dynamic linker calls a function of its own whenever its list has changed,
 * for debuggers, and libc's _dl_catch_exception() before it runs constructors.
 * Both have our jump at their entry. Where they cannot have one, calls of
 * dlopen() and dlclose() are followed, and what else was loaded is seen with
 * the next request.
 *
 * Rule: set up once, in the constructor. The dynamic linker's lock may be held
 * when ours is taken, never the other way round: nothing here that holds ours
 * calls dlopen(), dlsym() and the like.
 */
#ifndef PP_HOOK_LOADER_H
#define PP_HOOK_LOADER_H

#include "capture/objects.h"
#include "hook/got.h"

#define PP_LOADER_HOOKS 2

extern const struct pp_got_hook pp_loader_hooks[PP_LOADER_HOOKS];

/* pp_got_follow() has been called. Patches what is loaded; `seen` is called for
 * each object that this process loads later and that the slot did not know.
 * Returns -1 when a call table could not be made writable. */
int pp_loader_begin(pp_objects_seen_fn seen);

/* In a child. */
void pp_loader_forked(void);

/* Look at what could not be followed. One predicted branch when there was
 * nothing. Outside of signal handlers. */
void pp_loader_catch_up(void);

#endif
