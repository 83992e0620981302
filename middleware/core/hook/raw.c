/*
 * See raw.h. raw_kind() says in which argument a call has its time.
 */
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "hook/calls_private.h"
#include "hook/forked.h"
#include "hook/raw.h"
#include "hook/signals.h"
#include "hook/sockets.h"
#include "hook/through.h"

/* How a call that goes on states its time. */
enum raw_time {
	RAW_OTHER,   /* the call does not go on */
	RAW_NO_TIME, /* the call is made again with the same arguments: it has
			no time, an absolute one, or one that the kernel
			counts down itself */
	RAW_MS,	     /* milliseconds */
	RAW_TIME     /* struct timespec */
};

struct raw_kind {
	enum raw_time time;
	int at; /* the argument with the time, from 0 */
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
#ifdef SYS_io_uring_enter
	case SYS_io_uring_enter:
		/* The extended arguments may hold a time. */
		if ((arg[3] & IORING_ENTER_EXT_ARG) == 0)
			return ((struct raw_kind){ RAW_NO_TIME, 0 });
		break;
#endif
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

/* The calls that have a name in base/calls.h. All other calls are not recorded,
 * also those by which a process begins or ends. */
static const struct {
	long number;
	enum pp_call call;
} raw_calls[] = {
	{ SYS_futex, PP_CALL_futex },
	{ SYS_read, PP_CALL_read },
	{ SYS_readv, PP_CALL_readv },
	{ SYS_write, PP_CALL_write },
	{ SYS_writev, PP_CALL_writev },
	{ SYS_recvfrom, PP_CALL_recv },
	{ SYS_recvmsg, PP_CALL_recvmsg },
	{ SYS_sendto, PP_CALL_send },
	{ SYS_sendmsg, PP_CALL_sendmsg },
	{ SYS_sendfile, PP_CALL_sendfile },
	{ SYS_splice, PP_CALL_splice },
	{ SYS_accept, PP_CALL_accept },
	{ SYS_accept4, PP_CALL_accept },
	{ SYS_connect, PP_CALL_connect },
	{ SYS_openat, PP_CALL_open },
	{ SYS_flock, PP_CALL_flock },
	{ SYS_fcntl, PP_CALL_fcntl },
	{ SYS_wait4, PP_CALL_waitpid },
	{ SYS_waitid, PP_CALL_waitpid },
	{ SYS_fsync, PP_CALL_fsync },
	{ SYS_fdatasync, PP_CALL_fdatasync },
#ifdef SYS_poll
	{ SYS_poll, PP_CALL_poll },
	{ SYS_epoll_wait, PP_CALL_epoll_wait },
	{ SYS_select, PP_CALL_select },
	{ SYS_pause, PP_CALL_pause },
#endif
	{ SYS_ppoll, PP_CALL_poll },
	{ SYS_pselect6, PP_CALL_select },
	{ SYS_epoll_pwait, PP_CALL_epoll_wait },
	{ SYS_rt_sigsuspend, PP_CALL_sigsuspend },
	{ SYS_rt_sigtimedwait, PP_CALL_sigtimedwait },
	{ SYS_msgrcv, PP_CALL_msgrcv },
	{ SYS_msgsnd, PP_CALL_msgsnd },
	{ SYS_semop, PP_CALL_semop },
	{ SYS_semtimedop, PP_CALL_semop },
	{ SYS_mq_timedreceive, PP_CALL_mq_receive },
	{ SYS_mq_timedsend, PP_CALL_mq_send },
	{ SYS_nanosleep, PP_CALL_nanosleep },
	{ SYS_clock_nanosleep, PP_CALL_nanosleep },
};

static enum pp_call
raw_call(long number)
{
	size_t i;

	for (i = 0; i < sizeof(raw_calls) / sizeof(raw_calls[0]); i++) {
		if (raw_calls[i].number == number)
			return (raw_calls[i].call);
	}
	return (PP_CALL_COUNT);
}

/* Calls that must not be cut short are made as the functions of their names. */
static __attribute__((noinline)) long
raw_whole(long number, const long arg[6])
{
	int fd = (int)arg[0];

	switch (number) {
	case SYS_write:
		return (
		    pp_sockets_write(fd, (const void *)arg[1], (size_t)arg[2]));
	case SYS_writev:
		return (pp_sockets_writev(fd, (const struct iovec *)arg[1],
		    (int)arg[2]));
	case SYS_sendmsg:
		return (pp_sockets_sendmsg(fd, (const struct msghdr *)arg[1],
		    (int)arg[2]));
	default:
		return (pp_sockets_sendto(fd, (const void *)arg[1],
		    (size_t)arg[2], (int)arg[3],
		    (const struct sockaddr *)arg[4], (socklen_t)arg[5]));
	}
}

/* As calls.c does: after EINTR the end of a child is looked for. */
static long
raw_waited(long number, int options, const long arg[6])
{
	long with[6],
	    result = real_syscall(number, arg[0], arg[1], arg[2], arg[3],
		arg[4], arg[5]);

	if (result != -1 || errno != EINTR)
		return (result);
	memcpy(with, arg, sizeof(with));
	with[options] |= WNOHANG;
	result = real_syscall(number, with[0], with[1], with[2], with[3],
	    with[4], with[5]);
	if (result > 0 ||
	    (result == 0 && number == SYS_waitid && arg[2] != 0 &&
		((const siginfo_t *)arg[2])->si_pid != 0))
		return (result);
	errno = EINTR;
	return (-1);
}

static inline long
raw_made(long number, long arg[6])
{
	struct raw_kind kind = raw_kind(number, arg);

	if (number == SYS_write || number == SYS_writev ||
	    number == SYS_sendmsg || number == SYS_sendto)
		return (raw_whole(number, arg));
	if (number == SYS_wait4 || number == SYS_waitid)
		return (raw_waited(number, number == SYS_wait4 ? 2 : 3, arg));
	if (kind.time != RAW_OTHER)
		return (raw_through(number, kind, arg));
	return (real_syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4],
	    arg[5]));
}

static __attribute__((noinline)) long
watched_syscall(long number, long arg[6])
{
	enum pp_call call = raw_call(number);
	struct pp_called called;
	long result;

	if (call == PP_CALL_COUNT)
		return (raw_made(number, arg));
	pp_called_begin_slow(&called);
	result = raw_made(number, arg);
	pp_called_end_slow(&called, call);
	return (result);
}

/* Whether the call makes a process with a memory of its own. */
static int
raw_forks(long number, const long arg[6])
{
	uint64_t flags;

	switch (number) {
#ifdef SYS_fork
	case SYS_fork:
		return (1);
#endif
	case SYS_clone:
		return ((arg[0] & CLONE_VM) == 0);
#ifdef SYS_clone3
	case SYS_clone3:
		memcpy(&flags, (const void *)arg[0], sizeof(flags));
		return ((flags & CLONE_VM) == 0);
#endif
	default:
		return (0);
	}
}

/* As in the original, six arguments are taken, even if fewer were given. */
static long
hook_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	long arg[6] = { a, b, c, d, e, f };
	long result;

	if (pp_called_watched())
		result = watched_syscall(number, arg);
	else
		result = raw_made(number, arg);
	if (result == 0 && raw_forks(number, arg))
		pp_process_forked();
	if (number == SYS_rt_sigaction && arg[0] == SIGPROF && arg[1] != 0)
		pp_signals_look();
	return (result);
}

/* The unwinder is left out: it asks the kernel for pages in signal handlers. */
const struct pp_got_hook pp_hook_raw[PP_RAW_HOOKS] = {
	{ "syscall", (void *)hook_syscall, (void **)&real_syscall,
	    PP_GOT_EXECUTABLE | PP_GOT_BUT_UNWINDER },
};
