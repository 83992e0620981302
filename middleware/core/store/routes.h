/*
 * Requests by route and method: how many, and how long they took, as counters
 * that only grow. They are the slot's, not the process's: a worker's death
 * takes nothing back.
 *
 * Rule: one writer, the event loop's thread, so that a counter costs a load
 * and a store. A reader takes a counter for what it is at that moment; the
 * sum of the times is the number of requests that ended.
 */
#ifndef PP_STORE_ROUTES_H
#define PP_STORE_ROUTES_H

#include "store/arena.h"

/* The row of a label set, made now if there is none. 0, and what the table has
 * no place for, have row 0. */
struct pp_route *pp_routes_at(struct pp_routes *table, uint32_t label);

/* How many rows there are to look at, row 0 with them, checked. Any process. */
static inline uint32_t
pp_routes_used(const struct pp_routes *table)
{
	uint32_t used =
	    atomic_load_explicit(&table->used, memory_order_acquire);

	return (used < 1		? 1
		: used <= PP_ROUTES_MAX ? used
					: PP_ROUTES_MAX + 1);
}

static inline void
pp_route_add(_Atomic uint64_t *counter, uint64_t more)
{
	atomic_store_explicit(counter,
	    atomic_load_explicit(counter, memory_order_relaxed) + more,
	    memory_order_relaxed);
}

/* Which of the times; the last: all that is longer. */
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

/* All of this time are shorter than so many ns, and none of the next; 0 for
 * the last, which has no end. */
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
