/*
 * What requests do, by route and method, summed over all workers: counters
 * that only grow, so that whoever asks twice knows what was between.
 *
 * Not a profile: no stacks. Counts and times are the workers' own
 * (store/routes.h), allocations are the heap's samples scaled up, CPU time is
 * that of the samples that were taken while somebody took some.
 *
 * Rule: cold; only reads the arena and believes nothing. A reading costs no
 * worker anything.
 */
#ifndef PP_COUNTS_ROUTES_H
#define PP_COUNTS_ROUTES_H

#include <stdint.h>

#include "counts/heap.h"
#include "store/arena.h"

struct pp_routes_reader;

struct pp_routes_sum {
	const char *route;  /* NULL: not of a route, or the labels are lost */
	const char *method; /* NULL likewise */
	uint64_t requests;  /* that ended */
	uint64_t in_flight;
	uint64_t abandoned;
	uint64_t ns;
	uint64_t running_ns;
	uint64_t time[PP_ROUTE_TIMES];
	uint64_t cpu_ns;   /* since the reader was made */
	uint64_t alloc[2]; /* objects, bytes */
};

/* `slots` has been checked against the arena's size. NULL: out of memory. */
struct pp_routes_reader *pp_routes_reader_new(struct pp_arena *arena,
    uint32_t slots);
void pp_routes_reader_free(struct pp_routes_reader *reader);

/* CPU time of a sample; `reader` is a struct pp_routes_reader. */
void pp_routes_reader_cpu(void *reader, uint32_t slot, uint64_t label,
    uint64_t ns);

/* Read all slots, and the heap's rows. The sums stay the reader's until the
 * next call; those without a route are the first, the others are sorted by
 * route and method. */
const struct pp_routes_sum *pp_routes_reader_read(
    struct pp_routes_reader *reader, const struct pp_heap_reader *heap,
    uint32_t *count);

#endif
