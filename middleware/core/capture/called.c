/*
 * See called.h. The kernel says whether a call has waited: it counts how often
 * the thread has given its processor up.
 */
#include <errno.h>
#include <stddef.h>

#include "base/clock.h"
#include "capture/called.h"
#include "capture/trace.h"

/* Which calls are in the block profile. */
static const unsigned char of_others[PP_CALL_COUNT] = {
#define CALL_OTHERS(name, others) others,
	PP_CALL_TABLE(CALL_OTHERS)
#undef CALL_OTHERS
};

/* The outermost wait of the thread, or NULL. A wait within another wait, as in
 * a signal handler, is a part of the outer one. If a wait was left by
 * longjmp(), its struct lies below those of later waits on the stack. */
static __thread const struct pp_called *called_outer;

static int
called_wanted(const struct pp_called *called, int watch)
{
	return ((atomic_load_explicit(&pp_wait_watch, memory_order_relaxed) &
		    watch) != 0 &&
	    (uintptr_t)called_outer <= (uintptr_t)called);
}

static void
called_since(struct pp_called *called)
{
	called->summed = pp_wait_sum;
	called->switches = pp_trace_switches();
	called->since = pp_clock_mono();
	called_outer = called;
}

/* Returns how long the call has waited, ns, and in *now until when; 0: the call
 * has not waited. A wait for a lock within the call (a stream's own functions)
 * is counted as a wait for a lock and taken off here. */
static int64_t
called_waited(const struct pp_called *called, int64_t *now)
{
	int64_t ns;

	*now = pp_clock_mono();
	ns = *now - called->since - (pp_wait_sum - called->summed);
	if (ns < PP_TRACE_BLOCKED_NS || pp_trace_switches() == called->switches)
		return (0);
	return (ns);
}

void
pp_called_begin(struct pp_called *called, enum pp_call call)
{
	called->traced = pp_trace_active() ? pp_trace_call(call) : 0;
	called->since = 0;
	if (of_others[call] && called_wanted(called, PP_WATCH_BLOCK))
		called_since(called);
}

void
pp_called_end(const struct pp_called *called, enum pp_call call)
{
	int saved = errno;
	int64_t ns, now;

	pp_trace_called(call, called->traced);
	if (called->since == 0)
		return;
	called_outer = NULL;
	ns = called_waited(called, &now);
	if (ns != 0)
		pp_wait_ended(PP_WAIT_OF_CALL(call), ns);
	errno = saved;
}

void
pp_called_begin_slow(struct pp_called *called)
{
	called->since = 0;
	if (called_wanted(called, PP_WATCH_BLOCK | PP_WATCH_TRACE))
		called_since(called);
}

void
pp_called_end_slow(const struct pp_called *called, enum pp_call call)
{
	int saved = errno;
	int64_t ns, now;

	if (called->since == 0)
		return;
	called_outer = NULL;
	ns = called_waited(called, &now);
	if (ns != 0) {
		pp_trace_call_past(call, called->since, now);
		if (of_others[call])
			pp_wait_ended(PP_WAIT_OF_CALL(call), ns);
	}
	errno = saved;
}

void
pp_called_not(const struct pp_called *called)
{
	if (called->since != 0)
		called_outer = NULL;
}
