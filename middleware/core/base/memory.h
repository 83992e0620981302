/*
 * What a worker tells of its own memory. It stands in the arena; what is made
 * of it is copied from there (counts/memory.h) and knows no arena.
 */
#ifndef PP_BASE_MEMORY_H
#define PP_BASE_MEMORY_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/limits.h"

/* A pool of Kore's, as it was when the worker was asked. */
struct pp_pool_facts {
	char name[PP_POOL_NAME_MAX]; /* terminated */
	uint64_t element;	     /* bytes of one */
	uint64_t total;		     /* elements that memory was mapped for */
	uint64_t used;		     /* of these */
};

/* What only the worker itself can tell of its memory. It writes when
 * control.ask differs from `answered`, from its event loop; `answered` last.
 * All in bytes. */
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
