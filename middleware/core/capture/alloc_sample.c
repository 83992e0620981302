/* Hot: signal handlers run what is in this file. */
/*
 * This file decides when to sample, and sums samples up. See alloc_sample.h;
 * the table of live samples is alloc_live.c.
 */
#include <errno.h>

#include "base/random.h"
#include "capture/alloc_live.h"
#include "capture/alloc_sample.h"
#include "capture/stack_here.h"
#include "capture/thread.h"
#include "store/counters.h"
#include "store/heap.h"

/* While sampling is off, a thread reads the rate again after so many bytes. */
#define RECHECK_BYTES (1U << 20)

#define DRAWS_MAX     64

__thread uint64_t pp_alloc_left;
void (*pp_thread_unknown)(void);

static __thread uint64_t heap_rate_seen; /* the rate plus 1; 0: never drawn */
static __thread uint64_t heap_random_state;

/*
 * Returns the bytes to the next sample: exponential with the mean `rate`,
 * rounded up, and at least 1; 0 if each allocation is a sample. No logarithm is
 * needed, by von Neumann's comparison of uniform numbers (1951): a falling run
 * that began with u has an odd length with probability exp(-u).
 */
static uint64_t
heap_draw(uint64_t rate)
{
	uint64_t first, last, next;
	unsigned int whole, run;

	if (rate <= 1)
		return (0);
	for (whole = 0; whole < DRAWS_MAX; whole++) {
		first = last = pp_random(&heap_random_state);
		for (run = 1; run < DRAWS_MAX; run++) {
			next = pp_random(&heap_random_state);
			if (next >= last)
				break;
			last = next;
		}
		if (run % 2 == 1)
			break;
	}
	return (whole * rate +
	    (uint64_t)((unsigned __int128)first * rate >> 64) + 1);
}

/* Returns the rate's index in the slot's list, or PP_HEAP_RATES: no room. */
static uint32_t
heap_rate_place(struct pp_heap_table *table, uint64_t rate)
{
	uint64_t there;
	uint32_t i;

	for (i = 0; i < PP_HEAP_RATES; i++) {
		there = 0;
		if (atomic_load_explicit(&table->rate[i],
			memory_order_relaxed) == rate ||
		    atomic_compare_exchange_strong(&table->rate[i], &there,
			rate) ||
		    there == rate)
			return (i);
	}
	return (PP_HEAP_RATES);
}

/* Returns the id of the stack in the slot's table, or 0: none. */
static uint32_t
heap_stack(struct pp_slot *slot)
{
	enum pp_unwind_end end = PP_UNWIND_WHOLE;
	uint32_t id = pp_stack_here(0, &end);

	if (id == 0)
		pp_slot_lose(slot, PP_LOSS_HEAP_STACKLESS, 1);
	else if (end != PP_UNWIND_WHOLE)
		pp_slot_lose(slot,
		    end == PP_UNWIND_CUT ? PP_LOSS_HEAP_TRUNCATED
					 : PP_LOSS_HEAP_SHORT,
		    1);
	return (id);
}

static void
heap_add(const struct pp_counter *counter, enum pp_heap_value count,
    uint64_t size)
{
	struct pp_counter *to = (struct pp_counter *)(uintptr_t)counter;

	atomic_fetch_add_explicit(&to->value[count], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&to->value[count + 1], size,
	    memory_order_relaxed);
}

void
pp_alloc_count_free(const struct pp_alloc_sample *sample)
{
	struct pp_slot *slot = pp_self.slot;

	if (slot != NULL && sample->counter < PP_HEAP_COUNTERS)
		heap_add(&slot->heap.counter[sample->counter], PP_HEAP_FREES,
		    sample->size);
}

static int
heap_put(void *p, const struct pp_alloc_sample *sample)
{
	struct pp_alloc_sample stale;
	int result = pp_alloc_live_put(p, sample, &stale);

	pp_alloc_count_free(&stale);
	return (result);
}

static void
heap_sample(void *p, size_t size, uint64_t rate)
{
	struct pp_slot *slot = pp_self.slot;
	struct pp_counters counters = pp_counters_heap(&slot->heap);
	struct pp_heap_key key;
	struct pp_alloc_sample sample;
	struct pp_counter *counter;

	key.rate = heap_rate_place(&slot->heap, rate);
	key.label = pp_label_now;
	key.size_class = pp_heap_class(size);
	key.stack = heap_stack(slot);
	counter = key.rate == PP_HEAP_RATES
	    ? NULL
	    : pp_counters_at(&counters, pp_heap_pack(key));
	if (counter == NULL) {
		pp_slot_lose(slot, PP_LOSS_HEAP_DROPPED, 1);
		return;
	}
	heap_add(counter, PP_HEAP_ALLOCS, size);
	sample.counter = (uint32_t)(counter - counters.counter);
	sample.size = size;
	if (heap_put(p, &sample) == 0)
		return;
	/* If the end of this allocation were never seen, bytes in use would be
	 * too high for ever: the allocation counts as freed now. */
	heap_add(counter, PP_HEAP_FREES, size);
	pp_slot_lose(slot, PP_LOSS_HEAP_UNTRACKED, 1);
}

void
pp_alloc_made(void *p, size_t size)
{
	uint64_t rate;
	int saved = errno;

	if (pp_self.worker == 0) {
		pp_alloc_left = RECHECK_BYTES;
		return;
	}
	rate = atomic_load_explicit(&pp_self.arena->control.heap_rate,
	    memory_order_relaxed);
	if (rate == 0 || rate > PP_HEAP_RATE_MAX) {
		heap_rate_seen = 0;
		pp_alloc_left = RECHECK_BYTES;
		return;
	}
	if (pp_thread_self == NULL && !pp_thread_gone &&
	    pp_thread_unknown != NULL)
		pp_thread_unknown();
	if (heap_rate_seen != rate + 1) {
		/* This is the first draw of the thread, or of a new rate: this
		 * very allocation may still lie before the sample. */
		heap_rate_seen = rate + 1;
		pp_alloc_left = heap_draw(rate);
		if (pp_alloc_pass(size))
			return;
	}
	pp_alloc_left = UINT64_MAX; /* the unwinder's own do not count */
	if (p != NULL)
		heap_sample(p, size, rate);
	pp_alloc_left = heap_draw(rate);
	errno = saved;
}

void
pp_alloc_freed(void *p)
{
	struct pp_alloc_sample sample;

	if (pp_alloc_take(p, &sample))
		pp_alloc_count_free(&sample);
}

int
pp_alloc_take(void *p, struct pp_alloc_sample *sample)
{
	/* A free entry of the table has the address NULL, too. */
	return (pp_self.worker != 0 && p != NULL &&
	    pp_alloc_live_take(p, sample) == 0);
}

void
pp_alloc_put_back(void *p, const struct pp_alloc_sample *sample)
{
	if (heap_put(p, sample) == 0)
		return;
	pp_alloc_count_free(sample);
	pp_slot_lose(pp_self.slot, PP_LOSS_HEAP_UNTRACKED, 1);
}

void
pp_alloc_start(void)
{
	struct pp_counters counters = pp_counters_heap(&pp_self.slot->heap);
	uint32_t used = pp_counters_used(&counters), i, pair;
	struct pp_counter *counter;

	pp_alloc_live_clear();
	/* The parent's countdown, which the fork has copied, may be far from
	 * its end. */
	heap_rate_seen = heap_random_state = pp_alloc_left = 0;
	for (i = 0; i < used; i++) {
		counter = &counters.counter[i];
		for (pair = 0; pair < 2; pair++)
			atomic_store(&counter->value[PP_HEAP_FREES + pair],
			    atomic_load(
				&counter->value[PP_HEAP_ALLOCS + pair]));
	}
}
