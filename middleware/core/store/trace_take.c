/*
 * The reading half of trace.h.
 *
 * Rule: cold, and believes nothing: every worker can write both ends of a ring.
 */
#include "store/trace.h"

uint64_t
pp_record_reached(struct pp_slot *slot, uint32_t place)
{
	return (atomic_load_explicit(&slot->trace[place].head,
	    memory_order_acquire));
}

void
pp_record_skip(struct pp_slot *slot, uint32_t place)
{
	atomic_store_explicit(&slot->trace[place].tail,
	    pp_record_reached(slot, place), memory_order_release);
}

int
pp_record_take(struct pp_slot *slot, uint32_t place, uint64_t reached,
    uint64_t *record)
{
	struct pp_trace_ring *ring = &slot->trace[place];
	uint64_t tail, left;
	uint32_t size, words, i;
	_Atomic uint64_t *from = pp_trace_words(slot, place, &size);

	tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	left = reached - tail;
	if (left == 0)
		return (0);
	record[0] = atomic_load_explicit(&from[tail & (size - 1)],
	    memory_order_relaxed);
	words = (uint8_t)record[0];
	if (left > size || words < 2 || words > left ||
	    words > PP_TRACE_RECORD_MAX) {
		pp_record_skip(slot, place);
		return (-1);
	}
	for (i = 1; i < words; i++)
		record[i] = atomic_load_explicit(&from[(tail + i) & (size - 1)],
		    memory_order_relaxed);
	atomic_store_explicit(&ring->tail, tail + words, memory_order_release);
	return ((int)words);
}
