/*
 * Events of the tracer as slices. See trace_perfetto.h; docs/formats.md says
 * which event becomes which slice.
 *
 * Rule: the slices of a row are closed innermost first. When what runs on the
 * row stops, all of them are closed.
 */
#include <stdlib.h>

#include "encode/trace/trace_perfetto_private.h"

#define ASLEEP_NOW (1U << 31)

struct pp_perfetto *
pp_perfetto_new(const struct pp_tracer *tracer, int64_t begin, uint64_t max)
{
	struct pp_perfetto *pf;

	if ((pf = calloc(1, sizeof(*pf))) == NULL)
		return (NULL);
	if (pp_spool_open(&pf->spool) == -1) {
		free(pf);
		return (NULL);
	}
	pf->tracer = tracer;
	pf->begin = begin;
	pf->max = max;
	return (pf);
}

void
pp_perfetto_free(struct pp_perfetto *pf)
{
	if (pf == NULL)
		return;
	pp_spool_close(&pf->spool);
	free(pf);
}

int
pp_perfetto_full(const struct pp_perfetto *pf)
{
	return (pf->full);
}

static void
row_begin(struct pp_perfetto *pf, struct pp_pf_row *row, int64_t ts,
    struct pp_pf_detail detail)
{
	pp_pf_event(pf, row->uuid, ts, SLICE_BEGIN, &detail);
	row->depth++;
}

static void
row_end(struct pp_perfetto *pf, struct pp_pf_row *row, int64_t ts,
    uint32_t leave)
{
	const struct pp_pf_detail nothing = { 0 };

	for (; row->depth > leave; row->depth--)
		pp_pf_event(pf, row->uuid, ts, SLICE_END, &nothing);
}

/* Describe a thread and its process, with their names. */
static void
event_up(struct pp_perfetto *pf, struct pp_pf_row *row,
    const struct pp_tracer_event *e)
{
	Pp__Perfetto__TrackDescriptor track =
	    PP__PERFETTO__TRACK_DESCRIPTOR__INIT;
	Pp__Perfetto__ProcessDescriptor process =
	    PP__PERFETTO__PROCESS_DESCRIPTOR__INIT;
	Pp__Perfetto__ThreadDescriptor thread =
	    PP__PERFETTO__THREAD_DESCRIPTOR__INIT;

	row->depth = 0;
	process.pid = e->pid;
	process.process_name = pp_pf_name(pf, e->worker);
	track.uuid = UUID_PROCESS + (uint32_t)e->pid;
	track.process = &process;
	pp_pf_track(pf, &track);
	thread.pid = e->pid;
	thread.tid = (int32_t)e->number;
	thread.thread_name = pp_pf_name(pf, e->name);
	track.uuid = UUID_ROW + ++pf->threads;
	track.process = NULL;
	track.thread = &thread;
	pp_pf_track(pf, &track);
	/* The row keeps its old id until the file has the new one: the file may
	 * end here, and its last event needs a row. */
	row->uuid = track.uuid;
	row->process = UUID_PROCESS + (uint32_t)e->pid;
}

/* Return the detail of a G that begins to run; all runs of a request and its
 * tasks are one flow. */
static struct pp_pf_detail
detail_of(const struct pp_tracer_g *g)
{
	struct pp_pf_detail detail = { .name = g->entry };

	if (g->kind == PP_TRACER_REQUEST || g->kind == PP_TRACER_TASK)
		detail.flow = g->parent != 0 ? g->parent : g->number;
	return (detail);
}

/* Return the id of the row for a sleeping G: there is one for each pair of P
 * and index of a G. On such a row one G sleeps after another, in the order of
 * the P's time. */
static uint64_t
asleep_uuid(uint32_t p, uint32_t place)
{
	return (UUID_ASLEEP + (uint64_t)p * PP_TRACE_GS_MAX + place);
}

static void
event_sleep(struct pp_perfetto *pf, const struct pp_pf_row *row,
    const struct pp_tracer_event *e, int64_t ts)
{
	Pp__Perfetto__TrackDescriptor track =
	    PP__PERFETTO__TRACK_DESCRIPTOR__INIT;
	struct pp_pf_detail who = { .name = e->g->entry };
	struct pp_pf_detail what = { .name = e->stack.leaf };
	uint32_t *asleep = &pf->asleep[e->g->place % PP_TRACE_GS_MAX];

	track.uuid = asleep_uuid(e->p, e->g->place);
	if (*asleep != e->p + 1) {
		track.parent_uuid = row->process;
		track.name = pp_pf_bytes("asleep", 6);
		pp_pf_track(pf, &track);
	}
	*asleep = ASLEEP_NOW | (e->p + 1);
	pp_pf_event(pf, track.uuid, ts, SLICE_BEGIN, &who);
	pp_pf_event(pf, track.uuid, ts, SLICE_BEGIN, &what);
}

static void
event_wake(struct pp_perfetto *pf, const struct pp_tracer_event *e, int64_t ts)
{
	const struct pp_pf_detail nothing = { 0 };
	uint32_t *asleep = &pf->asleep[e->g->place % PP_TRACE_GS_MAX];
	uint64_t uuid;
	int i;

	if ((*asleep & ASLEEP_NOW) == 0)
		return;
	*asleep &= ~ASLEEP_NOW;
	uuid = asleep_uuid(*asleep - 1, e->g->place);
	for (i = 0; i < 2; i++)
		pp_pf_event(pf, uuid, ts, SLICE_END, &nothing);
}

/* Write that a G is away. A loop that waits for events is idle, and its row
 * stays empty. */
static void
event_away(struct pp_perfetto *pf, struct pp_pf_row *row,
    const struct pp_tracer_event *e, int64_t ts)
{
	struct pp_pf_detail what = { .name = e->stack.leaf };
	int64_t until = e->until > ts ? e->until : ts;

	if (e->what == PP_EVENT_SHORT) {
		if (e->how == PP_TRACER_HOW_CALL)
			pp_pf_event(pf, row->uuid, ts, SLICE_MOMENT, &what);
		return;
	}
	if (e->how == PP_TRACER_HOW_POLL) {
		row_end(pf, row, ts, 0);
		if (e->what == PP_EVENT_AWAY)
			row_begin(pf, row, until, detail_of(e->g));
		return;
	}
	/* A G that was away at the begin has no slice yet to be in. */
	if (row->depth == 0)
		row_begin(pf, row, ts, detail_of(e->g));
	row_begin(pf, row, ts, what);
	if (e->what == PP_EVENT_AWAY)
		row_end(pf, row, until, row->depth - 1);
}

static void
event_user(struct pp_perfetto *pf, struct pp_pf_row *row,
    const struct pp_tracer_event *e, int64_t ts)
{
	Pp__Perfetto__TrackDescriptor track =
	    PP__PERFETTO__TRACK_DESCRIPTOR__INIT;
	struct pp_pf_detail what = { .name = e->name,
		.text = e->text,
		.len = e->len };

	switch (e->what) {
	case PP_EVENT_LOG:
		pp_pf_event(pf, row->uuid, ts, SLICE_MOMENT, &what);
		return;
	case PP_EVENT_REGION:
		row_begin(pf, row, ts, what);
		return;
	case PP_EVENT_REGION_END:
		if (row->depth > 1)
			row_end(pf, row, ts, row->depth - 1);
		return;
	default:
		break;
	}
	/* The own task of a request is shown by its slices. */
	if (e->g == NULL || e->number == e->g->number)
		return;
	track.uuid = UUID_TASK + e->number;
	if (e->what == PP_EVENT_TASK) {
		track.parent_uuid = row->process;
		track.name = pp_pf_name(pf, e->name);
		pp_pf_track(pf, &track);
	}
	pp_pf_event(pf, track.uuid, ts,
	    e->what == PP_EVENT_TASK ? SLICE_BEGIN : SLICE_END, &what);
}

static void
event_begin(struct pp_perfetto *pf)
{
	Pp__Perfetto__TrackDescriptor track =
	    PP__PERFETTO__TRACK_DESCRIPTOR__INIT;
	Pp__Perfetto__CounterDescriptor counter =
	    PP__PERFETTO__COUNTER_DESCRIPTOR__INIT;

	counter.unit = UNIT_BYTES;
	track.uuid = UUID_HEAP;
	track.name = pp_pf_bytes("heap in use", 11);
	track.counter = &counter;
	pp_pf_track(pf, &track);
}

void
pp_perfetto_event(void *arg, const struct pp_tracer_event *e)
{
	struct pp_perfetto *pf = arg;
	int64_t ts = e->ts > pf->begin ? e->ts : pf->begin;
	struct pp_pf_detail heap = { .number = (int64_t)e->number };
	struct pp_pf_row *row = &pf->row[e->p % PP_TRACE_PS_MAX];

	if (pf->full || pf->failed)
		return;
	pf->last = ts;
	switch (e->what) {
	case PP_EVENT_BEGIN:
		event_begin(pf);
		break;
	case PP_EVENT_UP:
		event_up(pf, row, e);
		break;
	case PP_EVENT_START:
		row_begin(pf, row, ts, detail_of(e->g));
		break;
	case PP_EVENT_BLOCK:
		event_sleep(pf, row, e, ts);
		/* FALLTHROUGH */
	case PP_EVENT_STOP:
	case PP_EVENT_END:
	case PP_EVENT_DOWN:
		row_end(pf, row, ts, 0);
		break;
	case PP_EVENT_WAKE:
		event_wake(pf, e, ts);
		break;
	case PP_EVENT_AWAY:
	case PP_EVENT_GONE:
	case PP_EVENT_SHORT:
		event_away(pf, row, e, ts);
		break;
	case PP_EVENT_HEAP:
		pp_pf_event(pf, UUID_HEAP, ts, SLICE_NUMBER, &heap);
		break;
	case PP_EVENT_EXISTS:
	case PP_EVENT_CREATE:
	case PP_EVENT_SAMPLE:
		break;
	default:
		event_user(pf, row, e, ts);
	}
}

int
pp_perfetto_finish(struct pp_perfetto *pf, uint64_t *len)
{
	pp_pf_flush(pf);
	if (pf->failed)
		return (-1);
	return (pp_spool_take(&pf->spool, len));
}
