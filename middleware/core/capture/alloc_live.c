/* Hot: signal handlers run what is in this file. */
/*
 * See alloc_live.h. The table is private to the process, and ends with the
 * process and its allocations.
 *
 * An entry is taken by compare-and-swap of `address` from 0, then `what` is
 * stored. That release pairs with the acquire load of `what` by the thread that
 * frees: the application hands the address over in between. An address lives
 * once at a time, so the compare-and-swap back to 0 succeeds for one thread
 * only.
 */
#include <string.h>

#include "capture/alloc_live.h"

#define PLACES 32

/* Size and counter share a word: 44 bits are 16 TiB, 20 bits all counters. */
#define COUNTER_BITS 20
_Static_assert(PP_HEAP_COUNTERS <= 1U << COUNTER_BITS, "a row number must fit");

struct live {
	_Atomic uintptr_t address; /* 0: free */
	_Atomic uint64_t what;	   /* size << COUNTER_BITS | counter */
};

_Atomic uint8_t pp_alloc_filter[PP_ALLOC_FILTER];
static struct live live[PP_HEAP_LIVE];
static _Atomic int live_touched;

static struct live *
live_place(uint32_t hash, unsigned int probe)
{
	return (&live[(hash + probe) % PP_HEAP_LIVE]);
}

/* A count never passes its limit: if it wrapped, live samples would be missed.
 */
static int
filter_add(uint32_t hash)
{
	_Atomic uint8_t *count = &pp_alloc_filter[hash % PP_ALLOC_FILTER];
	uint8_t was = atomic_load_explicit(count, memory_order_relaxed);

	do {
		if (was == UINT8_MAX)
			return (-1);
	} while (!atomic_compare_exchange_weak(count, &was, was + 1));
	return (0);
}

int
pp_alloc_live_put(void *p, const struct pp_alloc_sample *sample,
    struct pp_alloc_sample *stale)
{
	struct live *place;
	uint32_t hash = pp_alloc_hash(p);
	uintptr_t none;
	unsigned int probe;

	stale->counter = PP_HEAP_COUNTERS;
	if (pp_alloc_known(p))
		(void)pp_alloc_live_take(p, stale);
	atomic_store_explicit(&live_touched, 1, memory_order_relaxed);
	if (sample->size >> (64 - COUNTER_BITS) != 0 || filter_add(hash) == -1)
		return (-1);
	for (probe = 0; probe < PLACES; probe++) {
		place = live_place(hash, probe);
		none = 0;
		if (atomic_load_explicit(&place->address,
			memory_order_relaxed) != 0 ||
		    !atomic_compare_exchange_strong(&place->address, &none,
			(uintptr_t)p))
			continue;
		/* Nobody can free `p` yet: the application does not have it. */
		atomic_store_explicit(&place->what,
		    sample->size << COUNTER_BITS | sample->counter,
		    memory_order_release);
		return (0);
	}
	atomic_fetch_sub(&pp_alloc_filter[hash % PP_ALLOC_FILTER], 1);
	return (-1);
}

int
pp_alloc_live_take(const void *p, struct pp_alloc_sample *sample)
{
	struct live *place;
	uint32_t hash = pp_alloc_hash(p);
	uintptr_t address;
	uint64_t what;
	unsigned int probe;

	for (probe = 0; probe < PLACES; probe++) {
		place = live_place(hash, probe);
		address = (uintptr_t)p;
		if (atomic_load_explicit(&place->address,
			memory_order_acquire) != address)
			continue;
		what = atomic_load_explicit(&place->what, memory_order_acquire);
		if (!atomic_compare_exchange_strong(&place->address, &address,
			0))
			return (-1); /* freed twice: another thread was first */
		atomic_fetch_sub(&pp_alloc_filter[hash % PP_ALLOC_FILTER], 1);
		sample->counter = (uint32_t)(what & ((1U << COUNTER_BITS) - 1));
		sample->size = what >> COUNTER_BITS;
		return (0);
	}
	return (-1);
}

void
pp_alloc_live_clear(void)
{
	/* Pages that nobody wrote to cost nothing, and shall stay so. */
	if (!atomic_exchange(&live_touched, 0))
		return;
	memset((void *)(uintptr_t)live, 0, sizeof(live));
	memset((void *)(uintptr_t)pp_alloc_filter, 0, sizeof(pp_alloc_filter));
}
