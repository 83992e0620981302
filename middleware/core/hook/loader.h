/*
 * Libraries come and go. Before any code of a new object runs, its tables are
 * patched (got.h), the unwinder knows the object, and the object is written
 * into the slot (capture/scan.h), whoever has loaded it and how.
 *
 * The dynamic linker calls a function of its own whenever its list has changed,
 * for debuggers, and libc's _dl_catch_exception() before it runs constructors.
 * Both functions have our jump at their entry. Where the jumps cannot be, calls
 * of dlopen() and dlclose() are followed, and objects that were loaded in
 * another way are seen with the next request.
 *
 * Rule: this is set up once, in the constructor. The dynamic linker's lock may
 * be held when our lock is taken, never the other way round: code that holds
 * our lock does not call dlopen(), dlsym() and the like.
 */
#ifndef PP_HOOK_LOADER_H
#define PP_HOOK_LOADER_H

#include "capture/scan.h"
#include "hook/got.h"

#define PP_LOADER_HOOKS 2

extern const struct pp_got_hook pp_hook_loader[PP_LOADER_HOOKS];

/* Patch the loaded objects, after pp_got_follow() has been called. `seen` is
 * called for each object that this process loads later and that the slot did
 * not know. Returns 0, or -1 if a call table could not be made writable. */
int pp_loader_begin(pp_objects_seen_fn seen);

/* A child calls this after fork(). */
void pp_loader_forked(void);

/* Look at the objects and entries that could not be followed when they came. If
 * there are none, this costs one predicted branch. Not for signal handlers. */
void pp_loader_catch_up(void);

#endif
