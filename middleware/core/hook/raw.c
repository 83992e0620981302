/*
 * See raw.h: one table says where each call has its time.
 */
#include <sys/syscall.h>

#include <linux/futex.h>
#include <stddef.h>

#include "hook/raw.h"
#include "hook/through.h"

/* The time of a call. */
enum raw_time {
	RAW_OTHER,   /* no call of the list */
	RAW_NO_TIME, /* none, until a time, or the kernel takes off what has
			passed */
	RAW_MS,	     /* milliseconds */
	RAW_TIME     /* struct timespec */
};

struct raw_kind {
	enum raw_time time;
	int at; /* the argument, from 0 */
};

static long (*real_syscall)(long, long, long, long, long, long, long);

static inline struct raw_kind
raw_kind(long number, const long arg[6])
{
	switch (number) {
#ifdef SYS_poll
	case SYS_poll:
		return ((struct raw_kind){ RAW_MS, 2 });
	case SYS_epoll_wait:
		return ((struct raw_kind){ RAW_MS, 3 });
	case SYS_select:
	case SYS_pause:
#endif
	case SYS_ppoll:
	case SYS_pselect6:
	case SYS_rt_sigsuspend:
	case SYS_msgrcv:
	case SYS_msgsnd:
	case SYS_semop:
		return ((struct raw_kind){ RAW_NO_TIME, 0 });
	case SYS_epoll_pwait:
		return ((struct raw_kind){ RAW_MS, 3 });
#ifdef SYS_epoll_pwait2
	case SYS_epoll_pwait2:
#endif
	case SYS_semtimedop:
		return ((struct raw_kind){ RAW_TIME, 3 });
	case SYS_futex:
		if ((arg[1] & FUTEX_CMD_MASK) == FUTEX_WAIT && arg[3] != 0)
			return ((struct raw_kind){ RAW_TIME, 3 });
		if ((arg[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET)
			return ((struct raw_kind){ RAW_NO_TIME, 0 });
		break;
	case SYS_rt_sigtimedwait:
		return ((struct raw_kind){ RAW_TIME, 2 });
	case SYS_io_getevents:
		return ((struct raw_kind){ RAW_TIME, 4 });
	case SYS_nanosleep:
		return ((struct raw_kind){ RAW_TIME, 0 });
	case SYS_clock_nanosleep:
		return ((struct raw_kind){ arg[1] == 0 ? RAW_TIME : RAW_NO_TIME,
		    2 });
	}
	return ((struct raw_kind){ RAW_OTHER, 0 });
}

static __attribute__((noinline)) long
raw_through(long number, struct raw_kind kind, long arg[6])
{
	const struct timespec *time = NULL;
	struct pp_left left = { .until = 0 };
	struct pp_through through;
	int ms = (int)arg[kind.at];
	long result;

	if (kind.time == RAW_TIME) {
		time = (const struct timespec *)arg[kind.at];
		left = pp_left_of(time);
	} else if (kind.time == RAW_MS) {
		left = pp_left_ns(ms * PP_NS_PER_MS);
	}
	pp_through_begin(&through);
	do {
		if (kind.time == RAW_MS)
			arg[kind.at] = pp_left_ms(&left, ms);
		else if (kind.time == RAW_TIME)
			arg[kind.at] = (long)pp_left_time(&left, time);
		result = real_syscall(number, arg[0], arg[1], arg[2], arg[3],
		    arg[4], arg[5]);
	} while (result == -1 && errno == EINTR && pp_through_again(&through));
	pp_through_end(&through);
	return (result);
}

/* As the original it takes what lies where six arguments would. */
static long
hook_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	long arg[6] = { a, b, c, d, e, f };
	struct raw_kind kind = raw_kind(number, arg);

	if (kind.time != RAW_OTHER)
		return (raw_through(number, kind, arg));
	return (real_syscall(number, a, b, c, d, e, f));
}

const struct pp_got_hook pp_raw_hooks[PP_RAW_HOOKS] = {
	{ "syscall", (void *)hook_syscall, (void **)&real_syscall, PP_GOT_ALL },
};
