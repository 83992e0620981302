/*
 * A call that may wait, while it lasts: for the trace and, where somebody else
 * ends the wait, for the block profile. A call that has not given the processor
 * up has not waited, and is in no block profile.
 *
 * Not what is waited for under a lock: that is capture/contention.h and the
 * wrappers of locks.
 *
 * Rule: hot, by the thread itself, outside of signal handlers; errno is kept
 * by the second half, which comes after the call.
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
	uint64_t traced; /* by the trace; 0: not */
	int64_t since;	 /* pp_clock_mono(); 0: nobody wants to know */
	int64_t summed;	 /* pp_wait_sum until then */
	long switches;	 /* of the thread, until then */
};

/* Whether somebody wants to know of waits: one load. */
static inline int
pp_called_watched(void)
{
	return (__builtin_expect(atomic_load_explicit(&pp_wait_watch,
				     memory_order_relaxed) != 0,
	    0));
}

/* The trace tells of the call while it lasts. */
void pp_called_begin(struct pp_called *called, enum pp_call call);
void pp_called_end(const struct pp_called *called, enum pp_call call);

/* The trace is told afterwards, if the call has waited: for functions that are
 * called often and seldom do. */
void pp_called_begin_slow(struct pp_called *called);
void pp_called_end_slow(const struct pp_called *called, enum pp_call call);

/* In place of the second half: it does something else than to wait. */
void pp_called_not(const struct pp_called *called);

#endif
