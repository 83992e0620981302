/*
 * Going on with a call that a signal of ours has ended. See
 * capture/signal.h for what is counted.
 *
 * Rule: a call goes on only if a signal of ours has ended it and no handler
 * of the application has run since it began. A handler that runs between the
 * look at that and the call is followed by signals of ours until the call has
 * been ended once more.
 */
#ifndef PP_HOOK_THROUGH_H
#define PP_HOOK_THROUGH_H

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "capture/signal.h"

struct pp_through {
	uint32_t ours, theirs;
	int outer; /* a handler may run in the middle of another's call */
	int error; /* errno, which a success leaves alone */
};

/* What of ours may have ended a call: a handler that ran, or a signal that the
 * kernel took back when another thread set the timer that had sent it. */
static inline uint32_t
pp_through_ours(void)
{
	const struct pp_thread *thread = pp_thread_self;

	return (pp_calls_interrupted +
	    (thread != NULL ? atomic_load_explicit(&thread->rearmed,
				  memory_order_relaxed)
			    : 0));
}

static inline void
pp_through_begin(struct pp_through *through)
{
	through->error = errno;
	through->outer = pp_signal_continues;
	through->theirs = pp_signal_handled;
	through->ours = pp_through_ours();
}

/* The call has ended with EINTR; 1: again. */
static inline int
pp_through_again(struct pp_through *through)
{
	uint32_t now = pp_through_ours();

	if (now == through->ours)
		return (0);
	through->ours = now;
	pp_signal_continues = 1;
	if (pp_signal_handled != through->theirs)
		return (0);
	errno = through->error;
	return (1);
}

static inline void
pp_through_end(const struct pp_through *through)
{
	if (__builtin_expect(pp_signal_continues != through->outer, 0)) {
		pp_signal_continued();
		pp_signal_continues = through->outer;
	}
}

/* `call` again until something else than our signal ends it. */
#define PP_SLEEP_THROUGH(result, call)                                         \
	do {                                                                   \
		struct pp_through through_;                                    \
                                                                               \
		pp_through_begin(&through_);                                   \
		do                                                             \
			(result) = (call);                                     \
		while ((result) == -1 && errno == EINTR &&                     \
		    pp_through_again(&through_));                              \
		pp_through_end(&through_);                                     \
	} while (0)

/* The time that is left of a wait. Where the original does not say it, the
 * clock does. */
struct pp_left {
	int64_t until;	      /* 0: it does not end, or at once */
	struct timespec rest; /* what the original is given */
	int again;
};

static inline struct pp_left
pp_left_ns(int64_t ns)
{
	return ((struct pp_left){ .until = ns > 0 ? pp_clock_mono() + ns : 0 });
}

/* What is no time is the original's to refuse. */
static inline struct pp_left
pp_left_of(const struct timespec *time)
{
	if (time == NULL || time->tv_sec < 0 || time->tv_nsec < 0 ||
	    time->tv_nsec >= PP_NS_PER_SEC ||
	    time->tv_sec > INT64_MAX / PP_NS_PER_SEC / 4)
		return (pp_left_ns(0));
	return (pp_left_ns(time->tv_sec * PP_NS_PER_SEC + time->tv_nsec));
}

static inline int64_t
pp_left(const struct pp_left *left)
{
	int64_t ns = left->until - pp_clock_mono();

	return (ns > 0 ? ns : 0);
}

/* At first all of it. */
static inline int
pp_left_ms(struct pp_left *left, int ms)
{
	if (!left->again++ || left->until == 0)
		return (ms);
	return ((int)((pp_left(left) + PP_NS_PER_MS - 1) / PP_NS_PER_MS));
}

static inline const struct timespec *
pp_left_time(struct pp_left *left, const struct timespec *time)
{
	int64_t ns;

	if (!left->again++ || left->until == 0)
		return (time);
	ns = pp_left(left);
	left->rest.tv_sec = (time_t)(ns / PP_NS_PER_SEC);
	left->rest.tv_nsec = (long)(ns % PP_NS_PER_SEC);
	return (&left->rest);
}

#endif
