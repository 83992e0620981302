/*
 * What a worker reports of its own memory, as the report lies in the arena. Not
 * the collector's sums (counts/memory.h), which are made from a copy.
 *
 * Rule: the worker writes all fields, then stores control.ask into `answered`;
 * the release of that store pairs with the acquire load by which the collector
 * sees the answer. To be misled, a reader would have to miss 2^32 questions.
 */
#ifndef PP_BASE_MEMORY_H
#define PP_BASE_MEMORY_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/limits.h"

/* One of Kore's pools, as it was when the worker was asked. */
struct pp_pool_facts {
	char name[PP_POOL_NAME_MAX]; /* terminated */
	uint64_t element;	     /* bytes of one element */
	uint64_t total;		     /* elements that memory was mapped for */
	uint64_t used;		     /* elements in use */
};

/* What only the worker itself can tell of its memory, in bytes. When
 * control.ask differs from `answered`, its event loop writes all of it,
 * `answered` last. */
struct pp_memory_facts {
	_Atomic uint32_t answered;
	uint64_t malloc_arena;	/* mallinfo2(): from brk and arenas */
	uint64_t malloc_mapped; /* blocks mapped each on its own */
	uint64_t malloc_used;
	uint64_t malloc_free;
	uint64_t stacks; /* resident stack pages of its known threads */
	uint32_t pools;
	struct pp_pool_facts pool[PP_POOLS_MAX];
};

#endif
