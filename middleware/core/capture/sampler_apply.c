/* Hot: signal handlers run what is in this file. */
/*
 * The clocks of the threads; see sampler.h. The code runs seldom, but in signal
 * handlers: so nothing here locks or allocates, and the kernel is called
 * directly (glibc's timer_create() may allocate).
 *
 * A thread that changes the rate raises cpu_epoch before it sets any timer. A
 * thread that sets its own timer reads cpu_epoch before and after. Both
 * accesses are sequentially consistent, so either the thread sees the change,
 * or the other thread sets its timer later. Epochs are compared for equality:
 * 2^32 changes would have to lie between two ticks of a thread.
 */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "capture/sampler.h"
#include "capture/sampler_perf.h"

/* At rates above the kernel's tick: if a thread has used less than IDLE_NS of
 * CPU between two wall ticks for IDLE_LONG_NS, it is not woken any more, and
 * its CPU timer tells when it runs again. (Waking it for our handler takes some
 * 10 us.) A tick that finds work takes away an eighth of the idle ticks. */
#define IDLE_NS	     25000
#define IDLE_LONG_NS (50 * PP_NS_PER_MS)

/* A wall clock ticks faster than was asked by a part in FASTER. The collector
 * takes one sample for each period of CPU time that ends. If a record stood for
 * a whole period, a tick that is a little late would end two periods in one
 * record, and the profile would have fewer samples than were asked for. */
#define FASTER 16

/* A thread that sets its own timer tries again so often when a change overtakes
 * it. Each change sets the timer, too, so the last one is right anyway. */
#define TRIES 4

static __thread uint64_t cpu_random_state;
static _Atomic uint32_t cpu_epoch;

static struct timespec
timer_time(uint64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / PP_NS_PER_SEC),
		.tv_nsec = (long)(ns % PP_NS_PER_SEC) };

	return (ts);
}

/* `first` is a time from now, or with TIMER_ABSTIME on the timer's clock. */
static int
timer_set(int timer, int flags, uint64_t first, uint64_t period)
{
	struct itimerspec spec = { .it_value = timer_time(first),
		.it_interval = timer_time(period) };

	if (timer == -1)
		return (-1);
	return ((int)syscall(SYS_timer_settime, timer, flags, &spec, NULL));
}

static int
timer_make(clockid_t clock, pid_t tid)
{
	struct sigevent event;
	int timer;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIGPROF;
	event.sigev_value.sival_ptr = &pp_self;
	event._sigev_un._tid = tid;
	if (syscall(SYS_timer_create, clock, &event, &timer) == -1)
		return (-1);
	return (timer);
}

static void
timer_unmake(_Atomic int *timer)
{
	int id = atomic_exchange(timer, -1);

	if (id != -1)
		(void)syscall(SYS_timer_delete, id);
}

/* A random distance from half a period to one and a half. */
static int64_t
cpu_distance(uint64_t period)
{
	return ((int64_t)(period / 2 + pp_random(&cpu_random_state) % period));
}

/* The distance to the first tick is uniform in (0, period]: whenever sampling
 * begins, each nanosecond of CPU has the same chance. */
static uint64_t
cpu_first(uint64_t period)
{
	return (1 + pp_random(&cpu_random_state) % period);
}

/* Notes for the doctor page which clocks there are. */
static void
cpu_seen(enum pp_clock_seen clock)
{
	if ((atomic_load_explicit(&pp_self.slot->clocks, memory_order_relaxed) &
		clock) == 0)
		atomic_fetch_or_explicit(&pp_self.slot->clocks, clock,
		    memory_order_relaxed);
}

uint64_t
pp_sampler_wanted(void)
{
	uint64_t period;

	period = atomic_load(&pp_self.arena->control.cpu_period_ns);
	if (period == 0 || period > PP_NS_PER_SEC / PP_HZ_MIN)
		return (0);
	if (period < PP_NS_PER_SEC / PP_HZ_MAX)
		return (PP_NS_PER_SEC / PP_HZ_MAX);
	return (period);
}

static int
is_fast(uint64_t period)
{
	return ((int64_t)period < pp_self.jiffy_ns);
}

static void
stop_fast(struct pp_thread *thread)
{
	if (atomic_load(&thread->mode) == PP_CPU_WALL)
		(void)timer_set(atomic_load(&thread->wall_timer), 0, 0, 0);
	pp_sampler_perf_close(thread);
}

/* Sets the CPU timer to come when the thread's clock reaches `due`. A tick sets
 * the next one; in case a tick is lost, the timer repeats by itself. */
static void
arm_cpu_timer(struct pp_thread *thread, uint64_t period, int64_t due)
{
	thread->due_ns = due;
	atomic_store(&thread->mode, PP_CPU_TIMER);
	cpu_seen(timer_set(atomic_load(&thread->timer), TIMER_ABSTIME,
		     (uint64_t)due, 2 * period) == 0
		? PP_CLOCK_TIMER
		: PP_CLOCK_TIMER_REFUSED);
}

/* After a CPU tick at a rate above the kernel's tick: the thread runs, so a
 * finer clock is worth its price. If there is none, the kernel's tick has to
 * do. */
static void
arm_fast(struct pp_thread *thread, uint64_t period, int64_t now)
{
	pid_t tid = atomic_load(&thread->tid);
	uint64_t step = period - period / FASTER;

	if (pp_self.perf_event && pp_sampler_perf_open(thread, period)) {
		cpu_seen(PP_CLOCK_PERF);
		atomic_store(&thread->mode, PP_CPU_PERF);
		(void)timer_set(atomic_load(&thread->timer), 0, 0, 0);
		return;
	}
	if (atomic_load(&thread->wall_timer) == -1)
		atomic_store(&thread->wall_timer,
		    timer_make(CLOCK_MONOTONIC, tid));
	if (timer_set(atomic_load(&thread->wall_timer), 0, step, step) == -1) {
		cpu_seen(PP_CLOCK_TIMER_REFUSED);
		arm_cpu_timer(thread, period, now + pp_self.jiffy_ns);
		return;
	}
	cpu_seen(PP_CLOCK_WALL);
	atomic_store(&thread->mode, PP_CPU_WALL);
	thread->seen_cpu_ns = now;
	thread->idle = 0;
	(void)timer_set(atomic_load(&thread->timer), 0, 0, 0);
}

/* The next tick is due one period after the last one was due, plus or minus up
 * to half a period at random, so that a program that repeats itself is not
 * always interrupted at the same code (docs/sampling.md). */
static void
arm_next(struct pp_thread *thread, uint64_t period, int64_t now)
{
	int64_t due = thread->due_ns + cpu_distance(period);

	if (now - due > (int64_t)period) {
		pp_slot_lose(pp_self.slot, PP_LOSS_TIMER_OVERRUNS,
		    (uint64_t)(now - due) / period);
		due = now + cpu_distance(period);
	}
	arm_cpu_timer(thread, period, due);
}

/* After a wall tick: 1 while the thread works. */
static int
still_works(struct pp_thread *thread, uint64_t period, int64_t now)
{
	if (now - thread->seen_cpu_ns < IDLE_NS)
		thread->idle++;
	else
		thread->idle -= thread->idle / 8;
	thread->seen_cpu_ns = now;
	return (thread->idle * period < IDLE_LONG_NS);
}

/* Sets the clock that comes next. `fast` 1: a fine clock has come now, not the
 * CPU timer. */
static void
timer_rearm(struct pp_thread *thread, uint64_t period, int64_t now, int fast)
{
	uint32_t epoch = atomic_load(&cpu_epoch);
	int changed = thread->epoch != epoch;

	thread->epoch = epoch;
	if (period == 0 || (fast && !is_fast(period)))
		stop_fast(thread);
	if (period == 0) {
		atomic_store(&thread->mode, PP_CPU_OFF);
		(void)timer_set(atomic_load(&thread->timer), 0, 0, 0);
	} else if (!is_fast(period)) {
		if (changed || fast)
			thread->due_ns = now;
		arm_next(thread, period, now);
	} else if (!fast || changed) {
		stop_fast(thread);
		arm_fast(thread, period, now);
	} else if (atomic_load(&thread->mode) == PP_CPU_PERF) {
		pp_sampler_perf_again(thread);
	} else if (!still_works(thread, period, now)) {
		stop_fast(thread);
		arm_cpu_timer(thread, period, now + IDLE_NS);
	}
}

/* The CPU time since the last sample. A fine clock also wakes threads that do
 * nothing: if less than half a period was used, it is left for the next tick.
 * If a sample of a fine clock stands for two periods and more, the kernel has
 * missed the ticks between. */
static uint64_t
sample_weight(struct pp_thread *thread, uint64_t period, int64_t now, int fast)
{
	int64_t last =
	    atomic_load_explicit(&thread->last_cpu_ns, memory_order_relaxed);
	uint64_t used = now > last ? (uint64_t)(now - last) : 0;

	if (period == 0 || used == 0 || (fast && used < period / 2))
		return (0);
	if (fast && used >= 2 * period)
		pp_slot_lose(pp_self.slot, PP_LOSS_TIMER_OVERRUNS,
		    used / period - 1);
	atomic_store_explicit(&thread->last_cpu_ns, now, memory_order_relaxed);
	return (used);
}

uint64_t
pp_sampler_weight(struct pp_thread *thread, const siginfo_t *info)
{
	int64_t now = pp_clock_read(CLOCK_THREAD_CPUTIME_ID);
	uint64_t period, weight;
	int tries = 0, fast;

	fast = info->si_code != SI_TIMER ||
	    info->si_timerid == atomic_load(&thread->wall_timer);
	period = pp_sampler_wanted();
	weight = sample_weight(thread, period, now, fast);
	do {
		period = pp_sampler_wanted();
		timer_rearm(thread, period, now, fast);
	} while (thread->epoch != atomic_load(&cpu_epoch) && ++tries < TRIES);
	return (weight);
}

void
pp_sampler_enter(struct pp_thread *thread)
{
	uint64_t period;
	pid_t tid = atomic_load(&thread->tid);
	int tries = 0;

	atomic_store(&thread->timer, timer_make(pp_clock_thread(tid), tid));
	if (atomic_load(&thread->timer) == -1) {
		cpu_seen(PP_CLOCK_TIMER_REFUSED);
		pp_slot_lose(pp_self.slot, PP_LOSS_THREADS_UNSAMPLED, 1);
		return;
	}
	do {
		thread->epoch = atomic_load(&cpu_epoch);
		period = pp_sampler_wanted();
		if (period != 0)
			arm_cpu_timer(thread, period,
			    pp_clock_read(CLOCK_THREAD_CPUTIME_ID) +
				(int64_t)cpu_first(period));
	} while (thread->epoch != atomic_load(&cpu_epoch) && ++tries < TRIES);
}

uint64_t
pp_sampler_leave(struct pp_thread *thread)
{
	int64_t used = 0;

	atomic_store(&thread->mode, PP_CPU_OFF);
	pp_sampler_perf_close(thread);
	timer_unmake(&thread->timer);
	timer_unmake(&thread->wall_timer);
	if (pp_self.slot != NULL && pp_sampler_wanted() != 0)
		used = pp_clock_read(CLOCK_THREAD_CPUTIME_ID) -
		    atomic_load(&thread->last_cpu_ns);
	return (used > 0 ? (uint64_t)used : 0);
}

/* CPU time that was used while nobody measured is in no sample. */
static void
forget_used(struct pp_thread *thread)
{
	int64_t now = pp_clock_read(pp_clock_thread(atomic_load(&thread->tid)));

	if (now > 0)
		atomic_store(&thread->last_cpu_ns, now);
}

/* Each thread's own next tick turns its sampling off. Since Linux 6.13 the
 * kernel takes a pending signal back when its timer is set, although the call
 * that the signal interrupts ends all the same. So another thread's timer is
 * set only to begin or change sampling, and `rearmed` tells the thread
 * (hook/through.h). */
static void
apply_to(struct pp_thread *thread, uint64_t period, int from_off)
{
	if (period == 0)
		return;
	if (from_off)
		forget_used(thread);
	atomic_fetch_add(&thread->rearmed, 1);
	(void)timer_set(atomic_load(&thread->timer), 0, cpu_first(period),
	    2 * period);
}

/* If the rate has not changed, the threads' timers stay as they are. */
void
pp_sampler_apply(void)
{
	static _Atomic uint64_t applied;
	static atomic_uint asked, busy;
	unsigned int round, i;
	uint64_t period, before;

	if (pp_sampler_wanted() == atomic_load(&applied))
		return;
	atomic_fetch_add(&asked, 1);
	while (atomic_exchange(&busy, 1) == 0) {
		round = atomic_load(&asked);
		period = pp_sampler_wanted();
		before = atomic_exchange(&applied, period);
		if (period != before)
			atomic_fetch_add(&cpu_epoch, 1);
		for (i = 0; period != before && i < PP_THREADS_MAX; i++) {
			if (atomic_load(&pp_self.thread[i].state) ==
			    PP_THREAD_LIVE)
				apply_to(&pp_self.thread[i], period,
				    before == 0);
		}
		atomic_store(&busy, 0);
		if (round == atomic_load(&asked))
			return;
	}
}
