/* Hot: signal handlers run what is in this file. */
/*
 * The writing half of trace.h. Hot: in the wrappers of all functions that may
 * wait.
 */
#include "base/hot_path.h"
#include "store/trace.h"

/* The cache line so many words behind a record is fetched for later records:
 * the ring is larger than the private caches of a core, so each new line would
 * have to be waited for. */
#define AHEAD 16

PP_HOT_PATH int
pp_record_put(struct pp_slot *slot, uint32_t place, const uint64_t *record)
{
	struct pp_trace_ring *ring = &slot->trace[place];
	uint32_t size, words = (uint8_t)record[0], i;
	_Atomic uint64_t *to = pp_trace_words(slot, place, &size);
	uint64_t head, tail;

	head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	if (head + words - tail > size)
		return (-1);
	__builtin_prefetch(
	    (const void *)(uintptr_t)&to[(head + words + AHEAD) & (size - 1)],
	    1);
	for (i = 0; i < words; i++)
		atomic_store_explicit(&to[(head + i) & (size - 1)], record[i],
		    memory_order_relaxed);
	atomic_store_explicit(&ring->head, head + words, memory_order_release);
	return (0);
}
