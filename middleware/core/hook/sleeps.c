/*
 * See sleeps.h.
 */
#include <sys/epoll.h>
#include <sys/select.h>

#include <poll.h>
#include <stddef.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "hook/calls_private.h"
#include "hook/masks.h"
#include "hook/sleeps.h"

typedef struct timespec timespec;

static int (*real_nanosleep)(const timespec *, timespec *);
static int (
    *real_clock_nanosleep)(clockid_t, int, const timespec *, timespec *);
static int (*real_usleep)(useconds_t);
static unsigned int (*real_sleep)(unsigned int);
static int (*real_thrd_sleep)(const timespec *, timespec *);
static int (*real_poll)(struct pollfd *, nfds_t, int);
static int (*real___poll_chk)(struct pollfd *, nfds_t, int, size_t);
static int (
    *real_ppoll)(struct pollfd *, nfds_t, const timespec *, const sigset_t *);
static int (*real___ppoll_chk)(struct pollfd *, nfds_t, const timespec *,
    const sigset_t *, size_t);
static int (*real_select)(int, fd_set *, fd_set *, fd_set *, struct timeval *);
static int (*real_pselect)(int, fd_set *, fd_set *, fd_set *, const timespec *,
    const sigset_t *);
static int (*real_epoll_wait)(int, struct epoll_event *, int, int);
static int (
    *real_epoll_pwait)(int, struct epoll_event *, int, int, const sigset_t *);
static int (*real_epoll_pwait2)(int, struct epoll_event *, int,
    const timespec *, const sigset_t *);

static timespec
time_of(int64_t ns)
{
	return ((timespec){ (time_t)(ns / PP_NS_PER_SEC),
	    (long)(ns % PP_NS_PER_SEC) });
}

/* Sleeps for a time from now. After a signal of ours the rest is slept until an
 * absolute time: if it were begun anew each time, each delay would add up. */
static int
sleep_through(clockid_t clock, const timespec *time, timespec *left)
{
	clockid_t on = clock == CLOCK_REALTIME ? CLOCK_MONOTONIC : clock;
	struct pp_through through;
	timespec rest, until;
	int64_t end, most = INT64_MAX / PP_NS_PER_SEC / 2;
	int error;

	pp_through_begin(&through);
	error = real_clock_nanosleep(clock, 0, time, &rest);
	if (error == EINTR && pp_through_again(&through)) {
		if (rest.tv_sec > most)
			rest.tv_sec = most;
		end = pp_clock_read(on) + rest.tv_sec * PP_NS_PER_SEC +
		    rest.tv_nsec;
		until = time_of(end);
		do
			error = real_clock_nanosleep(on, TIMER_ABSTIME, &until,
			    NULL);
		while (error == EINTR && pp_through_again(&through));
		end -= pp_clock_read(on);
		rest = time_of(end > 0 ? end : 0);
	}
	if (error == EINTR && left != NULL)
		*left = rest;
	pp_through_end(&through);
	return (error);
}

static int
through_nanosleep(const timespec *time, timespec *left)
{
	int error = sleep_through(CLOCK_REALTIME, time, left);

	if (error == 0)
		return (0);
	errno = error;
	return (-1);
}

static int
through_clock_nanosleep(clockid_t clock, int flags, const timespec *time,
    timespec *left)
{
	struct pp_through through;
	int error;

	if ((flags & TIMER_ABSTIME) == 0)
		return (sleep_through(clock, time, left));
	pp_through_begin(&through);
	do
		error = real_clock_nanosleep(clock, flags, time, left);
	while (error == EINTR && pp_through_again(&through));
	pp_through_end(&through);
	return (error);
}

/* The C library makes usleep() of nanosleep(), too. */
static int
through_usleep(useconds_t us)
{
	timespec time = { us / 1000000, us % 1000000 * 1000 };

	return (through_nanosleep(&time, NULL));
}

static unsigned int
through_sleep(unsigned int seconds)
{
	timespec time = { seconds, 0 };

	if (through_nanosleep(&time, &time) == -1)
		return ((unsigned int)time.tv_sec);
	return (0);
}

static int
through_thrd_sleep(const timespec *time, timespec *left)
{
	int error = through_clock_nanosleep(CLOCK_REALTIME, 0, time, left);

	return (error == 0 ? 0 : error == EINTR ? -1 : -2);
}

static int
through_poll(struct pollfd *fds, nfds_t count, int ms)
{
	struct pp_left left = pp_left_ns(ms * PP_NS_PER_MS);
	int result;

	PP_SLEEP_THROUGH(result, real_poll(fds, count, pp_left_ms(&left, ms)));
	return (result);
}

static int
through___poll_chk(struct pollfd *fds, nfds_t count, int ms, size_t room)
{
	struct pp_left left = pp_left_ns(ms * PP_NS_PER_MS);
	int result;

	PP_SLEEP_THROUGH(result,
	    real___poll_chk(fds, count, pp_left_ms(&left, ms), room));
	return (result);
}

static int
through_ppoll(struct pollfd *fds, nfds_t count, const timespec *time,
    const sigset_t *mask)
{
	struct pp_left left = pp_left_of(time);
	struct pp_masked masked;
	int result;

	mask = pp_masked_begin(&masked, mask);
	PP_SLEEP_THROUGH(result,
	    real_ppoll(fds, count, pp_left_time(&left, time),
		pp_masked_now(&masked, mask)));
	pp_masked_end(&masked);
	return (result);
}

static int
through___ppoll_chk(struct pollfd *fds, nfds_t count, const timespec *time,
    const sigset_t *mask, size_t room)
{
	struct pp_left left = pp_left_of(time);
	struct pp_masked masked;
	int result;

	mask = pp_masked_begin(&masked, mask);
	PP_SLEEP_THROUGH(result,
	    real___ppoll_chk(fds, count, pp_left_time(&left, time),
		pp_masked_now(&masked, mask), room));
	pp_masked_end(&masked);
	return (result);
}

/* The kernel takes the time that has passed off *time itself. */
static int
through_select(int count, fd_set *in, fd_set *out, fd_set *other,
    struct timeval *time)
{
	int result;

	PP_SLEEP_THROUGH(result, real_select(count, in, out, other, time));
	return (result);
}

static int
through_pselect(int count, fd_set *in, fd_set *out, fd_set *other,
    const timespec *time, const sigset_t *mask)
{
	struct pp_left left = pp_left_of(time);
	struct pp_masked masked;
	int result;

	mask = pp_masked_begin(&masked, mask);
	PP_SLEEP_THROUGH(result,
	    real_pselect(count, in, out, other, pp_left_time(&left, time),
		pp_masked_now(&masked, mask)));
	pp_masked_end(&masked);
	return (result);
}

static int
through_epoll_wait(int fd, struct epoll_event *events, int max, int ms)
{
	struct pp_left left = pp_left_ns(ms * PP_NS_PER_MS);
	int result;

	PP_SLEEP_THROUGH(result,
	    real_epoll_wait(fd, events, max, pp_left_ms(&left, ms)));
	return (result);
}

static int
through_epoll_pwait(int fd, struct epoll_event *events, int max, int ms,
    const sigset_t *mask)
{
	struct pp_left left = pp_left_ns(ms * PP_NS_PER_MS);
	struct pp_masked masked;
	int result;

	mask = pp_masked_begin(&masked, mask);
	PP_SLEEP_THROUGH(result,
	    real_epoll_pwait(fd, events, max, pp_left_ms(&left, ms),
		pp_masked_now(&masked, mask)));
	pp_masked_end(&masked);
	return (result);
}

static int
through_epoll_pwait2(int fd, struct epoll_event *events, int max,
    const timespec *time, const sigset_t *mask)
{
	struct pp_left left = pp_left_of(time);
	struct pp_masked masked;
	int result;

	mask = pp_masked_begin(&masked, mask);
	PP_SLEEP_THROUGH(result,
	    real_epoll_pwait2(fd, events, max, pp_left_time(&left, time),
		pp_masked_now(&masked, mask)));
	pp_masked_end(&masked);
	return (result);
}

PP_CALL_WRAPPER(int, nanosleep, nanosleep, through_nanosleep,
    (const timespec *time, timespec *left), (time, left))
PP_CALL_WRAPPER(int, clock_nanosleep, nanosleep, through_clock_nanosleep,
    (clockid_t clock, int flags, const timespec *time, timespec *left),
    (clock, flags, time, left))
PP_CALL_WRAPPER(int, usleep, nanosleep, through_usleep, (useconds_t us), (us))
PP_CALL_WRAPPER(unsigned int, sleep, nanosleep, through_sleep,
    (unsigned int seconds), (seconds))
PP_CALL_WRAPPER(int, thrd_sleep, nanosleep, through_thrd_sleep,
    (const timespec *time, timespec *left), (time, left))
PP_CALL_WRAPPER(int, poll, poll, through_poll,
    (struct pollfd * fds, nfds_t count, int ms), (fds, count, ms))
PP_CALL_WRAPPER(int, __poll_chk, poll, through___poll_chk,
    (struct pollfd * fds, nfds_t count, int ms, size_t room),
    (fds, count, ms, room))
PP_CALL_WRAPPER(int, ppoll, poll, through_ppoll,
    (struct pollfd * fds, nfds_t count, const timespec *time,
	const sigset_t *mask),
    (fds, count, time, mask))
PP_CALL_WRAPPER(int, __ppoll_chk, poll, through___ppoll_chk,
    (struct pollfd * fds, nfds_t count, const timespec *time,
	const sigset_t *mask, size_t room),
    (fds, count, time, mask, room))
PP_CALL_WRAPPER(int, select, select, through_select,
    (int count, fd_set *in, fd_set *out, fd_set *other, struct timeval *time),
    (count, in, out, other, time))
PP_CALL_WRAPPER(int, pselect, select, through_pselect,
    (int count, fd_set *in, fd_set *out, fd_set *other, const timespec *time,
	const sigset_t *mask),
    (count, in, out, other, time, mask))
PP_CALL_WRAPPER(int, epoll_wait, epoll_wait, through_epoll_wait,
    (int fd, struct epoll_event *events, int max, int ms),
    (fd, events, max, ms))
PP_CALL_WRAPPER(int, epoll_pwait, epoll_wait, through_epoll_pwait,
    (int fd, struct epoll_event *events, int max, int ms, const sigset_t *mask),
    (fd, events, max, ms, mask))
PP_CALL_WRAPPER(int, epoll_pwait2, epoll_wait, through_epoll_pwait2,
    (int fd, struct epoll_event *events, int max, const timespec *time,
	const sigset_t *mask),
    (fd, events, max, time, mask))

int
pp_sleeps_epoll_wait(int fd, struct epoll_event *events, int max, int ms)
{
	return (hook_epoll_wait(fd, events, max, ms));
}

#define SLEEP_HOOK(name, scope)                                                \
	{                                                                      \
#name, (void *)hook_##name, (void **)&real_##name, scope       \
	}

const struct pp_got_hook pp_hook_sleep[PP_SLEEP_HOOKS] = {
	SLEEP_HOOK(nanosleep, PP_GOT_ALL),
	SLEEP_HOOK(clock_nanosleep, PP_GOT_ALL),
	SLEEP_HOOK(usleep, PP_GOT_ALL),
	SLEEP_HOOK(sleep, PP_GOT_ALL),
	SLEEP_HOOK(thrd_sleep, PP_GOT_ALL),
	SLEEP_HOOK(poll, PP_GOT_ALL),
	SLEEP_HOOK(__poll_chk, PP_GOT_ALL),
	SLEEP_HOOK(ppoll, PP_GOT_ALL),
	SLEEP_HOOK(__ppoll_chk, PP_GOT_ALL),
	SLEEP_HOOK(select, PP_GOT_ALL),
	SLEEP_HOOK(pselect, PP_GOT_ALL),
	/* In the program itself, these may be a server's event loop, which has
	 * something to do after a signal. */
	SLEEP_HOOK(epoll_wait, PP_GOT_LIBRARIES),
	SLEEP_HOOK(epoll_pwait, PP_GOT_LIBRARIES),
	SLEEP_HOOK(epoll_pwait2, PP_GOT_LIBRARIES),
};
