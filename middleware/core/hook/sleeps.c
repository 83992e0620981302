/*
 * See sleeps.h. Where the original does not say how much time is left, the
 * clock does.
 */
#include <sys/epoll.h>
#include <sys/select.h>

#include <poll.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "hook/calls_private.h"
#include "hook/sleeps.h"

static int (*real_nanosleep)(const struct timespec *, struct timespec *);
static int (*real_clock_nanosleep)(clockid_t, int, const struct timespec *,
    struct timespec *);
static int (*real_usleep)(useconds_t);
static unsigned int (*real_sleep)(unsigned int);
static int (*real_poll)(struct pollfd *, nfds_t, int);
static int (*real_select)(int, fd_set *, fd_set *, fd_set *, struct timeval *);
static int (*real_epoll_wait)(int, struct epoll_event *, int, int);

static int
through_nanosleep(const struct timespec *time, struct timespec *left)
{
	struct timespec rest;
	uint32_t before;
	int result;

	for (;;) {
		before = pp_calls_interrupted;
		result = real_nanosleep(time, &rest);
		if (result == 0 || errno != EINTR)
			return (result);
		if (before == pp_calls_interrupted)
			break;
		time = &rest;
	}
	if (left != NULL)
		*left = rest;
	return (result);
}

static int
through_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
    struct timespec *left)
{
	int absolute = (flags & TIMER_ABSTIME) != 0, error;
	struct timespec rest;
	uint32_t before;

	for (;;) {
		before = pp_calls_interrupted;
		error = real_clock_nanosleep(clock, flags, time, &rest);
		if (error != EINTR)
			return (error);
		if (before == pp_calls_interrupted)
			break;
		if (!absolute)
			time = &rest;
	}
	if (left != NULL && !absolute)
		*left = rest;
	return (error);
}

/* The C library does it like this, too. */
static int
through_usleep(useconds_t us)
{
	struct timespec time = { us / 1000000, us % 1000000 * 1000 };

	return (through_nanosleep(&time, NULL));
}

static unsigned int
through_sleep(unsigned int seconds)
{
	struct timespec time = { seconds, 0 };

	if (through_nanosleep(&time, &time) == -1)
		return ((unsigned int)time.tv_sec);
	return (0);
}

/* 0 and "without end" stay what they are. */
static int64_t
until_ms(int ms)
{
	return (ms > 0 ? pp_clock_mono() + ms * PP_NS_PER_MS : 0);
}

/* What is left of the milliseconds; at first all of them. */
static int
left_ms(int ms, int64_t until, int *again)
{
	int64_t left;

	if (!(*again)++ || ms <= 0)
		return (ms);
	left = until - pp_clock_mono();
	return (
	    left <= 0 ? 0 : (int)((left + PP_NS_PER_MS - 1) / PP_NS_PER_MS));
}

static int
through_poll(struct pollfd *fds, nfds_t count, int ms)
{
	int64_t until = until_ms(ms);
	int result, again = 0;

	PP_SLEEP_THROUGH(result,
	    real_poll(fds, count, left_ms(ms, until, &again)));
	return (result);
}

/* It takes what has passed off the time itself. */
static int
through_select(int count, fd_set *in, fd_set *out, fd_set *other,
    struct timeval *time)
{
	int result;

	PP_SLEEP_THROUGH(result, real_select(count, in, out, other, time));
	return (result);
}

static int
through_epoll_wait(int fd, struct epoll_event *events, int max, int ms)
{
	int64_t until = until_ms(ms);
	int result, again = 0;

	PP_SLEEP_THROUGH(result,
	    real_epoll_wait(fd, events, max, left_ms(ms, until, &again)));
	return (result);
}

PP_CALL_WRAPPER(int, nanosleep, nanosleep, through_nanosleep,
    (const struct timespec *time, struct timespec *left), (time, left))
PP_CALL_WRAPPER(int, clock_nanosleep, nanosleep, through_clock_nanosleep,
    (clockid_t clock, int flags, const struct timespec *time,
	struct timespec *left),
    (clock, flags, time, left))
PP_CALL_WRAPPER(int, usleep, nanosleep, through_usleep, (useconds_t us), (us))
PP_CALL_WRAPPER(unsigned int, sleep, nanosleep, through_sleep,
    (unsigned int seconds), (seconds))
PP_CALL_WRAPPER(int, poll, poll, through_poll,
    (struct pollfd * fds, nfds_t count, int ms), (fds, count, ms))
PP_CALL_WRAPPER(int, select, select, through_select,
    (int count, fd_set *in, fd_set *out, fd_set *other, struct timeval *time),
    (count, in, out, other, time))
PP_CALL_WRAPPER(int, epoll_wait, epoll_wait, through_epoll_wait,
    (int fd, struct epoll_event *events, int max, int ms),
    (fd, events, max, ms))

int
pp_sleeps_epoll_wait(int fd, struct epoll_event *events, int max, int ms)
{
	return (hook_epoll_wait(fd, events, max, ms));
}

#define SLEEP_HOOK(name, scope)                                                \
	{                                                                      \
#name, (void *)hook_##name, (void **)&real_##name, scope       \
	}

const struct pp_got_hook pp_sleep_hooks[PP_SLEEP_HOOKS] = {
	SLEEP_HOOK(nanosleep, PP_GOT_ALL),
	SLEEP_HOOK(clock_nanosleep, PP_GOT_ALL),
	SLEEP_HOOK(usleep, PP_GOT_ALL),
	SLEEP_HOOK(sleep, PP_GOT_ALL),
	SLEEP_HOOK(poll, PP_GOT_ALL),
	SLEEP_HOOK(select, PP_GOT_ALL),
	/* In the program itself it may be a server's event loop, which has
	 * work for a signal. */
	SLEEP_HOOK(epoll_wait, PP_GOT_LIBRARIES),
};
