/*
 * Functions are replaced by writing over the global offset tables of the loaded
 * objects: their calls of a name arrive at our replacement. Calls within one
 * object do not pass the table and are not seen.
 *
 * An entry is written over only if the entry leads to the very function that
 * the replacement goes on to. An object may call another function by the same
 * name: one of its own (RTLD_DEEPBIND, -Bsymbolic, a namespace of dlmopen()),
 * an old version of libc's, or a function that another tool has put there. All
 * those entries are left as they are.
 *
 * Rule: these functions run outside of signal handlers, in one thread at a
 * time. pprof.so's own table and the dynamic linker's are left alone.
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

/* How many names the hooks may have, and how many hooks there may be. */
#define PP_GOT_NAMES_MAX 384
#define PP_GOT_HOOKS_MAX 512

/*
 * Say what pp_got_patch() shall follow, once. The table is kept by reference,
 * and *original of each hook is filled. A name that the process does not define
 * is left out. Returns 0, or -1 if there are too many hooks or names.
 */
int pp_got_follow(const struct pp_got_hook *hooks, size_t count);

/*
 * Patch the entries that were undecided at the last call and, if `fresh`, the
 * objects that have been loaded since. While the dynamic linker may be at work
 * on a new object, `fresh` must be 0. An entry is undecided if the dynamic
 * linker fills it at its first use and may fill it with another function;
 * *undecided is the number of entries that are still so. Returns the number of
 * entries changed, or -1 if a table could not be made writable (all other
 * tables are patched).
 */
int pp_got_patch(int fresh, size_t *undecided);

#endif
