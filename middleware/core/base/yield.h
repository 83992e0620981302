/*
 * The yield point: how the collector's one thread does urgent work (it drains
 * rings) in the middle of long work (DWARF, encoding). Long work calls
 * pp_yield() now and then; the owner of the urgent work gives a function to
 * pp_yield_to(). Not a scheduler: there is one function.
 *
 * Rule: that function changes nothing that long work is using, and takes little
 * time. Collector's thread only.
 */
#ifndef PP_BASE_YIELD_H
#define PP_BASE_YIELD_H

/* Sets the function that pp_yield() calls from now on; NULL: none. `arg`
 * stays the caller's. */
void pp_yield_to(void (*call)(void *), void *arg);

/* Calls the function if its last call ended at least 20 ms ago. Within that
 * function pp_yield() does nothing. */
void pp_yield(void);

#endif
