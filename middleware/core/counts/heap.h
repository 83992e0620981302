/*
 * The heap of all workers as one profile: the sums that they keep in the
 * arena (store/heap.h), read, scaled up and put under one address space.
 *
 * Not the sampling: that is capture/heap.c, in the workers. No names; the
 * service gives locations their lines.
 *
 * What a process allocated stays when it dies, what it held goes with it: a
 * slot in which nobody lives has nothing in use.
 *
 * Rule: cold; only reads. Never believes what it reads: a row that lies is
 * left out and counted, a stack that lies costs its row the stack.
 */
#ifndef PP_COUNTS_HEAP_H
#define PP_COUNTS_HEAP_H

#include <stdint.h>

#include "base/limits.h"
#include "profile/profile.h"

struct pp_arena;
struct pp_canon;
struct pp_heap_reader;

/* The places of the four values of a sample. */
enum pp_heap_type {
	PP_HEAP_TYPE_ALLOC_OBJECTS,
	PP_HEAP_TYPE_ALLOC_SPACE,
	PP_HEAP_TYPE_INUSE_OBJECTS,
	PP_HEAP_TYPE_INUSE_SPACE
};

/* How the values are to be, and what was found. */
struct pp_heap_view {
	int raw; /* in: leave the values as they were sampled, if all rows have
		    one rate; else they are scaled all the same */
	const char *default_type; /* in: the type that readers show first */
	uint64_t rate; /* out: rate of the raw values; 1: values are scaled, or
			  every allocation was sampled */
	int mixed;     /* out: raw was asked and there are several rates */
	uint64_t live[PP_WORKERS_MAX + 1]; /* out: bytes in use by slot, always
					      scaled */
};

/* `slots` has been checked against the arena's size. NULL: out of memory. */
struct pp_heap_reader *pp_heap_reader_new(const struct pp_arena *arena,
    uint32_t slots, struct pp_canon *canon);
void pp_heap_reader_free(struct pp_heap_reader *reader);

/* How many rows there are: stacks by route, size and rate, of all workers. */
uint64_t pp_heap_reader_count(const struct pp_heap_reader *reader);

/* Bytes in use of all workers, scaled; without stacks, so that it costs
 * little. */
uint64_t pp_heap_reader_live(const struct pp_heap_reader *reader);

/* All of it now, as a profile without symbols, which the caller frees; NULL
 * when out of memory. Samples by bytes in use, the most first. */
struct pp_profile *pp_heap_reader_profile(struct pp_heap_reader *reader,
    struct pp_heap_view *view);

/* Tell, for each row of the slot, what was allocated, objects and bytes scaled
 * up, and the slot's own id of its label set. */
void pp_heap_reader_labels(const struct pp_heap_reader *reader, uint32_t slot,
    void (*tell)(void *arg, uint32_t label, const int64_t alloc[2]), void *arg);

/*
 * What `count` samples of `bytes` together, taken once in `rate` bytes, stand
 * for: both times 1 / (1 - exp(-mean / rate)), rounded. No scaling for a rate
 * of 1 and below, nor for a mean of 0. Each is at most PP_HEAP_VALUE_MAX.
 */
#define PP_HEAP_VALUE_MAX (1LL << 62)
void pp_heap_scale(uint64_t count, uint64_t bytes, uint64_t rate,
    int64_t out[2]);

#endif
