/*
 * Heap samples: one allocation in so many bytes is looked at, its stack and
 * labels are summed up in the arena, and its address is remembered until the
 * memory is freed.
 *
 * Every thread counts down the bytes to its next sample. The distances are
 * exponential, and their mean is the rate, so that an allocation of s bytes is
 * sampled with probability 1 - exp(-s/rate), whatever came before.
 *
 * Rule: hot. The allocation wrappers (hook/alloc.c) call pp_alloc_pass() and
 * pp_alloc_known() for each call, and the other functions for samples only. No
 * lock, no allocation; what the sampled path calls allocates nothing that is
 * sampled.
 */
#ifndef PP_CAPTURE_ALLOC_SAMPLE_H
#define PP_CAPTURE_ALLOC_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "capture/self.h"

/* Each byte of the filter counts the live samples whose addresses hash to it.
 */
#define PP_ALLOC_FILTER 16384

extern __thread uint64_t pp_alloc_left; /* bytes to the thread's next sample */
extern _Atomic uint8_t pp_alloc_filter[PP_ALLOC_FILTER];

/* One live sample. */
struct pp_alloc_sample {
	uint32_t counter;
	uint64_t size;
};

static inline uint32_t
pp_alloc_hash(const void *p)
{
	return (
	    (uint32_t)(((uint64_t)(uintptr_t)p >> 4) * 0x9e3779b97f4a7c15ULL >>
		32));
}

/* Count `size` bytes. Returns 1: the allocation is no sample; 0: it is one, and
 * the caller gives what was allocated to pp_alloc_made(). */
static inline int
pp_alloc_pass(size_t size)
{
	if (__builtin_expect(size >= pp_alloc_left, 0))
		return (0);
	pp_alloc_left -= size;
	return (1);
}

/* Returns 0 if `p` is certainly no live sample. */
static inline int
pp_alloc_known(const void *p)
{
	return (__builtin_expect(
	    atomic_load_explicit(
		&pp_alloc_filter[pp_alloc_hash(p) % PP_ALLOC_FILTER],
		memory_order_relaxed) != 0,
	    0));
}

/* The caller has made an allocation for which pp_alloc_pass() gave 0. `p` NULL:
 * the allocation has failed. Keeps errno. */
void pp_alloc_made(void *p, size_t size);

/* The caller is about to free `p`, for which pp_alloc_known() gave 1. */
void pp_alloc_freed(void *p);

/* For realloc(): forget the sample at `p` for now. Returns 1 if there was one;
 * then the caller either counts it as freed or puts it back. */
int pp_alloc_take(void *p, struct pp_alloc_sample *sample);
void pp_alloc_count_free(const struct pp_alloc_sample *sample);
void pp_alloc_put_back(void *p, const struct pp_alloc_sample *sample);

/*
 * If a call that is counted as a whole allocates by another call, these two
 * functions enclose the other call, which is then not counted:
 *
 *     outer = pp_alloc_quiet(); p = ...; pp_alloc_loud(outer);
 */
static inline uint64_t
pp_alloc_quiet(void)
{
	uint64_t left = pp_alloc_left;

	pp_alloc_left = UINT64_MAX;
	return (left);
}

static inline void
pp_alloc_loud(uint64_t left)
{
	pp_alloc_left = left;
}

/* A worker starts in this slot: all that its predecessors held counts as freed.
 * Cold. */
void pp_alloc_start(void);

#endif
