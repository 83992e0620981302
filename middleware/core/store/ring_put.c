/* Hot: signal handlers run what is in this file. */
/*
 * The producers' half of ring.h.
 *
 * Rule: hot: runs in signal handlers, in several threads at once.
 */
#include "store/ring.h"

#define RING_MASK ((uint64_t)PP_CPU_RING_WORDS - 1)

static inline uint64_t
ring_header(enum pp_record kind, uint64_t words)
{
	return (words << 8 | kind);
}

/*
 * Reserve `words` in one piece. If the end of a lap is too short, it becomes a
 * pad record, which is reserved together with the words behind it.
 *
 * A thread may be stopped between its loads of tail and head, and must not then
 * take the ring for full. Therefore the tail is read first: its acquire pairs
 * with the release of the collector, which had read a head at least as large,
 * so the head that is read next is not below the tail. And the ring counts as
 * full only if the tail is still the same.
 */
static int
ring_reserve(struct pp_ring *ring, uint64_t words, uint64_t *at)
{
	uint64_t head, tail, pad, left;
	unsigned int tries;

	for (tries = 0; tries < PP_PROBES_MAX; tries++) {
		tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
		head = atomic_load_explicit(&ring->head, memory_order_relaxed);
		left = PP_CPU_RING_WORDS - (head & RING_MASK);
		pad = left < words ? left : 0;
		if (head + pad + words - tail > PP_CPU_RING_WORDS) {
			if (tail ==
			    atomic_load_explicit(&ring->tail,
				memory_order_relaxed))
				return (-1);
			continue;
		}
		if (!atomic_compare_exchange_weak_explicit(&ring->head, &head,
			head + pad + words, memory_order_relaxed,
			memory_order_relaxed))
			continue;
		if (pad != 0)
			atomic_store_explicit(&ring->words[head & RING_MASK],
			    ring_header(PP_RECORD_PAD, pad),
			    memory_order_release);
		*at = head + pad;
		return (0);
	}
	return (-1);
}

int
pp_ring_put(struct pp_ring *ring, enum pp_record kind, const uint64_t *payload,
    uint32_t count)
{
	_Atomic uint64_t *record;
	uint64_t at;
	uint32_t i;

	if (ring_reserve(ring, (uint64_t)count + 1, &at) == -1)
		return (-1);
	record = &ring->words[at & RING_MASK];
	for (i = 0; i < count; i++)
		atomic_store_explicit(&record[i + 1], payload[i],
		    memory_order_relaxed);
	atomic_store_explicit(&record[0],
	    ring_header(kind, (uint64_t)count + 1), memory_order_release);
	return (0);
}

void
pp_ring_seal(struct pp_ring *ring)
{
	atomic_store_explicit(&ring->sealed,
	    atomic_load_explicit(&ring->head, memory_order_relaxed),
	    memory_order_release);
}
