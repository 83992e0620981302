/*
 * What requests do, by route and method, summed over all workers. All of it are
 * counters that only grow, so that a caller who asks twice knows what happened
 * between.
 *
 * Not a profile: there are no stacks. Counts and times are the workers' own
 * (store/routes.h). Allocations are the heap's samples scaled up. CPU time is
 * the sum of the CPU samples that were taken while a CPU session ran.
 *
 * Rule: cold; only reads the arena and believes nothing in it. A reading costs
 * the workers nothing.
 */
#ifndef PP_COUNTS_ROUTE_SUMS_H
#define PP_COUNTS_ROUTE_SUMS_H

#include <stdint.h>

#include "counts/heap.h"
#include "store/arena.h"

struct pp_counts_routes;

struct pp_counts_route {
	const char *route;  /* NULL: no route, or the labels are lost */
	const char *method; /* NULL: likewise */
	uint64_t requests;  /* requests that have ended */
	uint64_t in_flight;
	uint64_t abandoned;
	uint64_t ns;
	uint64_t running_ns;
	uint64_t time[PP_ROUTE_TIMES];
	uint64_t cpu_ns;   /* since the reader was made */
	uint64_t alloc[2]; /* objects, bytes */
};

/* `slots` has been checked against the arena's size; the arena stays the
 * caller's, and must outlive the reader. NULL: out of memory. */
struct pp_counts_routes *pp_counts_routes_new(struct pp_arena *arena,
    uint32_t slots);
void pp_counts_routes_free(struct pp_counts_routes *reader);

/* Add the CPU time of a sample, as pp_cpu_follow() hands it over; `reader` is a
 * struct pp_counts_routes. */
void pp_counts_routes_cpu(void *reader, uint32_t slot, uint64_t label,
    uint64_t ns);

/* Read all slots, and the heap's counters. The first sum is that of no route,
 * the others are sorted by route and method. The sums belong to the reader and
 * stay until the next call. */
const struct pp_counts_route *pp_counts_routes_read(
    struct pp_counts_routes *reader, const struct pp_heap_reader *heap,
    uint32_t *count);

#endif
