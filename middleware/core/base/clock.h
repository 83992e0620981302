/*
 * The clocks, in nanoseconds. Not a scheduler.
 *
 * Rule: intervals are measured on CLOCK_MONOTONIC, which all processes of a
 * service share; wall time is only shown to people. All functions are
 * async-signal-safe; 0 means that the clock could not be read.
 */
#ifndef PP_BASE_CLOCK_H
#define PP_BASE_CLOCK_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define PP_NS_PER_SEC 1000000000LL
#define PP_NS_PER_MS  1000000LL

static inline int64_t
pp_clock_read(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) == -1)
		return (0);
	return ((int64_t)ts.tv_sec * PP_NS_PER_SEC + ts.tv_nsec);
}

static inline int64_t
pp_clock_mono(void)
{
	return (pp_clock_read(CLOCK_MONOTONIC));
}

static inline int64_t
pp_clock_wall(void)
{
	return (pp_clock_read(CLOCK_REALTIME));
}

/* How long before `now` the time `then` was; 0 if `then` is negative or later.
 * Workers may have written any number, and the plain difference could overflow.
 */
static inline int64_t
pp_clock_ago(int64_t now, int64_t then)
{
	return (then < 0 || then > now ? 0 : now - then);
}

/*
 * CPU time (user and system) of all threads of a process. Any process that
 * exists may be asked for, without /proc and without rights to the process.
 * The clock id is the kernel's encoding, <linux/posix-timers_types.h>:
 * complement of the pid, 2 = CPUCLOCK_SCHED.
 */
static inline int64_t
pp_clock_process_cpu(pid_t pid)
{
	return (pp_clock_read((clockid_t)(~(unsigned int)pid << 3 | 2)));
}

/* The CPU clock of any thread of the calling process, as
 * CLOCK_THREAD_CPUTIME_ID is the caller's; 6 = CPUCLOCK_SCHED of one thread. */
static inline clockid_t
pp_clock_thread(pid_t tid)
{
	return ((clockid_t)(~(unsigned int)tid << 3 | 6));
}

#endif
