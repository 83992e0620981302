/*
 * CPU samples in a trace: finds the G that a sample belongs to. Samples come
 * later than the events of their time, so that the G may have ended. Not the
 * sampling: cpu/cpu.h has that.
 */
#include <string.h>

#include "trace/tracer_private.h"

void
pp_tracer_sample(void *tracer, uint32_t slot, uint32_t tid, int64_t ts,
    uint64_t inflight, const uint64_t *word, uint32_t words)
{
	struct pp_tracer *t = tracer;
	struct pp_tracer_event event;
	struct pp_tracer_row *p = NULL;
	struct pp_tracer_item *g;
	uint32_t i;

	if (t->running == 0 || slot >= t->slots || t->slot[slot] == NULL)
		return;
	for (i = 0; i < PP_THREADS_MAX && p == NULL; i++) {
		p = t->slot[slot]->p[i];
		if (p != NULL && (!p->up || p->tid != tid))
			p = NULL;
	}
	if (p == NULL)
		return;
	memset(&event, 0, sizeof(event));
	event.what = PP_EVENT_SAMPLE;
	event.stack.words = pp_stacks_intern(t->stacks, word, words);
	g = inflight == 0 ? p->base : pp_tracer_item_find(t, slot, inflight);
	if (g != NULL || !pp_tracer_item_ended(t, slot, inflight, &event)) {
		if (g == NULL)
			g = p->base;
		event.g = &g->pub;
		event.number = g->pub.number;
		event.stack.entry = g->pub.entry;
		event.until = g->born;
	}
	/* A thread writes its first record a moment after its begin, and a
	 * sample may fall between. Readers see no G do anything before it is
	 * there, so the sample's time is moved. */
	event.until = ts > event.until ? ts : event.until + 1;
	pp_tracer_emit(t, p, &event);
}
