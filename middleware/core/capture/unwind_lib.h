/*
 * The one function that is taken from libunwind, between unwind_load.c, which
 * finds it, and unwind.c, which calls it. NULL: there is no unwinder.
 */
#ifndef PP_CAPTURE_UNWIND_LIB_H
#define PP_CAPTURE_UNWIND_LIB_H

extern int (*pp_unwind_backtrace)(void **, int);

#endif
