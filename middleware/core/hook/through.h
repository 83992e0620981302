/*
 * These functions let a call go on that a signal of ours has ended. The
 * counters that they compare are in capture/signal.h.
 *
 * The counters have 32 bits and are compared for equality only. `ours` is read
 * anew after each end of the call, and `theirs` would look unchanged only if
 * exactly 2^32 handlers of the application, or a multiple, had run in one call.
 *
 * Rule: a call goes on only if a signal of ours has ended the call and no
 * handler of the application has run since the call began. If a handler runs
 * between that comparison and the next call of the original, signals of ours
 * follow until the call has ended once more.
 */
#ifndef PP_HOOK_THROUGH_H
#define PP_HOOK_THROUGH_H

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "capture/signal.h"

struct pp_through {
	uint32_t ours, theirs;
	int outer; /* of the call that this one, in a handler, interrupts */
	int error; /* errno, which a success leaves alone */
};

/* How often something of ours may have ended a call of this thread: our handler
 * ran, or the kernel took our signal back because another thread set the timer
 * that had sent the signal. */
static inline uint32_t
pp_through_ours(void)
{
	const struct pp_thread *thread = pp_thread_self;

	return (pp_signal_interrupted +
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

/* The call has ended with EINTR. Returns 1 if it is to be made again. */
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

/* Make `call` again until something else than our signal ends the call. */
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

/* The time that is left of a wait, by the clock, for originals that do not say
 * how much is left. */
struct pp_left {
	int64_t until;	      /* ns; 0: no end, or it ends at once */
	struct timespec rest; /* the time that the original is given */
	int again;
};

static inline struct pp_left
pp_left_ns(int64_t ns)
{
	return ((struct pp_left){ .until = ns > 0 ? pp_clock_mono() + ns : 0 });
}

/* A time that is not valid is given to the original, which refuses it. */
static inline struct pp_left
pp_left_of(const struct timespec *time)
{
	if (time == NULL || time->tv_sec < 0 || time->tv_nsec < 0 ||
	    time->tv_nsec >= PP_NS_PER_SEC ||
	    time->tv_sec > INT64_MAX / PP_NS_PER_SEC / 4)
		return (pp_left_ns(0));
	return (pp_left_ns(time->tv_sec * PP_NS_PER_SEC + time->tv_nsec));
}

/* Returns the time in nanoseconds, at least 0. */
static inline int64_t
pp_left(const struct pp_left *left)
{
	int64_t ns = left->until - pp_clock_mono();

	return (ns > 0 ? ns : 0);
}

/* The milliseconds for the original: the caller's at the first call, then those
 * that are left. */
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
