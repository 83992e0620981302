/*
 * The store of the application's tasks and regions that are open. Not their
 * meaning: tracer_user.c has that.
 */
#include "trace/tracer_private.h"

uint32_t
pp_tracer_open_take(struct pp_tracer *t)
{
	uint32_t at = t->open_free;

	if (at != 0) {
		t->open_free = t->open[at - 1].next;
		return (at);
	}
	if (t->open_used == PP_TRACE_OPEN_MAX) {
		t->missed++;
		return (0);
	}
	return (++t->open_used);
}

void
pp_tracer_open_give(struct pp_tracer *t, uint32_t at)
{
	t->open[at - 1].next = t->open_free;
	t->open_free = at;
}

void
pp_tracer_open_drop(struct pp_tracer *t, struct pp_tracer_item *g)
{
	uint32_t at, next;

	for (at = g->regions; at != 0; at = next) {
		next = t->open[at - 1].next;
		pp_tracer_open_give(t, at);
	}
	g->regions = 0;
}
