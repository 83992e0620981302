/*
 * The C allocation functions, wrapped: malloc() and its relatives in every
 * object, also those that C++'s operator new and strdup() call.
 *
 * A call that is no sample costs one comparison and a jump; see
 * capture/heap.h for the rest.
 *
 * Rule: as safe as what it wraps. The allocator may be any (glibc, jemalloc,
 * tcmalloc): the originals are what the process would have called.
 */
#ifndef PP_HOOK_ALLOC_H
#define PP_HOOK_ALLOC_H

#include "hook/got.h"

#define PP_ALLOC_HOOKS 10

extern const struct pp_got_hook pp_alloc_hooks[PP_ALLOC_HOOKS];

#endif
