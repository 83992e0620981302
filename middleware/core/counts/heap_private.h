/*
 * What the files of the heap profile share: heap_counters.c (one counter,
 * checked and scaled) and heap.c (the counters of all slots as one list, and
 * the sorted list as a profile). Nobody else includes this, but their tests.
 */
#ifndef PP_COUNTS_HEAP_PRIVATE_H
#define PP_COUNTS_HEAP_PRIVATE_H

#include "counts/heap.h"
#include "merge/build.h"
#include "merge/resolve.h"
#include "store/heap.h"

struct pp_heap_reader {
	const struct pp_arena *arena;
	uint32_t slots;
	struct pp_address_map *map;
	uint32_t words_max; /* of all stacks; tests make it smaller */
	struct pp_resolver *resolver;
};

/* A counter as it was read: two counts with their bytes, checked against each
 * other and against the size class of the counter. */
struct pp_heap_counter {
	struct pp_heap_key key;
	uint64_t rate;
	uint64_t alloc[2]; /* count, bytes */
	uint64_t inuse[2];
};

/* A line of the profile. */
struct pp_heap_entry {
	uint32_t slot;
	uint32_t stack; /* first the slot's id, later of ids.stacks */
	uint32_t label; /* likewise, later of ids.labels */
	uint32_t size_class;
	int64_t value[4]; /* enum pp_heap_type */
};

/* One reading on its way into a profile. */
struct pp_heap_list {
	struct pp_heap_reader *reader;
	struct pp_heap_entry *entry;
	uint32_t entries;
	struct pp_resolve ids;
	struct pp_heap_view *view;
	int raw; /* what the view asks for, if possible */
	uint64_t counters_malformed;
};

/* Return the slot as store/ wants it: not const, since its tables are also for
 * writers. */
static inline struct pp_slot *
pp_heap_slot(const struct pp_heap_reader *reader, uint32_t slot)
{
	return ((struct pp_slot *)(uintptr_t)&reader->arena->slot[slot]);
}

/* Return the smallest and the largest size of a class, in bytes. */
uint64_t pp_heap_class_first(uint32_t size_class);
uint64_t pp_heap_class_last(uint32_t size_class);

/* Read a counter that has a key. Returns -1 if no worker can have written
 * it. */
int pp_heap_counter_read(const struct pp_heap_table *table,
    const struct pp_counter *counter, struct pp_heap_counter *out);

#endif
