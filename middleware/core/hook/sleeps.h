/*
 * Calls that a signal ends early even if its handler is installed with
 * SA_RESTART: sleeps, and waits for descriptors or semaphores with a time.
 * When the signal was this profiler's, the wait goes on with the time that is
 * left; when it was another, the caller is told as ever.
 *
 * Not wrapped: ppoll(), pselect(), epoll_pwait(), pause(), sigsuspend() and
 * sigtimedwait(), whose callers wait for signals.
 *
 * Rule: whatever a call returns was returned by the original.
 */
#ifndef PP_HOOK_SLEEPS_H
#define PP_HOOK_SLEEPS_H

#include <errno.h>

#include "capture/self.h"
#include "hook/got.h"

#define PP_SLEEP_HOOKS 7

extern const struct pp_got_hook pp_sleep_hooks[PP_SLEEP_HOOKS];

/* epoll_wait(), for who wraps that of the program itself. */
struct epoll_event;
int pp_sleeps_epoll_wait(int fd, struct epoll_event *events, int max, int ms);

/* `call` again until something else than our signal ends it. */
#define PP_SLEEP_THROUGH(result, call)                                         \
	do {                                                                   \
		uint32_t before_;                                              \
                                                                               \
		do {                                                           \
			before_ = pp_calls_interrupted;                        \
			(result) = (call);                                     \
		} while ((result) == -1 && errno == EINTR &&                   \
		    pp_calls_interrupted != before_);                          \
	} while (0)

#endif
