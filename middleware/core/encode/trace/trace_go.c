/*
 * Events of the tracer as events of Go, except those of Gs (trace_go_move.c).
 * docs/formats.md has the rules for them.
 */
#include <stdlib.h>
#include <string.h>

#include "encode/trace/trace_go_private.h"

/* The room that is kept for the end of the file: for each stack two frames,
 * with function, file and name; each name; the end of each row. It is what they
 * need when they have to be cut (trace_go_dict.c). */
#define NAME_BYTES  (GO_TEXT_LEAST + 8)
#define STACK_BYTES (GO_STACK_LEAST + 3 * NAME_BYTES)
#define ROW_BYTES   32
#define REST_BYTES  (2 * GO_RECORD_BYTES + 64)

struct pp_trace_go *
pp_trace_go_new(int64_t begin, uint64_t max)
{
	static const char head[16] = "go 1.19 trace";
	struct pp_trace_go *go;

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
pp_trace_go_free(struct pp_trace_go *go)
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
	pp_trace_stacks_free(&go->stacks);
	pp_spool_close(&go->spool);
	free(go);
}

int
pp_trace_go_full(const struct pp_trace_go *go)
{
	return (go->full);
}

uint64_t
pp_trace_go_events(const struct pp_trace_go *go)
{
	return (go->events);
}

const uint32_t *
pp_trace_go_stacks(struct pp_trace_go *go, uint32_t *count)
{
	if (pp_trace_stacks_settle(&go->stacks) == -1)
		return (NULL);
	*count = go->stacks.words_count;
	return (go->stacks.words);
}

static struct pp_go_row *
row_at(struct pp_trace_go *go, uint32_t p)
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
event_user(struct pp_trace_go *go, struct pp_go_row *row,
    const struct pp_tracer_event *e, int64_t ts)
{
	uint64_t name = pp_go_name(go, e->name),
		 stack = pp_go_stack(go, &e->stack);

	switch (e->what) {
	case PP_TOLD_TASK:
		PUT(go, row, GO_TASK, ts, e->number, e->parent, name, stack);
		break;
	case PP_TOLD_TASK_END:
		PUT(go, row, GO_TASK_END, ts, e->number, stack);
		break;
	case PP_TOLD_LOG:
		PUT(go, row, GO_LOG, ts, e->number, name, stack);
		pp_go_put_text(go, row, e->text, e->len);
		break;
	default:
		PUT(go, row, GO_REGION, ts, e->number,
		    e->what == PP_TOLD_REGION_END, name, stack);
	}
}

/* Samples have rows of their own. Only the order in the file counts there; the
 * time of a sample is one of its numbers. */
static void
event_sample(struct pp_trace_go *go, const struct pp_tracer_event *e)
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
trace_close(struct pp_trace_go *go)
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
pp_trace_go_event(void *arg, const struct pp_tracer_event *e)
{
	struct pp_trace_go *go = arg;
	struct pp_go_row *row = row_at(go, e->p);
	int64_t ts = e->ts > go->begin ? e->ts : go->begin + 1;
	uint64_t more;

	if (go->full || go->failed || row == NULL)
		return;
	switch (e->what) {
	case PP_TOLD_BEGIN:
		PUT(go, row, GO_GOMAXPROCS, go->begin, e->number, 0);
		break;
	case PP_TOLD_UP:
		row->tid = (uint32_t)e->number;
		if (e->how == PP_TRACER_HOW_NOT)
			PUT(go, row, GO_PROC_START, ts, row->tid);
		break;
	case PP_TOLD_DOWN:
		PUT0(go, row, GO_PROC_STOP, ts);
		break;
	case PP_TOLD_TASK:
	case PP_TOLD_TASK_END:
	case PP_TOLD_REGION:
	case PP_TOLD_REGION_END:
	case PP_TOLD_LOG:
		event_user(go, row, e, ts);
		break;
	case PP_TOLD_HEAP:
		PUT(go, row, GO_HEAP_ALLOC, ts, e->number);
		break;
	case PP_TOLD_SAMPLE:
		event_sample(go, e);
		break;
	case PP_TOLD_EXISTS:
		pp_go_move(go, row, e, go->begin);
		break;
	default:
		pp_go_move(go, row, e, ts);
	}
	more = (uint64_t)go->stacks.used * STACK_BYTES +
	    (uint64_t)go->names_used * NAME_BYTES +
	    (uint64_t)go->rows * ROW_BYTES + REST_BYTES;
	if (go->spool.len + go->buffered + more > go->max)
		trace_close(go);
}

int
pp_trace_go_finish(struct pp_trace_go *go, const struct pp_tracer *tracer,
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
