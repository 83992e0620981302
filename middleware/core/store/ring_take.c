/*
 * The collector's half of ring.h.
 *
 * Rule: cold, and suspicious: the words may come from a worker that was killed
 * half-way, or from an enemy.
 */
#include "store/ring.h"

#define RING_MASK ((uint64_t)PP_CPU_RING_WORDS - 1)

/* Zero [tail, to), and hand these words back to the producers. */
static void
ring_consume(struct pp_ring *ring, uint64_t tail, uint64_t to)
{
	uint64_t at;

	for (at = tail; at != to; at++)
		atomic_store_explicit(&ring->words[at & RING_MASK], 0,
		    memory_order_relaxed);
	atomic_store_explicit(&ring->tail, to, memory_order_release);
}

/* Drop all records between `tail` and `to`. Returns -1. */
static int
ring_repair(struct pp_ring *ring, uint64_t tail, uint64_t to)
{
	if (to - tail > PP_CPU_RING_WORDS) {
		/* The two counts contradict each other: start a clean lap. */
		for (uint64_t i = 0; i < PP_CPU_RING_WORDS; i++)
			atomic_store_explicit(&ring->words[i], 0,
			    memory_order_relaxed);
		atomic_store_explicit(&ring->tail, to, memory_order_release);
		return (-1);
	}
	ring_consume(ring, tail, to);
	return (-1);
}

int
pp_ring_take(struct pp_ring *ring, enum pp_record *kind, uint64_t *payload,
    uint32_t room)
{
	uint64_t tail, head, sealed, header, words;
	uint32_t i;

	tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	head = atomic_load_explicit(&ring->head, memory_order_acquire);
again:
	if (head == tail)
		return (0);
	if (head - tail > PP_CPU_RING_WORDS)
		return (ring_repair(ring, tail, head));
	header = atomic_load_explicit(&ring->words[tail & RING_MASK],
	    memory_order_acquire);
	if (header == PP_RECORD_NONE) {
		/* A producer is writing the record, or died before it could. */
		sealed =
		    atomic_load_explicit(&ring->sealed, memory_order_acquire);
		if (sealed - tail - 1 < head - tail)
			return (ring_repair(ring, tail, sealed));
		return (0);
	}
	words = header >> 8;
	if (words == 0 || words > head - tail ||
	    (tail & RING_MASK) + words > PP_CPU_RING_WORDS)
		return (ring_repair(ring, tail, head));
	*kind = (enum pp_record)(header & 0xff);
	if (*kind == PP_RECORD_PAD) {
		ring_consume(ring, tail, tail + words);
		tail += words;
		goto again;
	}
	if (words < 2 || words - 1 > room)
		return (ring_repair(ring, tail, head));
	for (i = 0; i < words - 1; i++)
		payload[i] = atomic_load_explicit(
		    &ring->words[(tail & RING_MASK) + 1 + i],
		    memory_order_relaxed);
	ring_consume(ring, tail, tail + words);
	return ((int)(words - 1));
}
