/*
 * See routes.h.
 */
#include <stddef.h>

#include "base/clock.h"
#include "base/often.h"
#include "capture/routes.h"
#include "capture/self.h"
#include "store/routes.h"

/* The row that was asked for last: a request asks twice. */
PP_OFTEN_DATA static struct pp_route *last;

static inline struct pp_route *
route(uint32_t label)
{
	if (last == NULL ||
	    atomic_load_explicit(&last->label, memory_order_relaxed) != label)
		last = pp_routes_at(&pp_self.slot->routes, label);
	return (last);
}

void
pp_routes_start(void)
{
	struct pp_route *row;
	uint64_t over, begun;
	uint32_t used = pp_routes_used(&pp_self.slot->routes), i, time;

	last = NULL;
	for (i = 0; i < used; i++) {
		row = &pp_self.slot->routes.row[i];
		begun = atomic_load(&row->begun);
		if (begun == 0)
			continue;
		over = atomic_load(&row->abandoned);
		for (time = 0; time < PP_ROUTE_TIMES; time++)
			over += atomic_load(&row->time[time]);
		if (begun > over)
			pp_route_add(&row->abandoned, begun - over);
	}
}

PP_OFTEN void
pp_routes_begin(uint32_t label)
{
	pp_route_add(&route(label)->begun, 1);
}

PP_OFTEN int64_t
pp_routes_ran(uint32_t label, int64_t called_ns, int ended, int64_t begun_ns)
{
	struct pp_route *row = route(label);
	int64_t now = pp_clock_mono();
	uint64_t ns = 0;

	if (now > called_ns)
		pp_route_add(&row->running_ns, (uint64_t)(now - called_ns));
	if (!ended)
		return (now);
	if (now > begun_ns)
		ns = (uint64_t)(now - begun_ns);
	pp_route_add(&row->ns, ns);
	pp_route_add(&row->time[pp_route_time(ns)], 1);
	return (now);
}

void
pp_routes_abandon(uint32_t label)
{
	pp_route_add(&route(label)->abandoned, 1);
}
