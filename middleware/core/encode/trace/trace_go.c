/*
 * Events of the tracer as events of Go; docs/formats.md has the rules for them.
 * Each event of a G has the G's number in its history (`seq`), but for events
 * on the row of the event before, where the reader counts by itself.
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
g_at(struct pp_go *go, const struct pp_tracer_g *g)
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
use_entry(struct pp_go *go, const struct pp_tracer_g *g)
{
	struct pp_tracer_stack stack = { .entry = g->entry };

	return (pp_go_stack(go, &stack));
}

static void
put_create(struct pp_go *go, struct pp_go_row *row,
    const struct pp_tracer_event *e, struct pp_go_g *g, int64_t ts)
{
	PUT(go, row, GO_CREATE, ts, e->g->number, use_entry(go, e->g),
	    pp_go_stack(go, &e->stack));
	g->seq = 1;
	g->row = row->pid;
	g->away = PP_TRACER_HOW_NOT;
	if (e->what != PP_EVENT_EXISTS)
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
put_start(struct pp_go *go, struct pp_go_row *row, const struct pp_tracer_g *of,
    struct pp_go_g *g, int64_t ts)
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
put_wake(struct pp_go *go, struct pp_go_row *row,
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
put_stop(struct pp_go *go, struct pp_go_row *row, enum pp_go_ev type,
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
put_away(struct pp_go *go, struct pp_go_row *row,
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
put_back(struct pp_go *go, struct pp_go_row *row,
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
event_away(struct pp_go *go, struct pp_go_row *row,
    const struct pp_tracer_event *e, struct pp_go_g *g, int64_t ts)
{
	struct pp_tracer_event back = *e;
	int64_t until = e->until < ts ? ts : e->until;

	if (g->away == PP_TRACER_HOW_NOT)
		put_away(go, row, e, ts);
	else
		back.how = (enum pp_tracer_how)g->away;
	if (e->what == PP_EVENT_GONE)
		return;
	put_back(go, row, &back, g, e->what == PP_EVENT_SHORT ? ts : until);
}

static void
go_move(struct pp_go *go, struct pp_go_row *row,
    const struct pp_tracer_event *e, int64_t ts)
{
	struct pp_go_g *g = g_at(go, e->g);

	if (g == NULL)
		return;
	switch (e->what) {
	case PP_EVENT_EXISTS:
	case PP_EVENT_CREATE:
		put_create(go, row, e, g, ts);
		break;
	case PP_EVENT_START:
		put_start(go, row, e->g, g, ts);
		break;
	case PP_EVENT_STOP:
		put_stop(go, row, GO_SCHED, e, ts);
		break;
	case PP_EVENT_END:
		put_stop(go, row, GO_END, e, ts);
		break;
	case PP_EVENT_BLOCK:
		put_stop(go, row, block_type(e->wait), e, ts);
		break;
	case PP_EVENT_WAKE:
		put_wake(go, row, e, g, ts);
		break;
	case PP_EVENT_SHORT:
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

/* The room that is kept for the end of the file: for each stack two frames,
 * with function, file and name; each name; the end of each row. It is what they
 * need when they have to be cut (trace_go_dict.c). */
#define NAME_BYTES  (GO_TEXT_LEAST + 8)
#define STACK_BYTES (GO_STACK_LEAST + 3 * NAME_BYTES)
#define ROW_BYTES   32
#define REST_BYTES  (2 * GO_RECORD_BYTES + 64)

struct pp_go *
pp_go_new(int64_t begin, uint64_t max)
{
	static const char head[16] = "go 1.19 trace";
	struct pp_go *go;

	if ((go = calloc(1, sizeof(*go))) == NULL)
		return (NULL);
	if (pp_spool_open(&go->spool) == -1) {
		free(go);
		return (NULL);
	}
	go->begin = begin;
	go->max = max;
	pp_spool_append(&go->spool, head, sizeof(head));
	return (go);
}

void
pp_go_free(struct pp_go *go)
{
	uint32_t i;

	if (go == NULL)
		return;
	for (i = 0; i < PP_TRACE_PS_MAX; i++) {
		if (go->row[i] != NULL)
			free(go->row[i]->data);
		free(go->row[i]);
	}
	free(go->samples.data);
	free(go->g);
	pp_go_stacks_free(&go->stacks);
	pp_spool_close(&go->spool);
	free(go);
}

int
pp_go_full(const struct pp_go *go)
{
	return (go->full);
}

uint64_t
pp_go_events(const struct pp_go *go)
{
	return (go->events);
}

const uint32_t *
pp_go_stacks_of(struct pp_go *go, uint32_t *count)
{
	if (pp_go_stacks_settle(&go->stacks) == -1)
		return (NULL);
	*count = go->stacks.words_count;
	return (go->stacks.words);
}

static struct pp_go_row *
row_at(struct pp_go *go, uint32_t p)
{
	if (p >= PP_TRACE_PS_MAX)
		return (NULL);
	if (go->row[p] == NULL) {
		go->row[p] = calloc(1, sizeof(struct pp_go_row));
		if (go->row[p] == NULL)
			go->failed = 1;
		else
			go->row[p]->pid = p;
		go->rows++;
	}
	return (go->row[p]);
}

static void
event_user(struct pp_go *go, struct pp_go_row *row,
    const struct pp_tracer_event *e, int64_t ts)
{
	uint64_t name = pp_go_name(go, e->name),
		 stack = pp_go_stack(go, &e->stack);

	switch (e->what) {
	case PP_EVENT_TASK:
		PUT(go, row, GO_TASK, ts, e->number, e->parent, name, stack);
		break;
	case PP_EVENT_TASK_END:
		PUT(go, row, GO_TASK_END, ts, e->number, stack);
		break;
	case PP_EVENT_LOG:
		PUT(go, row, GO_LOG, ts, e->number, name, stack);
		pp_go_put_text(go, row, e->text, e->len);
		break;
	default:
		PUT(go, row, GO_REGION, ts, e->number,
		    e->what == PP_EVENT_REGION_END, name, stack);
	}
}

/* Samples have rows of their own. Only the order in the file counts there; the
 * time of a sample is one of its numbers. */
static void
event_sample(struct pp_go *go, const struct pp_tracer_event *e)
{
	int64_t taken = e->until;

	if (taken <= go->begin)
		return;
	/* Gs that exist at the begin are created at the times just after it. */
	if (taken < go->begin + 2)
		taken = go->begin + 2;
	PUT(go, &go->samples, GO_SAMPLE, go->samples.last + 1, (uint64_t)taken,
	    e->p, e->number, pp_go_stack(go, &e->stack));
}

/* Take no more events, and stop what runs, as the format demands. */
static void
trace_close(struct pp_go *go)
{
	struct pp_go_row *row;
	uint32_t i;

	go->full = 1;
	if ((row = go->row[0]) != NULL) {
		PUT(go, row, GO_LOG, row->last, 0, TEXT_TRACE,
		    row->running ? row->stopped : 0);
		pp_go_put_text(go, row, PP_TRACE_ENDED_EARLY,
		    sizeof(PP_TRACE_ENDED_EARLY) - 1);
	}
	for (i = 0; i < PP_TRACE_PS_MAX; i++) {
		row = go->row[i];
		if (row == NULL || row->running == 0)
			continue;
		PUT(go, row, GO_SCHED, row->last, row->stopped);
		row->running = 0;
	}
}

void
pp_go_event(void *arg, const struct pp_tracer_event *e)
{
	struct pp_go *go = arg;
	struct pp_go_row *row = row_at(go, e->p);
	int64_t ts = e->ts > go->begin ? e->ts : go->begin + 1;
	uint64_t more;

	if (go->full || go->failed || row == NULL)
		return;
	switch (e->what) {
	case PP_EVENT_BEGIN:
		PUT(go, row, GO_GOMAXPROCS, go->begin, e->number, 0);
		break;
	case PP_EVENT_UP:
		row->tid = (uint32_t)e->number;
		if (e->how == PP_TRACER_HOW_NOT)
			PUT(go, row, GO_PROC_START, ts, row->tid);
		break;
	case PP_EVENT_DOWN:
		PUT0(go, row, GO_PROC_STOP, ts);
		break;
	case PP_EVENT_TASK:
	case PP_EVENT_TASK_END:
	case PP_EVENT_REGION:
	case PP_EVENT_REGION_END:
	case PP_EVENT_LOG:
		event_user(go, row, e, ts);
		break;
	case PP_EVENT_HEAP:
		PUT(go, row, GO_HEAP_ALLOC, ts, e->number);
		break;
	case PP_EVENT_SAMPLE:
		event_sample(go, e);
		break;
	case PP_EVENT_EXISTS:
		go_move(go, row, e, go->begin);
		break;
	default:
		go_move(go, row, e, ts);
	}
	more = (uint64_t)go->stacks.used * STACK_BYTES +
	    (uint64_t)go->names_used * NAME_BYTES +
	    (uint64_t)go->rows * ROW_BYTES + REST_BYTES;
	if (go->spool.len + go->buffered + more > go->max)
		trace_close(go);
}

int
pp_go_finish(struct pp_go *go, const struct pp_tracer *tracer,
    const struct pp_profile *stacks, uint64_t *len)
{
	uint32_t i;

	for (i = 0; i < PP_TRACE_PS_MAX; i++) {
		if (go->row[i] != NULL)
			pp_go_flush(go, go->row[i]);
	}
	pp_go_flush(go, &go->samples);
	if (pp_go_dictionary(go, tracer, stacks) == -1 || go->failed)
		return (-1);
	return (pp_spool_take(&go->spool, len));
}
