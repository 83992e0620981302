/*
 * Arming the clocks of the threads. Hot by place, not by frequency: it runs
 * in a signal handler whenever the collector has changed the rate, so it
 * takes no lock, allocates nothing and calls the kernel directly (glibc's
 * timer_create() may allocate).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <linux/perf_event.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "capture/cpu.h"

static __thread uint64_t cpu_random_state;

/* CPU clock of that thread: CLOCK_THREAD_CPUTIME_ID is always the caller's,
 * and any thread may arm all. The kernel's encoding, as in clock.h; 6 =
 * CPUCLOCK_SCHED of one thread. */
static clockid_t
thread_cpu_clock(pid_t tid)
{
	return ((clockid_t)(~(unsigned int)tid << 3 | 6));
}

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

	return ((int)syscall(SYS_timer_settime, timer, flags, &spec, NULL));
}

/* From half a period to one and a half. */
static int64_t
cpu_distance(uint64_t period)
{
	return ((int64_t)(period / 2 + pp_random(&cpu_random_state) % period));
}

/* Should a tick be lost, which sets the next one, the timer comes by itself. */
static int
cpu_due(struct pp_thread *thread, uint64_t period, int64_t due)
{
	atomic_store(&thread->due_ns, due);
	return (
	    timer_set(thread->timer, TIMER_ABSTIME, (uint64_t)due, 2 * period));
}

void
pp_cpu_next(struct pp_thread *thread, int64_t now)
{
	uint64_t period = atomic_load(&thread->period_ns);
	int64_t due;

	if (period == 0)
		return;
	due = atomic_load(&thread->due_ns) + cpu_distance(period);
	if (now - due > (int64_t)period) {
		pp_slot_lose(pp_self.slot, PP_LOSS_TIMER_OVERRUNS,
		    (uint64_t)(now - due) / period);
		due = now + cpu_distance(period);
	}
	(void)cpu_due(thread, period, due);
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

/* The event starts disabled; each REFRESH lets one more overflow through. */
static int
perf_open(pid_t tid, uint64_t period)
{
	struct perf_event_attr attr;
	struct f_owner_ex owner = { F_OWNER_TID, tid };
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.type = PERF_TYPE_SOFTWARE;
	attr.size = sizeof(attr);
	attr.config = PERF_COUNT_SW_TASK_CLOCK;
	attr.sample_period = period;
	attr.wakeup_events = 1;
	attr.disabled = 1;
	attr.exclude_hv = 1;
	fd = syscall(SYS_perf_event_open, &attr, tid, -1, -1,
	    PERF_FLAG_FD_CLOEXEC);
	if (fd == -1) {
		attr.exclude_kernel = 1; /* all that the unprivileged may */
		fd = syscall(SYS_perf_event_open, &attr, tid, -1, -1,
		    PERF_FLAG_FD_CLOEXEC);
	}
	if (fd == -1)
		return (-1);
	if (syscall(SYS_fcntl, fd, F_SETFL, O_ASYNC) == -1 ||
	    syscall(SYS_fcntl, fd, F_SETSIG, SIGPROF) == -1 ||
	    syscall(SYS_fcntl, fd, F_SETOWN_EX, &owner) == -1 ||
	    syscall(SYS_ioctl, fd, PERF_EVENT_IOC_REFRESH, 1) == -1) {
		(void)syscall(SYS_close, fd);
		return (-1);
	}
	return ((int)fd);
}

static void
perf_close(struct pp_thread *thread)
{
	int fd;

	fd = atomic_exchange(&thread->perf_fd, -1);
	if (fd != -1)
		(void)syscall(SYS_close, fd);
}

/* Stop the clock that runs. A CPU timer's unfinished period is CPU time that
 * was used: it goes to the next sample. */
static void
cpu_stop(struct pp_thread *thread)
{
	int64_t used;

	switch (atomic_load(&thread->mode)) {
	case PP_CPU_TICK:
		(void)timer_set(thread->timer, 0, 0, 0);
		used = pp_clock_read(thread_cpu_clock(thread->tid)) -
		    atomic_load(&thread->last_cpu_ns);
		if (used > 0)
			atomic_fetch_add(&thread->carry_ns, (uint64_t)used);
		break;
	case PP_CPU_WALL:
		(void)timer_set(thread->wall_timer, 0, 0, 0);
		break;
	case PP_CPU_PERF:
		perf_close(thread);
		break;
	}
	atomic_store(&thread->mode, PP_CPU_OFF);
}

/* For the doctor page. */
static void
cpu_seen(enum pp_clock_seen clock)
{
	atomic_fetch_or_explicit(&pp_self.slot->clocks, clock,
	    memory_order_relaxed);
}

/* A clock finer than the kernel's tick. */
static void
cpu_start_fast(struct pp_thread *thread, uint64_t period)
{
	int fd;

	fd = perf_open(thread->tid, period);
	cpu_seen(fd != -1 ? PP_CLOCK_PERF : PP_CLOCK_PERF_REFUSED);
	if (fd != -1) {
		atomic_store(&thread->perf_fd, fd);
		atomic_store(&thread->mode, PP_CPU_PERF);
		if (atomic_load(&thread->state) != PP_THREAD_LIVE)
			perf_close(thread);
		return;
	}
	if (thread->wall_timer == -1)
		thread->wall_timer = timer_make(CLOCK_MONOTONIC, thread->tid);
	if (thread->wall_timer == -1)
		return;
	atomic_store(&thread->mode, PP_CPU_WALL);
	if (timer_set(thread->wall_timer, 0, period, period) == 0)
		cpu_seen(PP_CLOCK_WALL);
	else
		atomic_store(&thread->mode, PP_CPU_OFF);
}

/* The thread's timer, made or set: one is worth nothing without the other. */
static int
cpu_start_tick(struct pp_thread *thread, uint64_t period, int64_t now)
{
	if (thread->timer == -1)
		thread->timer =
		    timer_make(thread_cpu_clock(thread->tid), thread->tid);
	if (thread->timer == -1)
		return (-1);
	atomic_store(&thread->mode, PP_CPU_TICK);
	if (cpu_due(thread, period, now + cpu_distance(period)) == 0)
		return (0);
	atomic_store(&thread->mode, PP_CPU_OFF);
	return (-1);
}

void
pp_cpu_arm(struct pp_thread *thread, uint64_t period)
{
	uint64_t was;
	int64_t now;

	was = atomic_load(&thread->period_ns);
	if (was == period)
		return;
	if (was != 0)
		cpu_stop(thread);
	if (period == 0) {
		/* Nobody measures any more: the next one starts afresh. */
		atomic_store(&thread->carry_ns, 0);
		atomic_store(&thread->period_ns, 0);
		return;
	}
	now = pp_clock_read(thread_cpu_clock(thread->tid));
	atomic_store(&thread->last_cpu_ns, now);
	atomic_store(&thread->period_ns, period);
	if ((int64_t)period < pp_self.tick_ns) {
		cpu_start_fast(thread, period);
		if (atomic_load(&thread->mode) != PP_CPU_OFF)
			return;
	}
	if (cpu_start_tick(thread, period, now) == 0) {
		cpu_seen(PP_CLOCK_TIMER);
		return;
	}
	cpu_seen(PP_CLOCK_TIMER_REFUSED);
	pp_slot_lose(pp_self.slot, PP_LOSS_THREADS_UNSAMPLED, 1);
}

void
pp_cpu_disarm(struct pp_thread *thread)
{
	atomic_store(&thread->mode, PP_CPU_OFF);
	perf_close(thread);
	if (thread->timer != -1)
		(void)syscall(SYS_timer_delete, thread->timer);
	if (thread->wall_timer != -1)
		(void)syscall(SYS_timer_delete, thread->wall_timer);
	thread->timer = thread->wall_timer = -1;
	atomic_store(&thread->period_ns, 0);
}

/* One second is the longest period that hz= can ask for. */
static uint64_t
wanted_period(void)
{
	uint64_t period;

	period = atomic_load(&pp_self.arena->control.cpu_period_ns);
	if (period == 0 || period > PP_NS_PER_SEC / PP_HZ_MIN)
		return (0);
	if (period < PP_NS_PER_SEC / PP_HZ_MAX)
		return (PP_NS_PER_SEC / PP_HZ_MAX);
	return (period);
}

void
pp_cpu_apply(void)
{
	static atomic_uint asked, busy;
	unsigned int round, i;

	atomic_fetch_add(&asked, 1);
	while (atomic_exchange(&busy, 1) == 0) {
		round = atomic_load(&asked);
		for (i = 0; i < PP_THREADS_MAX; i++) {
			if (atomic_load(&pp_self.thread[i].state) ==
			    PP_THREAD_LIVE)
				pp_cpu_arm(&pp_self.thread[i], wanted_period());
		}
		atomic_store(&busy, 0);
		if (round == atomic_load(&asked))
			return;
	}
}
