/* Hot: signal handlers run what is in this file. */
/*
 * See wait.h. The sampling is Go's: a wait of the rate or longer is always
 * taken, a shorter one with probability length/rate.
 */
#include <errno.h>

#include "base/random.h"
#include "capture/alloc_sample.h"
#include "capture/stack_here.h"
#include "capture/unwind_lib.h"
#include "capture/wait.h"
#include "store/waits.h"

_Atomic int pp_wait_watch;
void (*pp_wait_follow)(int watch);

__thread int64_t pp_wait_sum;
static __thread uint64_t wait_random_state;

static int
wait_wanted(void)
{
	const struct pp_control *control;
	int watch = 0;

	if (pp_self.worker != 0) {
		control = &pp_self.arena->control;
		if (atomic_load(&control->block_rate_ns) != 0)
			watch |= PP_WATCH_BLOCK;
		if (atomic_load(&control->mutex_fraction) != 0)
			watch |= PP_WATCH_MUTEX;
		if (atomic_load(&control->trace) != 0)
			watch |= PP_WATCH_TRACE;
	}
	return (watch);
}

/* The stores are repeated until the control words are unchanged: a thread that
 * was stopped between reading and storing would put an old value back that
 * another thread has long corrected. They are not repeated for ever: an
 * attacker who has taken a worker over can change the words as fast as this
 * thread reads them. */
void
pp_wait_apply(void)
{
	int watch, tries = 0;

	do {
		watch = wait_wanted();
		atomic_store(&pp_wait_watch, watch);
		if (pp_wait_follow != NULL)
			pp_wait_follow(watch);
	} while (watch != wait_wanted() && ++tries < PP_PROBES_MAX);
}

uint32_t
pp_wait_stack(void)
{
	return (pp_wait_stack_skip(0));
}

uint32_t
pp_wait_stack_skip(int skip)
{
	enum pp_unwind_end end = PP_UNWIND_WHOLE;
	uint64_t left;
	uint32_t id;

	if (pp_self.slot == NULL)
		return (0);
	left = pp_alloc_quiet();
	id = pp_stack_here(skip, &end);
	pp_alloc_loud(left);
	if (id == 0)
		pp_slot_lose(pp_self.slot, PP_LOSS_WAITS_STACKLESS, 1);
	else if (end != PP_UNWIND_WHOLE)
		pp_slot_lose(pp_self.slot,
		    end == PP_UNWIND_CUT ? PP_LOSS_WAITS_TRUNCATED
					 : PP_LOSS_WAITS_SHORT,
		    1);
	return (id);
}

static void
wait_add(struct pp_wait_table *table, uint64_t key, uint64_t count, uint64_t ns)
{
	struct pp_counters counters = pp_counters_waits(table);
	struct pp_counter *counter;

	counter = pp_counters_at(&counters, key);
	if (counter == NULL) {
		pp_slot_lose(pp_self.slot, PP_LOSS_WAITS_DROPPED, 1);
		return;
	}
	atomic_fetch_add_explicit(&counter->value[PP_WAIT_VALUE_COUNT], count,
	    memory_order_relaxed);
	atomic_fetch_add_explicit(&counter->value[PP_WAIT_VALUE_NS], ns,
	    memory_order_relaxed);
}

/* Whether to take a wait of *ns; if so, *count and *ns say what it counts for.
 */
static int
wait_sample(uint64_t *ns, uint64_t *count)
{
	uint64_t rate;

	rate = atomic_load_explicit(&pp_self.arena->control.block_rate_ns,
	    memory_order_relaxed);
	if (rate == 0 || rate > PP_BLOCK_RATE_MAX || *ns == 0)
		return (0);
	*count = PP_WAIT_ONE;
	if (*ns >= rate)
		return (1);
	if (pp_random(&wait_random_state) % rate >= *ns)
		return (0);
	*count = PP_WAIT_ONE * rate / *ns;
	*ns = rate;
	return (1);
}

void
pp_wait_ended_at(enum pp_wait wait, int64_t waited, uint32_t stack,
    uint32_t label)
{
	uint64_t ns = waited > 0 ? (uint64_t)waited : 0, count;

	if (pp_self.worker != 0 && wait_sample(&ns, &count))
		wait_add(&pp_self.slot->block, pp_wait_pack(wait, label, stack),
		    count, ns);
}

void
pp_wait_ended(uint32_t wait, int64_t waited)
{
	uint64_t ns = waited > 0 ? (uint64_t)waited : 0, count;
	int saved = errno;

	pp_wait_sum += (int64_t)ns;
	/* If the unwinder waits for its own lock on our behalf, that is no wait
	 * of the application. */
	if (pp_self.worker != 0 && !pp_unwind_ours && wait_sample(&ns, &count))
		wait_add(&pp_self.slot->block,
		    pp_wait_pack(wait, pp_label_now, pp_wait_stack()), count,
		    ns);
	errno = saved;
}

void
pp_wait_caused(enum pp_wait wait, int64_t ns)
{
	uint64_t fraction;
	int saved = errno;

	if (pp_self.worker == 0 || ns <= 0 || pp_unwind_ours)
		return;
	fraction = atomic_load_explicit(&pp_self.arena->control.mutex_fraction,
	    memory_order_relaxed);
	if (fraction == 0 || fraction > PP_MUTEX_FRACTION_MAX ||
	    (fraction > 1 && pp_random(&wait_random_state) % fraction != 0))
		return;
	wait_add(&pp_self.slot->mutex,
	    pp_wait_pack(wait, pp_label_now, pp_wait_stack()),
	    fraction * PP_WAIT_ONE, fraction * (uint64_t)ns);
	errno = saved;
}
