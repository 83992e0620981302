/*
 * The functions that are taken from libunwind: unwind_load.c finds them,
 * unwind.c calls them. NULL: there is no unwinder.
 */
#ifndef PP_CAPTURE_UNWIND_LIB_H
#define PP_CAPTURE_UNWIND_LIB_H

#include <stdint.h>

extern int (*pp_unwind_backtrace)(void **, int);

#if defined(__aarch64__)
/* These go one frame at a time, from where a signal came: slower, see unwind.c.
 */
extern int (*pp_unwind_init)(void *cursor, void *context, int flag);
extern int (*pp_unwind_step)(void *cursor);
extern int (*pp_unwind_reg)(void *cursor, int reg, uint64_t *value);
#endif

/* 1: the thread is in unw_backtrace() on our behalf; own thread only. */
extern __thread volatile int pp_unwind_ours;

/* The addresses of pprof.so's own code: its frames are not the application's.
 */
extern uintptr_t pp_unwind_own_start, pp_unwind_own_limit;

#endif
