/*
 * The bottom of the tracer, which all its files call: an event goes to its
 * readers, and losses are counted. Nothing here changes a state.
 */
#include <string.h>

#include "trace/tracer_private.h"

/* So long after a loss, ends that may have been lost are looked for. */
#define SWEEP_NS PP_NS_PER_SEC

static void
emit_one(const struct pp_tracer_session *session,
    const struct pp_tracer_event *event)
{
	if (!session->stopped)
		session->reader(session->arg, event);
}

void
pp_tracer_emit(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_event *event)
{
	struct pp_tracer_session *session;
	struct pp_tracer_event heap;

	event->p = p->number;
	event->ts = p->ts;
	if (t->only != NULL) {
		emit_one(t->only, event);
		return;
	}
	if (t->heap_due) {
		t->heap_due = 0;
		memset(&heap, 0, sizeof(heap));
		heap.what = PP_EVENT_HEAP;
		heap.number = t->heap;
		pp_tracer_emit(t, p, &heap);
	}
	LIST_FOREACH(session, &t->sessions, list)
		emit_one(session, event);
}

void
pp_tracer_swept(struct pp_tracer *t, uint32_t slot)
{
	if (t->slot[slot]->sweep_ns == 0)
		t->slot[slot]->sweep_ns = t->now + SWEEP_NS;
}

uint64_t
pp_tracer_losses(const struct pp_tracer *t)
{
	uint64_t lost = t->missed + t->malformed;
	uint32_t slot;

	for (slot = 0; slot < t->slots; slot++)
		lost += atomic_load_explicit(
		    &t->arena->slot[slot].loss[PP_LOSS_TRACE_DROPPED],
		    memory_order_relaxed);
	return (lost);
}

uint64_t
pp_tracer_lost(const struct pp_tracer_session *session)
{
	return (pp_tracer_losses(session->tracer) - session->lost);
}
