/*
 * Interning: a sequence of words is stored once and known by a small id.
 *
 * Label sets use it: the text "key\0value\0...", padded with NUL to words. So
 * do stacks that stay (heap).
 * Append-only; ids stay valid for the life of the arena.
 *
 *     words[id]    header: hash (high 32 bits) | count
 *     words[id+1]  the sequence
 *
 * Id 0 means "none". Several threads, and a signal handler over one of them,
 * may put at the same time: space is reserved by fetch-and-add, published by
 * one compare-and-swap in the index. Two that put the same sequence at once
 * waste the space of one.
 *
 * Rule: the put half is hot (no lock, no allocation, no system call, bounded
 * probes); the read half checks every number, since the writer may lie.
 */
#ifndef PP_STORE_WORDS_H
#define PP_STORE_WORDS_H

#include <stdatomic.h>
#include <stdint.h>

#include "store/arena.h"

/* Where a table lies; made on the spot by pp_words_labels() or _stacks(). */
struct pp_words {
	_Atomic uint32_t *used;
	_Atomic uint32_t *index;
	uint64_t *words;
	uint32_t index_size; /* power of two */
	uint32_t capacity;   /* words */
};

static inline struct pp_words
pp_words_labels(struct pp_label_table *table)
{
	struct pp_words view = {
		.used = &table->used,
		.index = table->index,
		.words = table->words,
		.index_size = PP_LABEL_INDEX,
		.capacity = PP_LABEL_WORDS,
	};

	return (view);
}

static inline struct pp_words
pp_words_stacks(struct pp_stack_table *table)
{
	struct pp_words view = {
		.used = &table->used,
		.index = table->index,
		.words = table->words,
		.index_size = PP_STACK_INDEX,
		.capacity = PP_STACK_WORDS,
	};

	return (view);
}

/*
 * Id of the sequence, stored now if it was not yet. Returns 0 when the table
 * is full (the caller counts). `count` is 1..UINT16_MAX. Async-signal-safe.
 */
uint32_t pp_words_put(const struct pp_words *table, const uint64_t *sequence,
    uint32_t count);

/*
 * Copy the sequence of `id` to `out`. Returns its count of words, or 0 when
 * the id does not name one or it does not fit `room`. Any process.
 */
uint32_t pp_words_read(const struct pp_words *table, uint32_t id, uint64_t *out,
    uint32_t room);

#endif
