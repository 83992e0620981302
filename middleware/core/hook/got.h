/*
 * Replacing functions by writing over the global offset tables of the loaded
 * objects: their calls to `name` arrive at ours. Calls within one object do
 * not pass there and are not seen.
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

/*
 * Patch all objects that are loaded now and not patched yet. Call again after
 * dlopen(). A name that the process does not define is left out. Returns the
 * number of table entries changed, or -1 when a table could not be made
 * writable (the rest is done).
 */
int pp_got_patch(const struct pp_got_hook *hooks, size_t count);

#endif
