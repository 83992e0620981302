/*
 * The edges: what a session is shown at its begin and its end, and the ends of
 * workers and of Gs whose own end was lost.
 */
#include <string.h>
#include <sys/wait.h>

#include "trace/tracer_private.h"

/* The end of a G is taken for lost if nothing has happened to it for so long
 * and the worker has no such request. A G that has never run may have no entry
 * in the worker, so that its time is longer. */
#define LOST_NS	      PP_NS_PER_SEC
#define LOST_UNRUN_NS (10 * PP_NS_PER_SEC)

void
pp_tracer_item_label(struct pp_tracer *t, struct pp_tracer_item *g,
    uint32_t label)
{
	int task = g->pub.kind == PP_TRACER_TASK;

	if (g->pub.route == 0 && label != 0)
		g->pub.route = pp_tracer_label(t, g->slot, label, 0);
	/* The entry of a G is fixed by its first event. */
	if (g->ts == 0)
		g->pub.entry = pp_tracer_label(t, g->slot, label, task);
}

/* Return how many threads there are: readers may expect as many Ps. */
static uint32_t
show_expected(const struct pp_tracer *t)
{
	const struct pp_slot *from;
	uint32_t slot, place, places, count = 0;

	for (slot = 1; slot < t->slots; slot++) {
		from = &t->arena->slot[slot];
		if (atomic_load(&from->life.pid) <= 0)
			continue;
		places = atomic_load(&from->threads_used);
		for (place = 0; place < places && place < PP_THREADS_MAX;
		     place++)
			count += atomic_load(&from->thread[place].tid) != 0;
	}
	return (count > t->ps_used ? count : t->ps_used);
}

static struct pp_tracer_event
show_event(enum pp_tracer_what what, const struct pp_tracer_item *g)
{
	struct pp_tracer_event event;

	memset(&event, 0, sizeof(event));
	event.what = what;
	event.g = &g->pub;
	event.stack.entry = g->pub.entry;
	return (event);
}

/* Return in which way g is away on some P; NOT: it is not away. */
static enum pp_tracer_how
show_how(const struct pp_tracer *t, const struct pp_tracer_item *g)
{
	uint32_t i;

	for (i = 0; i < t->ps_used; i++) {
		if (t->ps[i]->up && t->ps[i]->now == g)
			return (t->ps[i]->how);
	}
	return (PP_TRACER_HOW_NOT);
}

static void
show_gs(struct pp_tracer *t, struct pp_tracer_row *by)
{
	struct pp_tracer_event event;
	struct pp_tracer_item *g;
	uint32_t i;

	for (i = 0; i < t->gs_used; i++) {
		g = pp_tracer_item(t, i);
		if (!g->used)
			continue;
		event = show_event(PP_EVENT_EXISTS, g);
		if (g->pub.state == PP_TRACER_RUNNING)
			event.how = show_how(t, g);
		pp_tracer_emit(t, by, &event);
	}
}

static void
show_p(struct pp_tracer *t, struct pp_tracer_row *p)
{
	struct pp_tracer_event event;

	event = show_event(PP_EVENT_UP, p->base);
	event.number = p->tid;
	event.name = p->base->pub.entry;
	event.worker = pp_tracer_format(t, "worker %u", p->slot);
	event.pid = p->pid;
	event.how = p->how;
	pp_tracer_emit(t, p, &event);
	if (p->how != PP_TRACER_HOW_NOT)
		return;
	event = show_event(PP_EVENT_START, p->now);
	pp_tracer_emit(t, p, &event);
	if (p->unsure && p->path[0] != '\0')
		pp_tracer_log_format(t, p, t->name_path,
		    "%.*s, in progress for %.3f s", PP_INFLIGHT_PATH_MAX,
		    p->path,
		    (double)(t->now - p->since_ns) / (double)PP_NS_PER_SEC);
}

/* Write the first and the last point of the heap's line, whether anything
 * happens or not. */
static void
show_heap(struct pp_tracer *t, const struct pp_tracer_row *p)
{
	struct pp_tracer_row now = *p;
	struct pp_tracer_event event;

	now.ts = t->now;
	memset(&event, 0, sizeof(event));
	event.what = PP_EVENT_HEAP;
	event.number = t->heap;
	pp_tracer_emit(t, &now, &event);
}

void
pp_tracer_show(struct pp_tracer_session *session)
{
	struct pp_tracer *t = session->tracer;
	struct pp_tracer_row nobody = { .number = 0 };
	struct pp_tracer_event event;
	uint32_t i;

	t->only = session;
	nobody.ts = t->now;
	show_gs(t, &nobody);
	memset(&event, 0, sizeof(event));
	event.what = PP_EVENT_BEGIN;
	event.number = show_expected(t);
	pp_tracer_emit(t, &nobody, &event);
	show_heap(t, &nobody);
	for (i = 0; i < t->ps_used; i++) {
		if (t->ps[i]->up)
			show_p(t, t->ps[i]);
	}
	t->only = NULL;
}

void
pp_tracer_close(struct pp_tracer_session *session)
{
	struct pp_tracer *t = session->tracer;
	struct pp_tracer_event event;
	struct pp_tracer_row *p;
	struct pp_tracer_row *last = NULL;
	uint64_t lost = pp_tracer_lost(session);
	uint32_t i;

	t->only = session;
	for (i = 0; i < t->ps_used; i++) {
		p = t->ps[i];
		if (!p->up)
			continue;
		if (lost > 0)
			pp_tracer_log_format(t, p, t->name_lost,
			    "%llu events in all of the trace",
			    (unsigned long long)lost);
		lost = 0;
		if (p->how == PP_TRACER_HOW_NOT) {
			pp_tracer_at(t, p, p->now, t->now);
			event = show_event(PP_EVENT_STOP, p->now);
		} else {
			event = show_event(PP_EVENT_GONE, p->now);
			event.how = p->how;
			event.wait = p->call;
			event.stack = pp_tracer_away_stack(t, p, 0);
			event.until = t->now;
		}
		pp_tracer_emit(t, p, &event);
		last = p;
	}
	if (last != NULL)
		show_heap(t, last);
	t->only = NULL;
}

static void
slot_log_end(struct pp_tracer *t, struct pp_tracer_row *p)
{
	const struct pp_life *life = &t->arena->slot[p->slot].life;
	int status = atomic_load(&life->last_status);

	if (p->how != PP_TRACER_HOW_NOT)
		pp_tracer_back(t, p, t->now, 0);
	if (WIFSIGNALED(status))
		pp_tracer_log_format(t, p, t->name_worker,
		    "worker %u died: signal %d", p->slot, WTERMSIG(status));
	else
		pp_tracer_log_format(t, p, t->name_worker,
		    "worker %u ended: status %d", p->slot, WEXITSTATUS(status));
}

void
pp_tracer_slot_ended(struct pp_tracer *t, uint32_t slot)
{
	struct pp_tracer_slot *of = t->slot[slot];
	struct pp_tracer_item *g;
	uint32_t i;

	if (of->p[0] != NULL && of->p[0]->up)
		slot_log_end(t, of->p[0]);
	for (i = 0; i < PP_THREADS_MAX; i++) {
		if (of->p[i] != NULL)
			pp_tracer_down(t, of->p[i]);
	}
	for (i = 0; i < t->gs_used; i++) {
		g = pp_tracer_item(t, i);
		if (g->used && g->slot == slot)
			pp_tracer_item_forget(t, g);
	}
}

void
pp_tracer_sweep_mark(struct pp_tracer *t, uint32_t slot)
{
	const struct pp_inflights *inflights = &t->arena->slot[slot].inflights;
	uint32_t used = atomic_load(&inflights->used), i;
	struct pp_tracer_item *g;
	uint64_t id;

	for (i = 0; i < t->gs_used; i++) {
		g = pp_tracer_item(t, i);
		g->missing = g->used && g->slot == slot && g->id != 0;
	}
	for (i = 0; i < used && i < PP_INFLIGHT_MAX; i++) {
		id = atomic_load(&inflights->inflight[i].id);
		if (id != 0 && (g = pp_tracer_item_find(t, slot, id)) != NULL)
			g->missing = 0;
	}
}

void
pp_tracer_sweep(struct pp_tracer *t, uint32_t slot)
{
	struct pp_tracer_row *p = t->slot[slot]->p[0];
	enum pp_tracer_how how;
	struct pp_tracer_item *g;
	uint32_t i;

	t->slot[slot]->sweep_ns = 0;
	if (p == NULL || !p->up)
		return;
	how = p->how;
	if (how != PP_TRACER_HOW_NOT)
		pp_tracer_back(t, p, t->now, 0);
	for (i = 0; i < t->gs_used; i++) {
		g = pp_tracer_item(t, i);
		if (g->used && g->missing &&
		    g->pub.state != PP_TRACER_RUNNING &&
		    t->now - g->ts > (g->run ? LOST_NS : LOST_UNRUN_NS))
			pp_tracer_pass(t, p, g, PP_TRACER_ENDS);
	}
	if (how != PP_TRACER_HOW_NOT)
		pp_tracer_away(p, how, p->call);
}
