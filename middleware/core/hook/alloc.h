/*
 * This table wraps the C allocation functions: malloc() and its relatives in
 * every object, also the calls that C++'s operator new and strdup() make.
 *
 * A call that is no sample costs one comparison and a jump. The samples
 * themselves are in capture/alloc_sample.h.
 *
 * Rule: a wrapper is as safe as the function that it wraps. The allocator may
 * be any (glibc, jemalloc, tcmalloc): the originals are the functions that the
 * process would have called without us.
 */
#ifndef PP_HOOK_ALLOC_H
#define PP_HOOK_ALLOC_H

#include "hook/got.h"

#define PP_ALLOC_HOOKS 10

extern const struct pp_got_hook pp_hook_alloc[PP_ALLOC_HOOKS];

#endif
