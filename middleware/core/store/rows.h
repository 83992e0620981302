/*
 * Counters by key: a dense array of rows and a hash index over it, for counts
 * that only grow and must outlive the process. Not the meaning of a key, which
 * is in heap.h and waits.h.
 *
 * A row is reserved by fetch-and-add of `used`, which stops at the capacity,
 * and is never reused; so a reader that remembers the number of rows can take
 * differences by row number. The compare-and-swap that puts row + 1 into the
 * index is a release; it pairs with the acquire load of the index in
 * pp_rows_at(), so that a thread which finds a row also sees its key. A reader
 * in another process goes by row number, and takes a row with key 0 for a hole.
 *
 * Rule: pp_rows_at() is hot (no lock, no allocation, bounded probes); several
 * threads, and a signal handler in any of them, may call it at once. The caller
 * adds to the values, atomically.
 */
#ifndef PP_STORE_ROWS_H
#define PP_STORE_ROWS_H

#include "store/arena.h"

struct pp_rows {
	_Atomic uint32_t *used;
	_Atomic uint32_t *index;
	struct pp_row *row;
	uint32_t index_size; /* power of two */
	uint32_t capacity;   /* rows */
};

static inline struct pp_rows
pp_rows_heap(struct pp_heap_table *table)
{
	struct pp_rows view = {
		.used = &table->used,
		.index = table->index,
		.row = table->row,
		.index_size = PP_HEAP_INDEX,
		.capacity = PP_HEAP_ROWS,
	};

	return (view);
}

/* The row of `key` (not 0), made now if there is none; NULL when the table is
 * full (the caller counts). Thread-safe, async-signal-safe. */
struct pp_row *pp_rows_at(const struct pp_rows *table, uint64_t key);

/* The number of rows that a reader may look at, at most the capacity; rows with
 * key 0 are holes. Any process. */
uint32_t pp_rows_used(const struct pp_rows *table);

#endif
