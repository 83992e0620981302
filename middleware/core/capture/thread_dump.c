/* Hot: signal handlers run what is in this file. */
/*
 * A thread writes its own stack down when it is asked to. When somebody begins
 * to trace, a thread writes down in which call it waits. Hot: in the SIGPROF
 * handler of any thread; see thread.h.
 *
 * One signal reaches one thread of the process. The first thread that exchanges
 * the question's number into dump_passed or trace_passed passes the question on
 * to the others; no lock is needed. The stores that publish an answer are
 * described at struct pp_thread_facts (store/arena.h).
 */
#include <errno.h>

#include "base/ask.h"
#include "capture/thread.h"
#include "capture/self.h"
#include "capture/jumps.h"
#include "capture/unwind.h"
#include "store/intern.h"

/* The numbers of the last questions that were passed on. */
static _Atomic uint32_t dump_passed, trace_passed;

static void
pass_on(_Atomic uint32_t *passed, uint32_t wanted)
{
	const struct pp_thread *thread;
	unsigned int i;

	if (atomic_load(passed) == wanted ||
	    atomic_exchange(passed, wanted) == wanted)
		return;
	for (i = 0; i < PP_THREADS_MAX; i++) {
		thread = &pp_self.thread[i];
		if (thread == pp_thread_self ||
		    atomic_load(&thread->state) != PP_THREAD_LIVE)
			continue;
		/* ESRCH means that the thread has just ended. */
		if (pp_ask(pp_self.pid, atomic_load(&thread->tid),
			PP_ASK_CONTROL) == -1 &&
		    errno != ESRCH)
			atomic_fetch_or(&pp_self.slot->clocks,
			    PP_TGKILL_REFUSED);
	}
}

void
pp_thread_dump(void *context, int one)
{
	uint64_t pcs[PP_FRAMES_MAX];
	struct pp_thread_facts *facts;
	uint32_t wanted, frames, i;
	enum pp_unwind_end end;
	int stackless;

	if (pp_self.worker == 0)
		return;
	wanted = atomic_load(one ? &pp_self.arena->control.dump_one
				 : &pp_self.arena->control.dump);
	if (wanted == 0)
		return;
	if (!one)
		pass_on(&dump_passed, wanted);
	if (pp_thread_self == NULL)
		return;
	facts = &pp_self.slot->thread[pp_thread_self - pp_self.thread];
	if ((int32_t)(atomic_load(&facts->dumped) - wanted) >= 0)
		return;
	frames = pp_unwind_interrupted(context, pcs, &stackless, &end);
	for (i = 0; i < frames; i++)
		atomic_store_explicit(&facts->pc[i], pcs[i],
		    memory_order_relaxed);
	atomic_store(&facts->label, pp_label_now);
	atomic_store(&facts->inflight, pp_self_inflight);
	atomic_store(&facts->frames, frames);
	atomic_store(&facts->dumped, wanted);
}

/* The stack in which the thread waits, as an id of the slot's table. */
static uint32_t
seen_stack(void *context)
{
	uint64_t words[1 + PP_FRAMES_MAX];
	struct pp_slot *slot = pp_self.slot;
	struct pp_intern_table table = pp_intern_stacks(&slot->stacks);
	enum pp_unwind_end end;
	int stackless;
	uint32_t frames;

	words[0] =
	    atomic_load_explicit(&slot->objects.used, memory_order_relaxed);
	frames = pp_unwind_interrupted(context, words + 1, &stackless, &end);
	return (pp_intern_put(&table, words, frames + 1));
}

void
pp_thread_seen(void *context)
{
	struct pp_thread_facts *facts;
	uint32_t wanted;
	int in_call;

	if (pp_self.worker == 0)
		return;
	wanted = atomic_load(&pp_self.arena->control.trace);
	if (wanted == 0)
		return;
	pass_on(&trace_passed, wanted);
	if (pp_thread_self == NULL)
		return;
	facts = &pp_self.slot->thread[pp_thread_self - pp_self.thread];
	if (atomic_load(&facts->traced) == wanted)
		return;
	in_call = pp_unwind_in_call(context);
	atomic_store(&facts->traced_call, in_call != 0);
	atomic_store(&facts->traced_stack, in_call ? seen_stack(context) : 0);
	atomic_store(&facts->traced_inflight, pp_self_inflight);
	atomic_store(&facts->traced, wanted);
}

void
pp_thread_pass_on(void)
{
	uint32_t wanted;

	if (pp_self.worker == 0)
		return;
	wanted = atomic_load(&pp_self.arena->control.dump);
	if (wanted != 0)
		pass_on(&dump_passed, wanted);
	wanted = atomic_load(&pp_self.arena->control.trace);
	if (wanted != 0)
		pass_on(&trace_passed, wanted);
}

void
pp_thread_dump_pc(const struct pp_thread *thread, const void *context)
{
	struct pp_thread_facts *facts;
	uint32_t wanted;

	pp_thread_pass_on();
	wanted = atomic_load(&pp_self.arena->control.dump);
	if (thread == NULL || pp_self.worker == 0 || wanted == 0)
		return;
	facts = &pp_self.slot->thread[thread - pp_self.thread];
	atomic_store(&facts->pc[0], pp_jumps_home(pp_unwind_pc(context)));
	atomic_store(&facts->label, 0);
	atomic_store(&facts->inflight, 0);
	atomic_store(&facts->frames, 1);
	atomic_store(&facts->dumped, wanted);
}
