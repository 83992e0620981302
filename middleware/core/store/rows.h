/*
 * Sums by key: a dense array of rows and a hash index over it. For what only
 * grows and must outlive the process that counts it.
 *
 * Rows are never reused, so a reader that remembers how many rows there were
 * can take differences by row number.
 *
 * Rule: pp_rows_at() is hot (no lock, no allocation, bounded probes); several
 * threads and a signal handler over one of them may add at once. Values are
 * added to by the caller, atomically.
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
 * full (the caller counts). Async-signal-safe. */
struct pp_row *pp_rows_at(const struct pp_rows *table, uint64_t key);

/* How many rows there are to look at, checked; rows with key 0 are holes. Any
 * process. */
uint32_t pp_rows_used(const struct pp_rows *table);

#endif
