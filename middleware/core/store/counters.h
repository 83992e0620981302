/*
 * Counters by key: a dense array of counters and a hash index over it, for
 * counts that only grow and must outlive the process. Not the meaning of a key,
 * which is in heap.h and waits.h.
 *
 * A counter is reserved by fetch-and-add of `used`, which stops at the
 * capacity, and is never reused; so a reader that remembers the number of
 * counters can take differences by counter number. The compare-and-swap that
 * puts counter + 1 into the index is a release; it pairs with the acquire load
 * of the index in pp_counters_at(), so that a thread which finds a counter also
 * sees its key. A reader in another process goes by counter number, and takes a
 * counter with key 0 for a hole.
 *
 * Rule: pp_counters_at() is hot (no lock, no allocation, bounded probes);
 * several threads, and a signal handler in any of them, may call it at once.
 * The caller adds to the values, atomically.
 */
#ifndef PP_STORE_COUNTERS_H
#define PP_STORE_COUNTERS_H

#include "store/arena.h"

struct pp_counters {
	_Atomic uint32_t *used;
	_Atomic uint32_t *index;
	struct pp_counter *counter;
	uint32_t index_size; /* power of two */
	uint32_t capacity;   /* counters */
};

static inline struct pp_counters
pp_counters_heap(struct pp_heap_table *table)
{
	struct pp_counters view = {
		.used = &table->used,
		.index = table->index,
		.counter = table->counter,
		.index_size = PP_HEAP_INDEX,
		.capacity = PP_HEAP_COUNTERS,
	};

	return (view);
}

/* The counter of `key` (not 0), made now if there is none; NULL when the table
 * is full (the caller counts). Thread-safe, async-signal-safe. */
struct pp_counter *pp_counters_at(const struct pp_counters *table,
    uint64_t key);

/* The number of counters that a reader may look at, at most the capacity;
 * counters with key 0 are holes. Any process. */
uint32_t pp_counters_used(const struct pp_counters *table);

#endif
