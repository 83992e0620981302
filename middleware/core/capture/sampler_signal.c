/* Hot: signal handlers run what is in this file. */
/*
 * What happens when SIGPROF comes. Hot: in a signal handler of any thread, in
 * the middle of anything.
 *
 * The weight of a sample is the CPU time of its thread since the last sample,
 * never "one period". So the sum of the weights is the CPU time used, at any
 * rate and however late a tick was.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/sampler.h"
#include "capture/own_stack.h"
#include "capture/signal.h"
#include "capture/thread.h"
#include "capture/trace.h"
#include "capture/jumps.h"
#include "capture/unwind.h"
#include "capture/wait.h"
#include "store/ring.h"

static void
record_begin(uint64_t *record, const struct pp_thread *thread, uint64_t weight,
    int labelled)
{
	record[PP_CPU_WORD_TIME] = (uint64_t)pp_clock_mono();
	record[PP_CPU_WORD_THREAD] = (uint64_t)(uint32_t)pp_self.pid << 32 |
	    (uint32_t)atomic_load_explicit(&thread->tid, memory_order_relaxed);
	record[PP_CPU_WORD_WEIGHT] = weight;
	record[PP_CPU_WORD_LABEL] = labelled ? pp_label_now : 0;
	record[PP_CPU_WORD_INFLIGHT] = labelled ? pp_self_inflight : 0;
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
sample_record(struct pp_thread *thread, uint64_t weight, void *context)
{
	uint64_t record[PP_CPU_WORD_FRAMES + PP_FRAMES_MAX];
	enum pp_unwind_end end;
	uint32_t frames;
	int stackless;

	record_begin(record, thread, weight, 1);
	frames = pp_unwind_interrupted(context, &record[PP_CPU_WORD_FRAMES],
	    &stackless, &end);
	if (stackless)
		pp_slot_lose(pp_self.slot, PP_LOSS_SAMPLES_STACKLESS, 1);
	else if (end != PP_UNWIND_WHOLE)
		pp_slot_lose(pp_self.slot,
		    end == PP_UNWIND_CUT ? PP_LOSS_STACKS_TRUNCATED
					 : PP_LOSS_STACKS_SHORT,
		    1);
	record_end(record, frames);
}

static __attribute__((noinline)) void
sample_record_pc(struct pp_thread *thread, uint64_t weight, int ours,
    void *context)
{
	uint64_t record[PP_CPU_WORD_FRAMES + 1];

	record_begin(record, thread, weight, ours);
	record[PP_CPU_WORD_FRAMES] = pp_jumps_home(pp_unwind_pc(context));
	pp_slot_lose(pp_self.slot, PP_LOSS_SAMPLES_STACKLESS, 1);
	record_end(record, 1);
}

struct signal {
	struct pp_thread *thread;
	const siginfo_t *info;
	void *context;
	int asks; /* enum pp_ask */
};

/* While a tick waits to be delivered, the kernel throws a sent SIGPROF away.
 * Therefore every SIGPROF reads the control words. */
static void
signal_asks(void)
{
	pp_sampler_apply();
	pp_sampler_clocks();
	pp_wait_apply();
	pp_trace_apply();
}

static uint64_t
signal_weight(const struct signal *s)
{
	return (
	    s->asks == PP_ASK_NONE ? pp_sampler_weight(s->thread, s->info) : 0);
}

static void
signal_on_own_stack(void *arg)
{
	const struct signal *s = arg;
	uint64_t weight = signal_weight(s);

	if (weight != 0)
		sample_record(s->thread, weight, s->context);
	signal_asks();
	pp_thread_dump(s->context, s->asks == PP_ASK_ONE);
	pp_thread_seen(s->context);
}

/* If there is no stack to walk on, the sample has the pc alone. */
static void
signal_without_stack(const struct signal *s)
{
	uint64_t weight = signal_weight(s);

	if (weight != 0)
		sample_record_pc(s->thread, weight, 1, s->context);
	signal_asks();
	pp_thread_pass_on();
}

/* Whether the thread-local variables may belong to another thread: a thread of
 * bare clone() may have its creator's. */
static int
is_bare(const struct pp_thread *thread, const siginfo_t *info)
{
	if (thread == NULL)
		return (1);
	if (info->si_code == SI_TIMER)
		return (info->si_timerid != atomic_load(&thread->timer) &&
		    info->si_timerid != atomic_load(&thread->wall_timer));
	return ((pid_t)syscall(SYS_gettid) != atomic_load(&thread->tid));
}

/* For an unregistered thread, and for a thread of bare clone(): no thread-local
 * variable is touched, and a sample has the pc alone. */
static void
signal_bare(const siginfo_t *info, void *context)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);
	struct pp_thread *thread;
	uint64_t weight;
	unsigned int i;

	for (i = 0; i < PP_THREADS_MAX; i++) {
		thread = &pp_self.thread[i];
		if (atomic_load(&thread->state) == PP_THREAD_LIVE &&
		    atomic_load(&thread->tid) == tid)
			break;
	}
	if (i == PP_THREADS_MAX)
		thread = NULL;
	if (thread != NULL && info->si_code == SI_TIMER) {
		weight = pp_sampler_weight(thread, info);
		if (weight != 0)
			sample_record_pc(thread, weight, 0, context);
	}
	signal_asks();
	pp_thread_dump_pc(thread, context);
}

void
pp_sampler_signal(int signo, siginfo_t *info, void *context)
{
	struct signal s = { pp_thread_self, info, context,
		pp_signal_asks(info) };
	int saved;

	(void)signo;
	if (!pp_signal_arrived(info, context) || pp_self.slot == NULL)
		return;
	if (is_bare(s.thread, info)) {
		signal_bare(info, context);
		return;
	}
	saved = errno;
	if (pp_own_stack_in_handler(s.thread, signal_on_own_stack, &s) == -1)
		signal_without_stack(&s);
	errno = saved;
}

void
pp_sampler_left(const struct pp_thread *thread, uint64_t ns, uintptr_t function)
{
	uint64_t record[PP_CPU_WORD_FRAMES + 1];

	record_begin(record, thread, ns, thread->bare == NULL);
	record[PP_CPU_WORD_FRAMES] = function;
	record_put(PP_RECORD_CPU_LEFT, record, function != 0);
}
