/*
 * The sampled allocations that live, by address. Private to capture/heap.c.
 *
 * Rule: hot, lock-free. An address lies in one of a few places that its hash
 * names, so that taking one out leaves no trace that others must step over.
 */
#ifndef PP_CAPTURE_HEAP_LIVE_H
#define PP_CAPTURE_HEAP_LIVE_H

#include "capture/heap.h"

/* Remember. A sample that is there already under this address was freed
 * behind our back: it is taken out, as `stale`, and is to be counted as freed;
 * if none is, its row is PP_HEAP_ROWS. 0, or -1: no room. */
int pp_heap_live_put(void *p, const struct pp_heap_sample *sample,
    struct pp_heap_sample *stale);

/* Take out; 0, or -1: not there. */
int pp_heap_live_take(const void *p, struct pp_heap_sample *sample);

/* Forget all. While there is one thread. */
void pp_heap_live_clear(void);

#endif
