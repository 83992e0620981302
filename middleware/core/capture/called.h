/*
 * A call that may wait. The trace shows how long it lasts; the block profile
 * shows it, too, if somebody else ends the wait. A call that has not given the
 * processor up has not waited, and is in no block profile.
 *
 * Not waits for a lock: those are in capture/contention.h and in the wrappers
 * of locks.
 *
 * Rule: hot. The thread itself calls these functions, outside of signal
 * handlers. The second half comes after the call and keeps errno.
 *
 *     struct pp_called called;
 *
 *     pp_called_begin(&called, PP_CALL_read);
 *     result = read(fd, to, n);
 *     pp_called_end(&called, PP_CALL_read);
 */
#ifndef PP_CAPTURE_CALLED_H
#define PP_CAPTURE_CALLED_H

#include "base/calls.h"
#include "capture/wait.h"

struct pp_called {
	uint64_t traced; /* what pp_trace_call() gave */
	int64_t since;	 /* pp_clock_mono(); 0: nobody wants to know */
	int64_t summed;	 /* pp_wait_sum at `since` */
	long switches;	 /* of the thread, at `since` */
};

/* Whether somebody wants to know of waits: one load. */
static inline int
pp_called_watched(void)
{
	return (__builtin_expect(atomic_load_explicit(&pp_wait_watch,
				     memory_order_relaxed) != 0,
	    0));
}

/* The trace gets one record when the call begins and one when it ends. */
void pp_called_begin(struct pp_called *called, enum pp_call call);
void pp_called_end(const struct pp_called *called, enum pp_call call);

/* The trace gets both records afterwards, and only if the call has waited: for
 * functions that are called often and seldom wait. */
void pp_called_begin_slow(struct pp_called *called);
void pp_called_end_slow(const struct pp_called *called, enum pp_call call);

/* Called in place of the second half if what follows is no wait. */
void pp_called_not(const struct pp_called *called);

#endif
