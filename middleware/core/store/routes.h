/*
 * Requests by route and method: how many there were and how long they took, as
 * counters that only grow. The counters belong to the slot, not to its process:
 * when a worker dies, they stay. Not what a request is (kore/request).
 *
 * Rule: one writer, the event loop's thread, so that a counter costs a load and
 * a store. The release store of `used`, after the counter's label is written,
 * pairs with the acquire load in pp_routes_used(); counters are never reused.
 * The counters have 64 bits and no order between them; the sum of the times is
 * the number of requests that their handlers have ended.
 */
#ifndef PP_STORE_ROUTES_H
#define PP_STORE_ROUTES_H

#include "store/arena.h"

/* The counter of a label set, made now if there is none. Label 0, and a label
 * set for which the table has no room, have counter 0. Event loop's thread
 * only. */
struct pp_route *pp_routes_at(struct pp_routes *table, uint32_t label);

/* The number of counters that a reader may look at, counter 0 included; at most
 * PP_ROUTES_MAX + 1. Any process. */
static inline uint32_t
pp_routes_used(const struct pp_routes *table)
{
	uint32_t used =
	    atomic_load_explicit(&table->used, memory_order_acquire);

	return (used < 1		? 1
		: used <= PP_ROUTES_MAX ? used
					: PP_ROUTES_MAX + 1);
}

/* Add to a counter; only its one writer may. */
static inline void
pp_route_add(_Atomic uint64_t *counter, uint64_t more)
{
	atomic_store_explicit(counter,
	    atomic_load_explicit(counter, memory_order_relaxed) + more,
	    memory_order_relaxed);
}

/* The bucket, 0..PP_ROUTE_TIMES - 1, of a time in ns. */
static inline uint32_t
pp_route_time(uint64_t ns)
{
	uint32_t log;

	if (ns < 1ULL << PP_ROUTE_TIME_FIRST)
		return (0);
	if (ns >= 1ULL << PP_ROUTE_TIME_LAST)
		return (PP_ROUTE_TIMES - 1);
	log = 63 - (uint32_t)__builtin_clzll(ns);
	return (1 + (log - PP_ROUTE_TIME_FIRST) * PP_ROUTE_TIME_STEPS +
	    ((uint32_t)(ns >> (log - 3)) & (PP_ROUTE_TIME_STEPS - 1)));
}

/* The end of a bucket in ns: all of its times are shorter, and none of the next
 * bucket's is. 0 for the last bucket, which has no end. */
static inline uint64_t
pp_route_time_end(uint32_t time)
{
	uint64_t step = time % PP_ROUTE_TIME_STEPS;
	uint32_t log = PP_ROUTE_TIME_FIRST + time / PP_ROUTE_TIME_STEPS;

	if (time >= PP_ROUTE_TIMES - 1)
		return (0);
	return ((PP_ROUTE_TIME_STEPS + step) << (log - 3));
}

#endif
