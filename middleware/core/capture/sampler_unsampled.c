/* Hot: signal handlers run what is in this file. */
/*
 * The CPU time of this process's threads that no sample shows yet. A profile
 * asks for it at both edges of its window. Hot: in the SIGPROF handler of any
 * thread; see sampler.h.
 *
 * Rule: clocks_answered is stored after all unsampled_ns; its release pairs
 * with the acquire load of clocks_answered by the collector. The number is
 * compared for equality: 2^32 questions would have to pass by.
 */
#include "base/clock.h"
#include "capture/sampler.h"

/* If a sample has come between the two readings, both are read again, a few
 * times. */
static uint64_t
unsampled(struct pp_thread *thread)
{
	int64_t last, now;
	int tries = 0;

	do {
		last = atomic_load(&thread->last_cpu_ns);
		now = pp_clock_read(pp_clock_thread(atomic_load(&thread->tid)));
	} while (last != atomic_load(&thread->last_cpu_ns) && ++tries < 4);
	return (now > last ? (uint64_t)(now - last) : 0);
}

void
pp_sampler_clocks(void)
{
	static _Atomic uint32_t begun;
	struct pp_slot *slot = pp_self.slot;
	struct pp_thread *thread;
	uint32_t wanted, i;

	wanted = atomic_load(&pp_self.arena->control.clocks);
	if (pp_self.worker == 0 || wanted == 0 ||
	    atomic_load(&begun) == wanted ||
	    atomic_exchange(&begun, wanted) == wanted)
		return;
	for (i = 0; i < PP_THREADS_MAX; i++) {
		thread = &pp_self.thread[i];
		if (atomic_load(&thread->state) == PP_THREAD_LIVE)
			atomic_store(&slot->thread[i].unsampled_ns,
			    pp_sampler_wanted() != 0 ? unsampled(thread) : 0);
	}
	atomic_store(&slot->clocks_answered, wanted);
}
