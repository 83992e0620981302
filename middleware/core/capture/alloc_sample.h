/*
 * Heap samples: one allocation in so many bytes is looked at, its stack and
 * labels are summed up in the arena, and its address is remembered until it
 * is freed.
 *
 * Every thread counts down the bytes to its next sample; the distances are
 * exponential with the mean of the rate, so that an allocation of s bytes is
 * sampled with probability 1 - exp(-s/rate), whatever came before.
 *
 * Rule: hot. The allocation wrappers (hook/alloc.c) call pp_alloc_pass() and
 * pp_alloc_known() for each call and the rest for samples only. No lock, no
 * allocation; what the sampled path calls allocates nothing that is sampled.
 */
#ifndef PP_CAPTURE_ALLOC_SAMPLE_H
#define PP_CAPTURE_ALLOC_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "capture/self.h"

/* One byte counts the live samples whose addresses hash there. */
#define PP_ALLOC_FILTER 16384

extern __thread uint64_t pp_alloc_left; /* bytes to the thread's next sample */
extern _Atomic uint8_t pp_alloc_filter[PP_ALLOC_FILTER];

/* What is known of one live sample. */
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

/* Count `size` bytes. 1: not a sample; 0: it is one, call pp_alloc_made()
 * with what was allocated. */
static inline int
pp_alloc_pass(size_t size)
{
	if (__builtin_expect(size >= pp_alloc_left, 0))
		return (0);
	pp_alloc_left -= size;
	return (1);
}

/* 0: certainly not a live sample. */
static inline int
pp_alloc_known(const void *p)
{
	return (__builtin_expect(
	    atomic_load_explicit(
		&pp_alloc_filter[pp_alloc_hash(p) % PP_ALLOC_FILTER],
		memory_order_relaxed) != 0,
	    0));
}

/* An allocation for which pp_alloc_pass() gave 0. `p` NULL: it failed. Keeps
 * errno. */
void pp_alloc_made(void *p, size_t size);

/* Before `p` is freed, when pp_alloc_known() gave 1. */
void pp_alloc_freed(void *p);

/* For realloc(): forget the sample at `p` for now. 1 when there was one; then
 * either count it as freed, or put it back. */
int pp_alloc_take(void *p, struct pp_alloc_sample *sample);
void pp_alloc_count_free(const struct pp_alloc_sample *sample);
void pp_alloc_put_back(void *p, const struct pp_alloc_sample *sample);

/*
 * Around a call that allocates on behalf of one that is counted as a whole:
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

/* A worker starts in this slot: what its predecessors held is gone. Cold. */
void pp_alloc_start(void);

#endif
