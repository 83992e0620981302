/*
 * The producers' half of ring.h. Hot: runs in signal handlers.
 */
#include "store/ring.h"

#define RING_MASK ((uint64_t)PP_CPU_RING_WORDS - 1)

static inline uint64_t
ring_header(enum pp_record kind, uint64_t words)
{
	return (words << 8 | kind);
}

/*
 * Reserve `words` in one piece. A lap's end that is too short becomes a pad
 * record, reserved together with the words that follow it.
 *
 * Whoever is stopped between the two readings must not find a full ring where
 * there is none: the tail is read first, so that it is not beyond the head
 * (its acquire pairs with the release of the collector, who has seen that
 * head), and the ring is full only if the tail is still the same.
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
