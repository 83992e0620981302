/*
 * The keys and values of waits, between capture/wait.c, which writes them, and
 * counts/waits.c, which reads them. Not the kinds of waits, which are in
 * base/waits.h.
 *
 * Counts are in 1/256. A wait that is shorter than the sampling rate is taken
 * with the probability length/rate; it then counts for rate/length waits, and
 * its time counts as the rate, so that the sums are right on average.
 *
 * Rule: pure functions; a reader checks each number that it unpacks.
 */
#ifndef PP_STORE_WAITS_H
#define PP_STORE_WAITS_H

#include <stdint.h>

#include "base/calls.h"
#include "base/limits.h"
#include "store/counters.h"

/* Indices of pp_counter.value[]. */
enum pp_wait_value {
	PP_WAIT_VALUE_COUNT, /* contentions * PP_WAIT_ONE */
	PP_WAIT_VALUE_NS
};

/* The same indices in the counters of custom profiles. */
enum pp_custom_value { PP_CUSTOM_VALUE_ADDED, PP_CUSTOM_VALUE_REMOVED };

#define PP_WAIT_ONE	       256

#define PP_WAIT_KEY_STACK_BITS 24
#define PP_WAIT_KEY_LABEL_BITS 20

/* The key as one word, never 0. `wait` is below PP_WAITS_ALL; in the mutex
 * table it is the kind of lock that the others waited for. */
static inline uint64_t
pp_wait_pack(uint32_t wait, uint32_t label, uint32_t stack)
{
	return ((((uint64_t)wait + 1) << PP_WAIT_KEY_LABEL_BITS | label)
		<< PP_WAIT_KEY_STACK_BITS |
	    stack);
}

static inline void
pp_wait_unpack(uint64_t key, uint32_t *wait, uint32_t *label, uint32_t *stack)
{
	*stack = key & ((1U << PP_WAIT_KEY_STACK_BITS) - 1);
	key >>= PP_WAIT_KEY_STACK_BITS;
	*label = key & ((1U << PP_WAIT_KEY_LABEL_BITS) - 1);
	*wait = (uint32_t)(key >> PP_WAIT_KEY_LABEL_BITS) - 1;
}

static inline struct pp_counters
pp_counters_waits(struct pp_wait_table *table)
{
	struct pp_counters view = {
		.used = &table->used,
		.index = table->index,
		.counter = table->counter,
		.index_size = PP_WAIT_INDEX,
		.capacity = PP_WAIT_COUNTERS,
	};

	return (view);
}

#endif
