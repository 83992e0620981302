/*
 * The transitions. Nothing else changes what runs where, so that each event
 * fits the ones before it, whatever is asked for.
 *
 * Rule: a P that is up has one running G; if it has no other, this is its own G
 * (the loop, the thread). A function brings P and G into the state that its
 * event needs before the event is handed out.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "trace/tracer_private.h"

static struct pp_tracer_event
event_of(enum pp_tracer_what what, const struct pp_tracer_item *g)
{
	struct pp_tracer_event event;

	memset(&event, 0, sizeof(event));
	event.what = what;
	if (g != NULL)
		event.g = &g->pub;
	return (event);
}

static void
emit(struct pp_tracer *t, struct pp_tracer_row *p, struct pp_tracer_item *g,
    enum pp_tracer_what what, struct pp_tracer_stack stack)
{
	struct pp_tracer_event event = event_of(what, g);

	event.stack = stack;
	event.wait = g->sleep;
	pp_tracer_emit(t, p, &event);
	g->ts = p->ts;
}

static struct pp_tracer_stack
no_stack(const struct pp_tracer_item *g, uint32_t leaf)
{
	return (
	    (struct pp_tracer_stack){ .leaf = leaf, .entry = g->pub.entry });
}

void
pp_tracer_at(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g, int64_t ts)
{
	if (ts > t->now)
		ts = t->now;
	if (ts > p->ts)
		p->ts = ts;
	if (g != NULL && g->ts > p->ts)
		p->ts = g->ts;
}

static void
move_start(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g)
{
	pp_tracer_at(t, p, g, 0);
	emit(t, p, g, PP_EVENT_START, no_stack(g, 0));
	g->pub.state = PP_TRACER_RUNNING;
	p->now = g;
}

static void
move_stop(struct pp_tracer *t, struct pp_tracer_row *p)
{
	struct pp_tracer_item *g = p->now;
	uint32_t leaf = 0;

	if (g == p->base)
		leaf = p->place == 0 ? t->name_handler : t->name_task_runs;
	emit(t, p, g, PP_EVENT_STOP, no_stack(g, leaf));
	g->pub.state = PP_TRACER_RUNNABLE;
}

static void
move_block(struct pp_tracer *t, struct pp_tracer_row *p)
{
	struct pp_tracer_item *g = p->now;

	emit(t, p, g, PP_EVENT_BLOCK,
	    pp_tracer_stack_of(t, g->slot, g->sleep_stack,
		t->name_wait[g->sleep], g));
	g->pub.state = PP_TRACER_BLOCKED;
	g->sleep = 0;
}

static void
emit_task(struct pp_tracer *t, struct pp_tracer_row *p,
    enum pp_tracer_what what)
{
	struct pp_tracer_event event = event_of(what, p->now);

	event.number = p->now->pub.number;
	event.name = p->now->pub.entry;
	event.stack = no_stack(p->now, 0);
	pp_tracer_emit(t, p, &event);
	p->now->task = what == PP_EVENT_TASK;
}

static void
move_end(struct pp_tracer *t, struct pp_tracer_row *p)
{
	struct pp_tracer_item *g = p->now;

	if (g->task)
		emit_task(t, p, PP_EVENT_TASK_END);
	emit(t, p, g, PP_EVENT_END, no_stack(g, 0));
	p->now = NULL;
	pp_tracer_item_forget(t, g);
}

int
pp_tracer_up(struct pp_tracer *t, struct pp_tracer_row *p, int32_t pid,
    uint32_t tid)
{
	struct pp_tracer_event event;
	struct pp_tracer_item *g;

	g = pp_tracer_item_new(t, p->slot, 0,
	    p->place == 0 ? PP_TRACER_LOOP : PP_TRACER_THREAD);
	if (g == NULL)
		return (-1);
	g->pub.entry = p->place == 0
	    ? pp_tracer_format(t, "worker %u event loop", p->slot)
	    : pp_tracer_format(t, "worker %u thread %u", p->slot, tid);
	p->pid = pid;
	p->tid = tid;
	p->up = 1;
	p->unsure = p->snapshot = 0;
	p->how = PP_TRACER_HOW_NOT;
	p->base = g;
	event = event_of(PP_EVENT_UP, g);
	event.number = tid;
	event.name = g->pub.entry;
	event.worker = pp_tracer_format(t, "worker %u", p->slot);
	event.pid = pid;
	pp_tracer_emit(t, p, &event);
	pp_tracer_create(t, p, g, 0);
	move_start(t, p, g);
	return (0);
}

void
pp_tracer_down(struct pp_tracer *t, struct pp_tracer_row *p)
{
	struct pp_tracer_event event = event_of(PP_EVENT_DOWN, NULL);

	if (!p->up)
		return;
	if (p->how != PP_TRACER_HOW_NOT)
		pp_tracer_back(t, p, t->now, 0);
	if (p->now != p->base)
		pp_tracer_leave(t, p, PP_TRACER_ENDS);
	move_end(t, p);
	pp_tracer_emit(t, p, &event);
	p->up = 0;
	p->base = NULL;
	p->unsure = p->snapshot = 0;
}

void
pp_tracer_create(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g, uint32_t stack)
{
	const struct pp_tracer_item *by = p->now != NULL ? p->now : g;

	emit(t, p, g, PP_EVENT_CREATE,
	    pp_tracer_stack_of(t, p->slot, stack, 0, by));
	g->born = p->ts;
}

void
pp_tracer_wake(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g, uint32_t stack)
{
	const struct pp_tracer_item *by = p->now != NULL ? p->now : g;

	if (g->pub.state != PP_TRACER_BLOCKED)
		return;
	pp_tracer_at(t, p, g, 0);
	emit(t, p, g, PP_EVENT_WAKE,
	    pp_tracer_stack_of(t, p->slot, stack, 0, by));
	g->pub.state = PP_TRACER_RUNNABLE;
}

void
pp_tracer_enter(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g)
{
	if (g->pub.state == PP_TRACER_RUNNING)
		return;
	pp_tracer_at(t, p, g, 0);
	pp_tracer_wake(t, p, g, 0);
	move_stop(t, p);
	move_start(t, p, g);
	/* If the request began before the trace, the task would show only a
	 * part of its time, which is no measure. */
	if (!g->run && g->pub.kind == PP_TRACER_REQUEST)
		emit_task(t, p, PP_EVENT_TASK);
	g->run = 1;
}

static void
move_away(struct pp_tracer *t, struct pp_tracer_row *p,
    enum pp_tracer_stopped how)
{
	if (how == PP_TRACER_ENDS)
		move_end(t, p);
	else if (how == PP_TRACER_SLEEPS)
		move_block(t, p);
	else
		move_stop(t, p);
}

void
pp_tracer_leave(struct pp_tracer *t, struct pp_tracer_row *p,
    enum pp_tracer_stopped how)
{
	move_away(t, p, how);
	move_start(t, p, p->base);
}

void
pp_tracer_pass(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g, enum pp_tracer_stopped how)
{
	struct pp_tracer_item *under = p->now;

	if (g->pub.state == PP_TRACER_RUNNING)
		return;
	pp_tracer_at(t, p, g, 0);
	pp_tracer_wake(t, p, g, 0);
	move_stop(t, p);
	move_start(t, p, g);
	move_away(t, p, how);
	move_start(t, p, under);
}

void
pp_tracer_away(struct pp_tracer_row *p, enum pp_tracer_how how, uint32_t call)
{
	p->how = how;
	p->call = call;
}

struct pp_tracer_stack
pp_tracer_away_stack(struct pp_tracer *t, const struct pp_tracer_row *p,
    uint32_t stack)
{
	uint32_t leaf = t->name_poll;

	if (p->how == PP_TRACER_HOW_CALL && p->call == PP_CALL_COUNT) {
		leaf = 0;
		stack = p->seen;
	} else if (p->how == PP_TRACER_HOW_CALL) {
		leaf = t->name_call[p->call];
	} else if (p->how == PP_TRACER_HOW_WAIT) {
		leaf = t->name_wait[p->call];
	}
	return (pp_tracer_stack_of(t, p->slot, stack, leaf, p->now));
}

void
pp_tracer_back(struct pp_tracer *t, struct pp_tracer_row *p, int64_t ts,
    uint32_t stack)
{
	struct pp_tracer_event event = event_of(PP_EVENT_AWAY, p->now);

	if (ts > t->now)
		ts = t->now;
	if (ts < p->ts)
		ts = p->ts;
	if (p->how != PP_TRACER_HOW_WAIT && ts - p->ts < PP_TRACE_SHORT_NS)
		event.what = PP_EVENT_SHORT;
	event.stack = pp_tracer_away_stack(t, p, stack);
	event.how = p->how;
	event.wait = p->call;
	event.until = ts;
	pp_tracer_emit(t, p, &event);
	p->ts = ts;
	p->now->ts = ts;
	p->how = PP_TRACER_HOW_NOT;
}

void
pp_tracer_log(struct pp_tracer *t, struct pp_tracer_row *p, uint64_t task,
    uint32_t name, const char *text, uint32_t len)
{
	struct pp_tracer_event event = event_of(PP_EVENT_LOG, p->now);

	event.number = task;
	event.name = name;
	event.text = text;
	event.len = len;
	event.stack = no_stack(p->now, 0);
	pp_tracer_emit(t, p, &event);
}

void
pp_tracer_log_format(struct pp_tracer *t, struct pp_tracer_row *p,
    uint32_t name, const char *format, ...)
{
	char text[PP_TRACE_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pp_tracer_log(t, p, 0, name, text, (uint32_t)strlen(text));
}
