/*
 * The one function that is taken from libunwind, between unwind_load.c, which
 * finds it, and unwind.c, which calls it. NULL: there is no unwinder.
 */
#ifndef PP_CAPTURE_UNWIND_LIB_H
#define PP_CAPTURE_UNWIND_LIB_H

#include <stdint.h>

extern int (*pp_unwind_backtrace)(void **, int);

/* The thread is in unw_backtrace() on our behalf; own thread only. */
extern __thread volatile int pp_unwind_ours;

/* Where pprof.so's own code lies: its frames are not the application's. */
extern uintptr_t pp_unwind_own_start, pp_unwind_own_limit;

#endif
