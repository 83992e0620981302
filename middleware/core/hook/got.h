/*
 * Replacing functions by writing over the global offset tables of the loaded
 * objects: their calls to `name` arrive at ours. Calls within one object do
 * not pass there and are not seen.
 *
 * An entry is written over only where it leads to the very function that ours
 * goes on to. What an object calls by that name may be another one: its own
 * (RTLD_DEEPBIND, -Bsymbolic, a namespace of dlmopen()), an old version of
 * libc's, or what another tool has put there. All those are left as they are.
 *
 * Rule: outside of signal handlers, one thread at a time. pprof.so's own
 * table and the dynamic linker's are left alone.
 */
#ifndef PP_HOOK_GOT_H
#define PP_HOOK_GOT_H

#include <stddef.h>

enum pp_got_scope {
	PP_GOT_EXECUTABLE = 1, /* the program itself (kore) */
	PP_GOT_LIBRARIES = 2,
	PP_GOT_ALL = 3,
	PP_GOT_UNWINDER = 4,	/* libunwind alone */
	PP_GOT_BUT_UNWINDER = 8 /* libraries without it */
};

struct pp_got_hook {
	const char *name;
	void *replacement;
	void **original; /* filled before anything is patched */
	enum pp_got_scope scope;
};

/* Hooks of different names, and in all. */
#define PP_GOT_NAMES_MAX 384
#define PP_GOT_HOOKS_MAX 512

/*
 * What pp_got_patch() shall follow, kept by reference: once. A name that the
 * process does not define is left out. Returns -1 when there are too many.
 */
int pp_got_follow(const struct pp_got_hook *hooks, size_t count);

/*
 * Patch what has been loaded since the last call (if `fresh`; not while the
 * dynamic linker may be at work on it), and what was undecided then: an entry
 * that the dynamic linker fills at its first use, and that may come to lead
 * elsewhere. *undecided is the number of those that are left. Returns the number of
 * entries changed, or -1 when a table could not be made writable (the rest is
 * done).
 */
int pp_got_patch(int fresh, size_t *undecided);

#endif
