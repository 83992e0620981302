/*
 * The heap of all workers as one profile: the sums that the workers keep in the
 * arena (store/heap.h) are read, scaled up and put under one address space.
 *
 * Not the sampling: capture/alloc_sample.c does that in the workers. Not the
 * names: the service gives locations their lines.
 *
 * When a process dies, what it allocated stays in the sums and what it held
 * goes: a slot without a living process has nothing in use.
 *
 * Rule: cold; only reads the arena and never believes it: a counter with
 * impossible numbers is left out and counted, and a counter with an impossible
 * stack loses the stack.
 */
#ifndef PP_COUNTS_HEAP_H
#define PP_COUNTS_HEAP_H

#include <stdint.h>

#include "base/limits.h"
#include "profile/profile.h"

struct pp_arena;
struct pp_address_map;
struct pp_heap_reader;

/* The indices of the four values of a sample. */
enum pp_heap_type {
	PP_HEAP_TYPE_ALLOC_OBJECTS,
	PP_HEAP_TYPE_ALLOC_SPACE,
	PP_HEAP_TYPE_INUSE_OBJECTS,
	PP_HEAP_TYPE_INUSE_SPACE
};

/* How the caller wants the values (in), and what was found (out). */
struct pp_heap_view {
	int raw; /* in: 1: if all counters have one rate, values stay as they
		    were sampled; else they are scaled */
	const char *default_type; /* in: the type that readers show first */
	uint64_t rate; /* out: rate of the raw values; 1: values are scaled, or
			  every allocation was sampled */
	int mixed;     /* out: 1: `raw` was set, but there are several rates */
	uint64_t live[PP_WORKERS_MAX + 1]; /* out: bytes in use by slot, always
					      scaled */
};

/* `slots` has been checked against the arena's size; arena and map stay the
 * caller's, and must outlive the reader. NULL: out of memory. */
struct pp_heap_reader *pp_heap_reader_new(const struct pp_arena *arena,
    uint32_t slots, struct pp_address_map *map);
void pp_heap_reader_free(struct pp_heap_reader *reader);

/* Return how many counters all workers have: one for each stack, route, size
 * class and rate. */
uint64_t pp_heap_reader_count(const struct pp_heap_reader *reader);

/* Return the bytes in use of all workers, scaled up. No stack is resolved, so
 * that the call costs little. */
uint64_t pp_heap_reader_live(const struct pp_heap_reader *reader);

/* Return the heap of this moment as a profile without symbols, which the caller
 * frees; NULL: out of memory. The sample with the most bytes in use comes
 * first. */
struct pp_profile *pp_heap_reader_profile(struct pp_heap_reader *reader,
    struct pp_heap_view *view);

/* For each counter of the slot, call `each` with the slot's own id of the label
 * set, and with the allocated objects and bytes, scaled up. */
void pp_heap_reader_labels(const struct pp_heap_reader *reader, uint32_t slot,
    void (*each)(void *arg, uint32_t label, const int64_t alloc[2]), void *arg);

/*
 * Compute what `count` samples of `bytes` together stand for, if one was taken
 * in `rate` bytes: both numbers times 1 / (1 - exp(-mean / rate)), rounded. If
 * the rate is 1 or less, or the mean is 0, both stay as they are. Each result
 * is at most PP_HEAP_VALUE_MAX.
 */
#define PP_HEAP_VALUE_MAX (1LL << 62)
void pp_heap_scale(uint64_t count, uint64_t bytes, uint64_t rate,
    int64_t out[2]);

#endif
