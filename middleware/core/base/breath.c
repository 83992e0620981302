/*
 * See breath.h. The collector has one thread, so one function for the process
 * is enough.
 */
#include <stddef.h>

#include "base/breath.h"
#include "base/clock.h"

/* The shortest time between two calls: the rings of a trace are drained as
 * often. */
#define BREATH_NS (20 * PP_NS_PER_MS)

static struct {
	void (*call)(void *);
	void *arg;
	int64_t last_ns;
	int within;
} breath;

void
pp_breathe_by(void (*call)(void *), void *arg)
{
	breath.call = call;
	breath.arg = arg;
}

void
pp_breathe(void)
{
	int64_t now;

	if (breath.call == NULL || breath.within)
		return;
	now = pp_clock_mono();
	if (now - breath.last_ns < BREATH_NS)
		return;
	breath.within = 1;
	breath.call(breath.arg);
	breath.within = 0;
	breath.last_ns = pp_clock_mono();
}
