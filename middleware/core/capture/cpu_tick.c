/*
 * What happens when SIGPROF comes. Hot: a signal handler on any thread, in
 * the middle of anything.
 *
 * The weight of a sample is CPU time, never "one period": what the thread's
 * CPU clock says since its last one. So the sum is the CPU time used, at any
 * rate and however late a tick was.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <linux/perf_event.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/cpu.h"
#include "capture/signal.h"
#include "capture/thread.h"
#include "capture/trace.h"
#include "capture/unwind.h"
#include "capture/wait.h"
#include "store/ring.h"

/* CPU time since the thread's last sample, on its own clock. A wall timer
 * also wakes threads that do nothing: what is far from a period waits for the
 * next tick. */
static uint64_t
tick_weigh_clock(struct pp_thread *thread, uint64_t period)
{
	int64_t now, last;

	now = pp_clock_read(CLOCK_THREAD_CPUTIME_ID);
	last = atomic_load_explicit(&thread->last_cpu_ns, memory_order_relaxed);
	if (now - last < (int64_t)(period / 2))
		return (0);
	atomic_store_explicit(&thread->last_cpu_ns, now, memory_order_relaxed);
	return ((uint64_t)(now - last));
}

/* The same for a CPU timer, and when it shall come again. */
static uint64_t
tick_weigh_timer(struct pp_thread *thread)
{
	int64_t now, last;

	now = pp_clock_read(CLOCK_THREAD_CPUTIME_ID);
	last = atomic_load_explicit(&thread->last_cpu_ns, memory_order_relaxed);
	pp_cpu_next(thread, now);
	if (now <= last)
		return (0);
	atomic_store_explicit(&thread->last_cpu_ns, now, memory_order_relaxed);
	return ((uint64_t)(now - last));
}

static uint64_t
tick_weigh(struct pp_thread *thread, const siginfo_t *info)
{
	uint64_t period, weight;

	period = atomic_load_explicit(&thread->period_ns, memory_order_relaxed);
	switch (atomic_load_explicit(&thread->mode, memory_order_relaxed)) {
	case PP_CPU_TICK:
		if (info->si_code != SI_TIMER)
			return (0);
		weight = tick_weigh_timer(thread);
		break;
	case PP_CPU_WALL:
		if (info->si_code != SI_TIMER)
			return (0);
		weight = tick_weigh_clock(thread, period);
		break;
	case PP_CPU_PERF:
		if (info->si_code == SI_TIMER)
			return (0);
		weight = tick_weigh_clock(thread, period);
		(void)syscall(SYS_ioctl,
		    atomic_load_explicit(&thread->perf_fd,
			memory_order_relaxed),
		    PERF_EVENT_IOC_REFRESH, 1);
		break;
	default:
		return (0);
	}
	if (weight == 0)
		return (0);
	return (weight +
	    atomic_exchange_explicit(&thread->carry_ns, 0,
		memory_order_relaxed));
}

static void
tick_record(struct pp_thread *thread, uint64_t weight, void *context)
{
	uint64_t record[PP_CPU_WORD_FRAMES + PP_FRAMES_MAX];
	struct pp_slot *slot = pp_self.slot;
	uint32_t frames;
	int stackless, cut;

	record[PP_CPU_WORD_TIME] = (uint64_t)pp_clock_mono();
	record[PP_CPU_WORD_THREAD] =
	    (uint64_t)(uint32_t)pp_self.pid << 32 | (uint32_t)thread->tid;
	record[PP_CPU_WORD_WEIGHT] = weight;
	record[PP_CPU_WORD_LABEL] = pp_label_now;
	record[PP_CPU_WORD_FLIGHT] = pp_flight_now;
	frames = pp_unwind_interrupted(context, &record[PP_CPU_WORD_FRAMES],
	    &stackless, &cut);
	if (stackless)
		pp_slot_lose(slot, PP_LOSS_SAMPLES_STACKLESS, 1);
	if (cut)
		pp_slot_lose(slot, PP_LOSS_STACKS_TRUNCATED, 1);
	if (pp_ring_put(&slot->cpu, PP_RECORD_CPU, record,
		PP_CPU_WORD_FRAMES + frames) == -1)
		pp_slot_lose(slot, PP_LOSS_SAMPLES_DROPPED, 1);
	atomic_fetch_add_explicit(&slot->samples, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&slot->samples_ns,
	    (uint64_t)pp_clock_mono() - record[PP_CPU_WORD_TIME],
	    memory_order_relaxed);
}

void
pp_cpu_signal(int signo, siginfo_t *info, void *context)
{
	struct pp_thread *thread = pp_thread_self;
	uint64_t weight;
	int saved, asks;

	(void)signo;
	if (!pp_signal_arrived(info, context) || pp_self.slot == NULL)
		return;
	saved = errno;
	asks = pp_signal_asks(info);
	if (asks != PP_ASK_NONE) {
		pp_cpu_apply();
		pp_wait_apply();
		pp_trace_apply();
		pp_thread_dump(context, asks == PP_ASK_ONE);
		pp_thread_seen(context);
	} else if (thread != NULL) {
		weight = tick_weigh(thread, info);
		if (weight != 0)
			tick_record(thread, weight, context);
		/* While a tick waits to be delivered, a question is thrown
		 * away. */
		pp_thread_dump(context, 0);
		pp_thread_seen(context);
	}
	errno = saved;
}
