/*
 * See yield.h. The collector has one thread, so one function for the process
 * is enough.
 */
#include <stddef.h>

#include "base/clock.h"
#include "base/yield.h"

/* The shortest time between two calls. In long work, the rings of a trace are
 * drained once in this time. */
#define YIELD_NS (20 * PP_NS_PER_MS)

static struct {
	void (*call)(void *);
	void *arg;
	int64_t last_ns;
	int within;
} yield_at;

void
pp_yield_to(void (*call)(void *), void *arg)
{
	yield_at.call = call;
	yield_at.arg = arg;
}

void
pp_yield(void)
{
	int64_t now;

	if (yield_at.call == NULL || yield_at.within)
		return;
	now = pp_clock_mono();
	if (now - yield_at.last_ns < YIELD_NS)
		return;
	yield_at.within = 1;
	yield_at.call(yield_at.arg);
	yield_at.within = 0;
	yield_at.last_ns = pp_clock_mono();
}
