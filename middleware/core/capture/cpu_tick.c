/*
 * What happens when SIGPROF comes. Hot: a signal handler on any thread, in
 * the middle of anything.
 *
 * The weight of a sample is CPU time, never "one period": what the thread's
 * CPU clock says since its last one. So the sum is the CPU time used, at any
 * rate and however late a tick was.
 */
#include <errno.h>
#include <ucontext.h>

#include "base/clock.h"
#include "capture/cpu.h"
#include "capture/own_stack.h"
#include "capture/thread.h"
#include "capture/trace.h"
#include "capture/unwind.h"
#include "capture/wait.h"
#include "store/ring.h"

static void
record_begin(uint64_t *record, const struct pp_thread *thread, uint64_t weight)
{
	record[PP_CPU_WORD_TIME] = (uint64_t)pp_clock_mono();
	record[PP_CPU_WORD_THREAD] = (uint64_t)(uint32_t)pp_self.pid << 32 |
	    (uint32_t)atomic_load_explicit(&thread->tid, memory_order_relaxed);
	record[PP_CPU_WORD_WEIGHT] = weight;
	record[PP_CPU_WORD_LABEL] = pp_label_now;
	record[PP_CPU_WORD_FLIGHT] = pp_flight_now;
}

static void
record_put(enum pp_record kind, const uint64_t *record, uint32_t frames)
{
	if (pp_ring_put(&pp_self.slot->cpu, kind, record,
		PP_CPU_WORD_FRAMES + frames) == -1)
		pp_slot_lose(pp_self.slot, PP_LOSS_SAMPLES_DROPPED, 1);
}

static void
record_end(const uint64_t *record, uint32_t frames)
{
	struct pp_slot *slot = pp_self.slot;

	record_put(PP_RECORD_CPU, record, frames);
	atomic_fetch_add_explicit(&slot->samples, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&slot->samples_ns,
	    (uint64_t)pp_clock_mono() - record[PP_CPU_WORD_TIME],
	    memory_order_relaxed);
}

static void
tick_record(struct pp_thread *thread, uint64_t weight, void *context)
{
	uint64_t record[PP_CPU_WORD_FRAMES + PP_FRAMES_MAX];
	uint32_t frames;
	int stackless, cut;

	record_begin(record, thread, weight);
	frames = pp_unwind_interrupted(context, &record[PP_CPU_WORD_FRAMES],
	    &stackless, &cut);
	if (stackless)
		pp_slot_lose(pp_self.slot, PP_LOSS_SAMPLES_STACKLESS, 1);
	if (cut)
		pp_slot_lose(pp_self.slot, PP_LOSS_STACKS_TRUNCATED, 1);
	record_end(record, frames);
}

static __attribute__((noinline)) void
tick_record_pc(struct pp_thread *thread, uint64_t weight, void *context)
{
	uint64_t record[PP_CPU_WORD_FRAMES + 1];

	record_begin(record, thread, weight);
	record[PP_CPU_WORD_FRAMES] = pp_unwind_pc(context);
	pp_slot_lose(pp_self.slot, PP_LOSS_SAMPLES_STACKLESS, 1);
	record_end(record, 1);
}

/* The kernel has put the call's result where it will be found. Another signal
 * that came with this one has its handler there instead. */
static int
ended_a_call(const void *context)
{
	const ucontext_t *uc = context;

#if defined(__x86_64__)
	return (uc->uc_mcontext.gregs[REG_RAX] == -EINTR);
#else
	return ((long long)uc->uc_mcontext.regs[0] == -EINTR);
#endif
}

struct signal {
	struct pp_thread *thread;
	const siginfo_t *info;
	void *context;
};

/* While a tick waits to be delivered, a sent signal of the same number is
 * thrown away: so whatever has come, the words are read. */
static void
signal_asks(void)
{
	pp_cpu_apply();
	pp_cpu_clocks();
	pp_wait_apply();
	pp_trace_apply();
}

static uint64_t
signal_weight(const struct signal *s)
{
	if (s->thread == NULL || s->info->si_code == SI_USER ||
	    s->info->si_code == SI_TKILL)
		return (0);
	return (pp_cpu_tick(s->thread, s->info));
}

static void
signal_on_own_stack(void *arg)
{
	const struct signal *s = arg;
	uint64_t weight = signal_weight(s);

	if (weight != 0)
		tick_record(s->thread, weight, s->context);
	signal_asks();
	pp_thread_dump(s->context);
	pp_thread_seen(s->context);
}

/* No stack to take one on: the pc is all that is told. */
static void
signal_without_stack(const struct signal *s)
{
	uint64_t weight = signal_weight(s);

	if (weight != 0)
		tick_record_pc(s->thread, weight, s->context);
	signal_asks();
	pp_thread_pass_on();
}

void
pp_cpu_signal(int signo, siginfo_t *info, void *context)
{
	struct signal s = { pp_thread_self, info, context };
	int saved;

	(void)signo;
	if (pp_self.slot == NULL)
		return;
	saved = errno;
	if (ended_a_call(context))
		pp_calls_interrupted++;
	if (s.thread == NULL ||
	    pp_own_stack_in_handler(s.thread, signal_on_own_stack, &s) == -1)
		signal_without_stack(&s);
	errno = saved;
}

void
pp_cpu_left(const struct pp_thread *thread, uint64_t ns, uintptr_t function)
{
	uint64_t record[PP_CPU_WORD_FRAMES + 1];

	record_begin(record, thread, ns);
	record[PP_CPU_WORD_FRAMES] = function;
	record_put(PP_RECORD_CPU_LEFT, record, function != 0);
}
