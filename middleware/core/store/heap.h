/*
 * The keys of heap samples, between capture/alloc_sample.c, which writes them,
 * and counts/heap_counters.c, which reads and scales them. Not the counters
 * themselves, which are in counters.h.
 *
 * A counter sums the samples of one stack, one label set, one class of sizes
 * and one sampling rate, unscaled. The classes are 1/16 of a power of two wide:
 * if the reader scales by the mean size of a counter instead of each size, the
 * error is therefore less than 0.1% (docs/sampling.md).
 *
 * Rule: pure functions. A key may have been written by anybody, so a reader
 * checks each number that it unpacks.
 */
#ifndef PP_STORE_HEAP_H
#define PP_STORE_HEAP_H

#include <stdint.h>

#include "base/limits.h"

/* Indices of pp_counter.value[]. */
enum pp_heap_value {
	PP_HEAP_ALLOCS,
	PP_HEAP_ALLOC_BYTES,
	PP_HEAP_FREES,
	PP_HEAP_FREE_BYTES
};

struct pp_heap_key {
	uint32_t stack;	     /* id, 0: none */
	uint32_t label;	     /* id, 0: none */
	uint32_t size_class; /* pp_heap_class() */
	uint32_t rate;	     /* index into the table's rates */
};

#define PP_HEAP_KEY_STACK_BITS 24
#define PP_HEAP_KEY_LABEL_BITS 20
#define PP_HEAP_KEY_CLASS_BITS 12

/* The class of a size in bytes, 0..1023: exponent of 2 and the next four bits.
 */
static inline uint32_t
pp_heap_class(uint64_t size)
{
	uint32_t log;

	if (size < 16)
		return ((uint32_t)size);
	log = 63 - (uint32_t)__builtin_clzll(size);
	return ((log - 3) * 16 + ((uint32_t)(size >> (log - 4)) & 15));
}

/* The key as one word, which is never 0, because the rate is stored plus 1. */
static inline uint64_t
pp_heap_pack(struct pp_heap_key key)
{
	return (((((uint64_t)(key.rate + 1) << PP_HEAP_KEY_CLASS_BITS |
		      key.size_class)
			 << PP_HEAP_KEY_LABEL_BITS |
		     key.label)
		    << PP_HEAP_KEY_STACK_BITS) |
	    key.stack);
}

static inline struct pp_heap_key
pp_heap_unpack(uint64_t packed)
{
	struct pp_heap_key key;

	key.stack = packed & ((1U << PP_HEAP_KEY_STACK_BITS) - 1);
	packed >>= PP_HEAP_KEY_STACK_BITS;
	key.label = packed & ((1U << PP_HEAP_KEY_LABEL_BITS) - 1);
	packed >>= PP_HEAP_KEY_LABEL_BITS;
	key.size_class = packed & ((1U << PP_HEAP_KEY_CLASS_BITS) - 1);
	packed >>= PP_HEAP_KEY_CLASS_BITS;
	key.rate = (uint32_t)(packed - 1);
	return (key);
}

_Static_assert(PP_STACK_WORDS <= 1U << PP_HEAP_KEY_STACK_BITS &&
	PP_LABEL_WORDS <= 1U << PP_HEAP_KEY_LABEL_BITS &&
	PP_HEAP_RATES < 1U << (64 - PP_HEAP_KEY_STACK_BITS -
			    PP_HEAP_KEY_LABEL_BITS - PP_HEAP_KEY_CLASS_BITS),
    "a heap key must hold every id");

#endif
