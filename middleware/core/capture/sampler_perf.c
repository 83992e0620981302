/* Hot: signal handlers run what is in this file. */
/*
 * See sampler_perf.h.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <linux/perf_event.h>
#include <unistd.h>

#include "capture/sampler_perf.h"

/* The event starts disabled; each REFRESH lets one more overflow through. */
int
pp_sampler_perf_open(struct pp_thread *thread, uint64_t period)
{
	struct perf_event_attr attr;
	struct f_owner_ex owner = { F_OWNER_TID, atomic_load(&thread->tid) };
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.type = PERF_TYPE_SOFTWARE;
	attr.size = sizeof(attr);
	attr.config = PERF_COUNT_SW_TASK_CLOCK;
	attr.sample_period = period;
	attr.wakeup_events = 1;
	attr.disabled = 1;
	attr.exclude_hv = 1;
	fd = syscall(SYS_perf_event_open, &attr, owner.pid, -1, -1,
	    PERF_FLAG_FD_CLOEXEC);
	if (fd == -1) {
		attr.exclude_kernel = 1; /* all that an unprivileged user may */
		fd = syscall(SYS_perf_event_open, &attr, owner.pid, -1, -1,
		    PERF_FLAG_FD_CLOEXEC);
	}
	if (fd == -1)
		return (0);
	if (syscall(SYS_fcntl, fd, F_SETFL, O_ASYNC) == -1 ||
	    syscall(SYS_fcntl, fd, F_SETSIG, SIGPROF) == -1 ||
	    syscall(SYS_fcntl, fd, F_SETOWN_EX, &owner) == -1 ||
	    syscall(SYS_ioctl, fd, PERF_EVENT_IOC_REFRESH, 1) == -1) {
		(void)syscall(SYS_close, fd);
		return (0);
	}
	atomic_store(&thread->perf_fd, (int)fd);
	return (1);
}

void
pp_sampler_perf_again(struct pp_thread *thread)
{
	int fd = atomic_load_explicit(&thread->perf_fd, memory_order_relaxed);

	if (fd != -1)
		(void)syscall(SYS_ioctl, fd, PERF_EVENT_IOC_REFRESH, 1);
}

void
pp_sampler_perf_close(struct pp_thread *thread)
{
	int fd = atomic_exchange(&thread->perf_fd, -1);

	if (fd != -1)
		(void)syscall(SYS_close, fd);
}
