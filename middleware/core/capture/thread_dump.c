/*
 * A thread writes down its own stack when asked. Hot: in the SIGPROF handler
 * of any thread; see thread.h.
 *
 * One signal reaches one thread of the process; that one passes it on to the
 * others, which are many fewer than a lock would be worth.
 */
#include <sys/syscall.h>

#include <signal.h>
#include <unistd.h>

#include "capture/thread.h"
#include "capture/self.h"
#include "capture/unwind.h"

static _Atomic uint32_t passed_on; /* the last dump that was */

static void
dump_pass_on(uint32_t wanted)
{
	const struct pp_thread *thread;
	unsigned int i;

	if (atomic_load(&passed_on) == wanted ||
	    atomic_exchange(&passed_on, wanted) == wanted)
		return;
	for (i = 0; i < PP_THREADS_MAX; i++) {
		thread = &pp_self.thread[i];
		if (thread != pp_thread_self &&
		    atomic_load(&thread->state) == PP_THREAD_LIVE)
			(void)syscall(SYS_tgkill, pp_self.pid, thread->tid,
			    SIGPROF);
	}
}

void
pp_thread_dump(void *context)
{
	uint64_t pcs[PP_FRAMES_MAX];
	struct pp_thread_facts *facts;
	uint32_t wanted, frames, i;
	int stackless, cut;

	if (pp_self.worker == 0)
		return;
	wanted = atomic_load(&pp_self.arena->control.dump);
	if (wanted == 0)
		return;
	dump_pass_on(wanted);
	if (pp_thread_self == NULL)
		return;
	facts = &pp_self.slot->thread[pp_thread_self - pp_self.thread];
	if (atomic_load(&facts->dumped) == wanted)
		return;
	frames = pp_unwind_interrupted(context, pcs, &stackless, &cut);
	for (i = 0; i < frames; i++)
		atomic_store_explicit(&facts->pc[i], pcs[i],
		    memory_order_relaxed);
	atomic_store(&facts->label, pp_label_now);
	atomic_store(&facts->flight, pp_flight_now);
	atomic_store(&facts->frames, frames);
	atomic_store(&facts->dumped, wanted);
}
