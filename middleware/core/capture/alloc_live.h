/*
 * The sampled allocations that live, by address. Private to
 * capture/alloc_sample.c. Not the counters, which are in the arena.
 *
 * Rule: hot, lock-free (alloc_live.c says how). An address lies in one of a few
 * entries that its hash names; therefore an entry that is taken out needs no
 * mark that other lookups must step over.
 */
#ifndef PP_CAPTURE_ALLOC_LIVE_H
#define PP_CAPTURE_ALLOC_LIVE_H

#include "capture/alloc_sample.h"

/* Remember the sample at `p`. If there is one at this address already, it was
 * freed without being seen: it is taken out into *stale, and the caller counts
 * it as freed; else stale->counter is PP_HEAP_COUNTERS. Returns 0, or -1: no
 * room. */
int pp_alloc_live_put(void *p, const struct pp_alloc_sample *sample,
    struct pp_alloc_sample *stale);

/* Take the sample at `p` out. Returns 0, or -1: there is none. */
int pp_alloc_live_take(const void *p, struct pp_alloc_sample *sample);

/* Forget all samples. Only while the process has one thread. */
void pp_alloc_live_clear(void);

#endif
