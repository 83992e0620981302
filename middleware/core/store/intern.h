/*
 * The intern table: a sequence of words is stored once and named by a small id.
 * Not the meaning of the words, which is the caller's.
 *
 * Two tables of a slot are such tables: label sets (the text "key\0value\0...",
 * padded with NUL to words) and the stacks that stay (of heap samples, waits
 * and others). A table is append-only; an id stays valid for the life of the
 * arena, unless the slot is emptied (pp_slot_repair()).
 *
 *     words[id]    header: hash (high 32 bits) | count
 *     words[id+1]  the sequence
 *
 * Id 0 means "none". Several threads, and a signal handler in any of them, may
 * put at the same time: space is reserved by fetch-and-add, and published by
 * one compare-and-swap in the index. If two put the same sequence at once, the
 * space of one is wasted.
 *
 * That compare-and-swap is a release and pairs with the acquire load of the
 * index in pp_intern_put(). A reader in another process gets an id in a record
 * or an entry, and relies on the release and acquire of that record or entry.
 * `used` is checked before it is added to, so it stays near the capacity; an id
 * is an offset that is given out once, and no two sequences can have the same.
 *
 * Rule: the put half is hot (no lock, no allocation, no system call, bounded
 * probes); the read half checks every number, since the writer may lie.
 */
#ifndef PP_STORE_INTERN_H
#define PP_STORE_INTERN_H

#include <stdatomic.h>
#include <stdint.h>

#include "store/arena.h"

/* Where a table lies. pp_intern_labels() or _stacks() makes such a view. */
struct pp_intern_table {
	_Atomic uint32_t *used;
	_Atomic uint32_t *index;
	uint64_t *words;
	uint32_t index_size; /* power of two */
	uint32_t capacity;   /* words */
};

static inline struct pp_intern_table
pp_intern_labels(struct pp_label_table *table)
{
	struct pp_intern_table view = {
		.used = &table->used,
		.index = table->index,
		.words = table->words,
		.index_size = PP_LABEL_INDEX,
		.capacity = PP_LABEL_WORDS,
	};

	return (view);
}

static inline struct pp_intern_table
pp_intern_stacks(struct pp_stack_table *table)
{
	struct pp_intern_table view = {
		.used = &table->used,
		.index = table->index,
		.words = table->words,
		.index_size = PP_STACK_INDEX,
		.capacity = PP_STACK_WORDS,
	};

	return (view);
}

/*
 * The id of a sequence of `count` words (1..UINT16_MAX), which is stored now if
 * the table does not have it yet. Returns 0 when the table is full (the caller
 * counts). Thread-safe, async-signal-safe.
 */
uint32_t pp_intern_put(const struct pp_intern_table *table,
    const uint64_t *sequence, uint32_t count);

/*
 * Copy the sequence of `id` to `out`. Returns its number of words, or 0 when no
 * sequence has this id or the sequence is longer than `room` words. Any
 * process.
 */
uint32_t pp_intern_read(const struct pp_intern_table *table, uint32_t id,
    uint64_t *out, uint32_t room);

#endif
