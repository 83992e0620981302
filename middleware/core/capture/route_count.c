/*
 * See route_count.h.
 */
#include <stddef.h>

#include "base/clock.h"
#include "base/hot_path.h"
#include "capture/route_count.h"
#include "capture/self.h"
#include "store/routes.h"

/* The counter of the last request: each request looks its counter up twice. */
PP_HOT_PATH_DATA static struct pp_route *last;

static inline struct pp_route *
route(uint32_t label)
{
	if (last == NULL ||
	    atomic_load_explicit(&last->label, memory_order_relaxed) != label)
		last = pp_routes_at(&pp_self.slot->routes, label);
	return (last);
}

void
pp_route_count_start(void)
{
	struct pp_route *counter;
	uint64_t over, begun;
	uint32_t used = pp_routes_used(&pp_self.slot->routes), i, time;

	last = NULL;
	for (i = 0; i < used; i++) {
		counter = &pp_self.slot->routes.counter[i];
		begun = atomic_load(&counter->begun);
		if (begun == 0)
			continue;
		over = atomic_load(&counter->abandoned);
		for (time = 0; time < PP_ROUTE_TIMES; time++)
			over += atomic_load(&counter->time[time]);
		if (begun > over)
			pp_route_add(&counter->abandoned, begun - over);
	}
}

PP_HOT_PATH void
pp_route_count_begin(uint32_t label)
{
	pp_route_add(&route(label)->begun, 1);
}

PP_HOT_PATH int64_t
pp_route_count_ran(uint32_t label, int64_t called_ns, int ended,
    int64_t begun_ns)
{
	struct pp_route *counter = route(label);
	int64_t now = pp_clock_mono();
	uint64_t ns = 0;

	if (now > called_ns)
		pp_route_add(&counter->running_ns, (uint64_t)(now - called_ns));
	if (!ended)
		return (now);
	if (now > begun_ns)
		ns = (uint64_t)(now - begun_ns);
	pp_route_add(&counter->ns, ns);
	pp_route_add(&counter->time[pp_route_time(ns)], 1);
	return (now);
}

void
pp_route_count_abandon(uint32_t label)
{
	pp_route_add(&route(label)->abandoned, 1);
}
