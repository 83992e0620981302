/* Hot: signal handlers run what is in this file. */
/*
 * When to sample, and what is summed up. See heap.h; the table of live
 * samples is heap_live.c.
 */
#include <errno.h>

#include "base/random.h"
#include "capture/heap.h"
#include "capture/heap_live.h"
#include "capture/stack_here.h"
#include "capture/thread.h"
#include "store/heap.h"
#include "store/rows.h"

/* While sampling is off a thread looks again after so many bytes. */
#define LOOK_AGAIN (1U << 20)

#define DRAWS_MAX  64

__thread uint64_t pp_heap_left;
void (*pp_thread_unknown)(void);

static __thread uint64_t heap_rate_seen; /* plus 1; 0: never drawn */
static __thread uint64_t heap_random_state;

/*
 * Bytes to the next sample: exponential, mean `rate`, rounded up; at least 1,
 * or 0 when each allocation is one. Without a logarithm, by von Neumann's
 * comparison of uniform numbers (1951): a falling run that began with u has
 * an odd length with probability exp(-u).
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

/* Place of the rate in the slot's list, or PP_HEAP_RATES: no room. */
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

/* The stack as the table keeps it, or 0: none. */
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
heap_add(const struct pp_row *row, enum pp_heap_value count, uint64_t size)
{
	struct pp_row *to = (struct pp_row *)(uintptr_t)row;

	atomic_fetch_add_explicit(&to->value[count], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&to->value[count + 1], size,
	    memory_order_relaxed);
}

void
pp_heap_count_free(const struct pp_heap_sample *sample)
{
	struct pp_slot *slot = pp_self.slot;

	if (slot != NULL && sample->row < PP_HEAP_ROWS)
		heap_add(&slot->heap.row[sample->row], PP_HEAP_FREES,
		    sample->size);
}

static int
heap_put(void *p, const struct pp_heap_sample *sample)
{
	struct pp_heap_sample stale;
	int result = pp_heap_live_put(p, sample, &stale);

	pp_heap_count_free(&stale);
	return (result);
}

static void
heap_sample(void *p, size_t size, uint64_t rate)
{
	struct pp_slot *slot = pp_self.slot;
	struct pp_rows rows = pp_rows_heap(&slot->heap);
	struct pp_heap_key key;
	struct pp_heap_sample sample;
	struct pp_row *row;

	key.rate = heap_rate_place(&slot->heap, rate);
	key.label = pp_label_now;
	key.size_class = pp_heap_class(size);
	key.stack = heap_stack(slot);
	row = key.rate == PP_HEAP_RATES ? NULL
					: pp_rows_at(&rows, pp_heap_pack(key));
	if (row == NULL) {
		pp_slot_lose(slot, PP_LOSS_HEAP_DROPPED, 1);
		return;
	}
	heap_add(row, PP_HEAP_ALLOCS, size);
	sample.row = (uint32_t)(row - rows.row);
	sample.size = size;
	if (heap_put(p, &sample) == 0)
		return;
	/* In use would be too high for ever if its end were never seen. */
	heap_add(row, PP_HEAP_FREES, size);
	pp_slot_lose(slot, PP_LOSS_HEAP_UNTRACKED, 1);
}

void
pp_heap_alloc(void *p, size_t size)
{
	uint64_t rate;
	int saved = errno;

	if (pp_self.worker == 0) {
		pp_heap_left = LOOK_AGAIN;
		return;
	}
	rate = atomic_load_explicit(&pp_self.arena->control.heap_rate,
	    memory_order_relaxed);
	if (rate == 0 || rate > PP_HEAP_RATE_MAX) {
		heap_rate_seen = 0;
		pp_heap_left = LOOK_AGAIN;
		return;
	}
	if (pp_thread_self == NULL && !pp_thread_gone &&
	    pp_thread_unknown != NULL)
		pp_thread_unknown();
	if (heap_rate_seen != rate + 1) {
		/* The first draw of a thread, or of a new rate: this very
		 * allocation may still fall before the sample. */
		heap_rate_seen = rate + 1;
		pp_heap_left = heap_draw(rate);
		if (pp_heap_pass(size))
			return;
	}
	pp_heap_left = UINT64_MAX; /* the unwinder's own are not counted */
	if (p != NULL)
		heap_sample(p, size, rate);
	pp_heap_left = heap_draw(rate);
	errno = saved;
}

void
pp_heap_free(void *p)
{
	struct pp_heap_sample sample;

	if (pp_heap_take(p, &sample))
		pp_heap_count_free(&sample);
}

int
pp_heap_take(void *p, struct pp_heap_sample *sample)
{
	/* An empty place has the address NULL, too. */
	return (pp_self.worker != 0 && p != NULL &&
	    pp_heap_live_take(p, sample) == 0);
}

void
pp_heap_put_back(void *p, const struct pp_heap_sample *sample)
{
	if (heap_put(p, sample) == 0)
		return;
	pp_heap_count_free(sample);
	pp_slot_lose(pp_self.slot, PP_LOSS_HEAP_UNTRACKED, 1);
}

void
pp_heap_start(void)
{
	struct pp_rows rows = pp_rows_heap(&pp_self.slot->heap);
	uint32_t used = pp_rows_used(&rows), i, pair;
	struct pp_row *row;

	pp_heap_live_clear();
	/* The parent's countdown may be far from its end. */
	heap_rate_seen = heap_random_state = pp_heap_left = 0;
	for (i = 0; i < used; i++) {
		row = &rows.row[i];
		for (pair = 0; pair < 2; pair++)
			atomic_store(&row->value[PP_HEAP_FREES + pair],
			    atomic_load(&row->value[PP_HEAP_ALLOCS + pair]));
	}
}
