/*
 * Events of Gs as events of Go. Each event has the G's number in its history
 * (`seq`), but for events on the row of the event before, where the reader
 * counts by itself.
 *
 * Rule: one event of the tracer becomes one to six events of Go, always on the
 * row of its own P.
 */
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "encode/trace/trace_go_private.h"

#define ELSEWHERE UINT32_MAX

/* Return how a G is blocked. Readers show waits for a socket in the network
 * profile, waits for a time in none, and all others in the synchronization
 * profile. */
static enum pp_go_ev
block_type(uint32_t wait)
{
	switch (wait) {
	case PP_WAIT_PGSQL:
	case PP_WAIT_CURL:
	case PP_WAIT_RECEIVE:
		return (GO_BLOCK_NET);
	case PP_WAIT_TIMER:
		return (GO_SLEEP);
	case PP_WAIT_COND:
	case PP_WAIT_SLEEP:
		return (GO_BLOCK_COND);
	case PP_WAIT_TASK:
	case PP_WAIT_QUEUE:
	case PP_WAIT_CHANNEL:
		return (GO_BLOCK_RECV);
	default:
		return (GO_BLOCK_SYNC);
	}
}

/* Return what is known of a G; NULL: out of memory. */
static struct pp_go_g *
g_at(struct pp_trace_go *go, const struct pp_tracer_g *g)
{
	struct pp_go_g *bigger;
	uint32_t room = go->g_room == 0 ? 1024 : go->g_room;

	while (g->place >= room)
		room *= 2;
	if (room > go->g_room) {
		bigger = pp_budget_keeps(room * sizeof(*bigger))
		    ? realloc(go->g, room * sizeof(*bigger))
		    : NULL;
		if (bigger == NULL) {
			go->failed = 1;
			return (NULL);
		}
		memset(bigger + go->g_room, 0,
		    (room - go->g_room) * sizeof(*bigger));
		go->g = bigger;
		go->g_room = room;
	}
	return (&go->g[g->place]);
}

static uint64_t
use_entry(struct pp_trace_go *go, const struct pp_tracer_g *g)
{
	struct pp_tracer_stack stack = { .entry = g->entry };

	return (pp_go_stack(go, &stack));
}

static void
put_create(struct pp_trace_go *go, struct pp_go_row *row,
    const struct pp_tracer_event *e, struct pp_go_g *g, int64_t ts)
{
	PUT(go, row, GO_CREATE, ts, e->g->number, use_entry(go, e->g),
	    pp_go_stack(go, &e->stack));
	g->seq = 1;
	g->row = row->pid;
	g->away = PP_TRACER_HOW_NOT;
	if (e->what != PP_TOLD_EXISTS)
		return;
	/* In the reader's snapshot the G is on another row than the one on
	 * which it will go on. */
	g->row = ELSEWHERE;
	g->away = e->how;
	if (e->how == PP_TRACER_HOW_NOT && e->g->state != PP_TRACER_BLOCKED)
		return;
	PUT(go, row, e->how == PP_TRACER_HOW_CALL ? GO_IN_SYSCALL : GO_WAITING,
	    ts, e->g->number);
	g->seq = 2;
}

static void
put_start(struct pp_trace_go *go, struct pp_go_row *row,
    const struct pp_tracer_g *of, struct pp_go_g *g, int64_t ts)
{
	uint32_t label = of->route;

	/* Go shows the label on the bar, and the name of the G only beside
	 * it. */
	if (label != 0 && of->kind == PP_TRACER_TASK)
		label = of->entry;
	if (label != 0)
		PUT(go, row, GO_START_LABEL, ts, of->number, g->seq,
		    pp_go_name(go, label));
	else if (g->row == row->pid)
		PUT(go, row, GO_START_LOCAL, ts, of->number);
	else
		PUT(go, row, GO_START, ts, of->number, g->seq);
	g->seq++;
	g->row = row->pid;
	row->running = of->place + 1;
	row->stopped = (uint32_t)use_entry(go, of);
}

static void
put_wake(struct pp_trace_go *go, struct pp_go_row *row,
    const struct pp_tracer_event *e, struct pp_go_g *g, int64_t ts)
{
	uint64_t stack = pp_go_stack(go, &e->stack);

	if (g->row == row->pid)
		PUT(go, row, GO_UNBLOCK_LOCAL, ts, e->g->number, stack);
	else
		PUT(go, row, GO_UNBLOCK, ts, e->g->number, g->seq, stack);
	g->seq++;
	g->row = row->pid;
}

/* Write the stop of a G: the end of the file has to stop only Gs that still
 * run. */
static void
put_stop(struct pp_trace_go *go, struct pp_go_row *row, enum pp_go_ev type,
    const struct pp_tracer_event *e, int64_t ts)
{
	if (type == GO_END)
		PUT0(go, row, type, ts);
	else
		PUT(go, row, type, ts, pp_go_stack(go, &e->stack));
	row->running = 0;
}

/* Write that a G goes away, and its P with it: a G that does nothing must not
 * count as ready. */
static void
put_away(struct pp_trace_go *go, struct pp_go_row *row,
    const struct pp_tracer_event *e, int64_t ts)
{
	if (e->how == PP_TRACER_HOW_CALL) {
		PUT(go, row, GO_SYS_CALL, ts, pp_go_stack(go, &e->stack));
		PUT0(go, row, GO_SYS_BLOCK, ts);
		row->running = 0;
	} else if (e->how == PP_TRACER_HOW_POLL) {
		put_stop(go, row, GO_BLOCK_NET, e, ts);
	} else {
		put_stop(go, row, block_type(e->wait), e, ts);
	}
	PUT0(go, row, GO_PROC_STOP, ts);
}

static void
put_back(struct pp_trace_go *go, struct pp_go_row *row,
    const struct pp_tracer_event *e, struct pp_go_g *g, int64_t ts)
{
	PUT(go, row, GO_PROC_START, ts, row->tid);
	if (e->how == PP_TRACER_HOW_CALL) {
		PUT(go, row, GO_SYS_EXIT, ts, e->g->number, g->seq, 0);
		g->seq++;
		g->row = row->pid;
	} else {
		put_wake(go, row, e, g, ts);
	}
	put_start(go, row, e->g, g, ts);
	g->away = PP_TRACER_HOW_NOT;
}

/* Write that a G comes back. If it was away when the trace began, the reader
 * already knows the first half of the call. */
static void
event_away(struct pp_trace_go *go, struct pp_go_row *row,
    const struct pp_tracer_event *e, struct pp_go_g *g, int64_t ts)
{
	struct pp_tracer_event back = *e;
	int64_t until = e->until < ts ? ts : e->until;

	if (g->away == PP_TRACER_HOW_NOT)
		put_away(go, row, e, ts);
	else
		back.how = (enum pp_tracer_how)g->away;
	if (e->what == PP_TOLD_GONE)
		return;
	put_back(go, row, &back, g, e->what == PP_TOLD_SHORT ? ts : until);
}

void
pp_go_move(struct pp_trace_go *go, struct pp_go_row *row,
    const struct pp_tracer_event *e, int64_t ts)
{
	struct pp_go_g *g = g_at(go, e->g);

	if (g == NULL)
		return;
	switch (e->what) {
	case PP_TOLD_EXISTS:
	case PP_TOLD_CREATE:
		put_create(go, row, e, g, ts);
		break;
	case PP_TOLD_START:
		put_start(go, row, e->g, g, ts);
		break;
	case PP_TOLD_STOP:
		put_stop(go, row, GO_SCHED, e, ts);
		break;
	case PP_TOLD_END:
		put_stop(go, row, GO_END, e, ts);
		break;
	case PP_TOLD_BLOCK:
		put_stop(go, row, block_type(e->wait), e, ts);
		break;
	case PP_TOLD_WAKE:
		put_wake(go, row, e, g, ts);
		break;
	case PP_TOLD_SHORT:
		if (g->away == PP_TRACER_HOW_NOT) {
			PUT(go, row, GO_SYS_CALL, ts,
			    pp_go_stack(go, &e->stack));
			break;
		}
		/* FALLTHROUGH */
	default:
		event_away(go, row, e, g, ts);
	}
}
