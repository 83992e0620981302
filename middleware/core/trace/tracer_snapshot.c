/*
 * What is there when recording begins. What runs is read from the slots'
 * tables, since a busy or waiting thread writes no record before its work or
 * wait is over. Whether it runs or waits is written by the thread itself in the
 * handler of the signal by which recording begins (pp_thread_seen()).
 *
 * Rule: a name and the fact that something runs are all that is believed here,
 * since neither does harm if it is wrong.
 */
#include <string.h>

#include "trace/tracer_private.h"

/* A request or task as it was at one moment. */
struct found {
	uint64_t id;
	uint32_t task, label, tid;
	int64_t started_ns;
	char path[PP_INFLIGHT_PATH_MAX];
};

static int
snapshot_read(const struct pp_inflight *inflight, struct found *out)
{
	out->id = atomic_load_explicit(&inflight->id, memory_order_acquire);
	if (out->id == 0)
		return (0);
	out->task = atomic_load(&inflight->task);
	out->label = atomic_load(&inflight->label);
	out->tid = atomic_load(&inflight->tid);
	out->started_ns = atomic_load(&inflight->started_ns);
	memcpy(out->path, inflight->path, sizeof(out->path));
	atomic_thread_fence(memory_order_acquire);
	return (atomic_load(&inflight->id) == out->id);
}

static void
snapshot_path(struct pp_tracer *t, struct pp_tracer_row *p,
    const struct found *found)
{
	uint32_t i;

	p->since_ns = found->started_ns;
	if (p->since_ns < 0 || p->since_ns > t->now)
		p->since_ns = t->now;
	memcpy(p->path, found->path, sizeof(p->path));
	p->path[sizeof(p->path) - 1] = '\0';
	for (i = 0; p->path[i] != '\0'; i++) {
		if (p->path[i] < ' ' || p->path[i] > '~')
			p->path[i] = '?';
	}
}

/* Let g run on p, although the thread itself has not said yet whether it still
 * runs g. */
static void
snapshot_runs(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g)
{
	g->run = 1;
	pp_tracer_enter(t, p, g);
	p->unsure = 1;
}

static struct pp_tracer_item *
snapshot_item(struct pp_tracer *t, struct pp_tracer_row *p,
    const struct found *found)
{
	struct pp_tracer_item *g;

	g = pp_tracer_item_new(t, p->slot, found->id,
	    found->task ? PP_TRACER_TASK : PP_TRACER_REQUEST);
	if (g == NULL)
		return (NULL);
	pp_tracer_item_label(t, g, found->label);
	pp_tracer_create(t, p, g, 0);
	return (g);
}

/* Return the P of the thread, up and without a request or task; NULL: there is
 * none. */
static struct pp_tracer_row *
snapshot_row(struct pp_tracer *t, const struct pp_tracer_row *by, uint32_t tid)
{
	const struct pp_slot *from = &t->arena->slot[by->slot];
	uint32_t used = atomic_load(&from->threads_used), place = 1;
	struct pp_tracer_row *p;

	while (place < used && place < PP_THREADS_MAX &&
	    atomic_load(&from->thread[place].tid) != tid)
		place++;
	if (tid == 0 || place >= used || place >= PP_THREADS_MAX ||
	    (p = pp_tracer_row_at(t, by->slot, place)) == NULL)
		return (NULL);
	pp_tracer_at(t, p, NULL, by->ts);
	if (!p->up && pp_tracer_up(t, p, by->pid, tid) == -1)
		return (NULL);
	return (p->now == p->base && p->how == PP_TRACER_HOW_NOT ? p : NULL);
}

void
pp_tracer_snapshot_task(struct pp_tracer *t, const struct pp_tracer_row *by,
    struct pp_tracer_item *g, uint32_t tid)
{
	struct pp_tracer_row *p = snapshot_row(t, by, tid);

	if (p != NULL)
		snapshot_runs(t, p, g);
}

/* Read the requests and tasks that run in a slot: a worker that is stuck in a
 * handler, and a thread that is busy with a task, write no record before the
 * end. */
static void
snapshot_slot(struct pp_tracer *t, struct pp_tracer_row *loop)
{
	const struct pp_inflights *inflights =
	    &t->arena->slot[loop->slot].inflights;
	uint32_t used = atomic_load(&inflights->used), i;
	uint64_t running = atomic_load(&inflights->running);
	struct pp_tracer_row *p;
	struct pp_tracer_item *g;
	struct found found;

	for (i = 0; i < used && i < PP_INFLIGHT_MAX; i++) {
		if (!snapshot_read(&inflights->inflight[i], &found) ||
		    pp_tracer_item_find(t, loop->slot, found.id) != NULL)
			continue;
		p = found.task ? snapshot_row(t, loop, found.tid) : loop;
		if (p == NULL || (!found.task && found.id != running) ||
		    (g = snapshot_item(t, p, &found)) == NULL)
			continue;
		snapshot_runs(t, p, g);
		snapshot_path(t, p, &found);
		p->snapshot = 1;
	}
}

void
pp_tracer_snapshot(struct pp_tracer *t)
{
	struct pp_tracer_row *p;
	uint32_t slot;
	int32_t pid;

	for (slot = 1; slot < t->slots; slot++) {
		pid = atomic_load(&t->arena->slot[slot].life.pid);
		if (pid <= 0 || (p = pp_tracer_row_at(t, slot, 0)) == NULL)
			continue;
		p->ts = t->now;
		t->slot[slot]->pid = pid;
		if (pp_tracer_up(t, p, pid, (uint32_t)pid) == -1)
			continue;
		snapshot_slot(t, p);
		if (p->now == p->base)
			pp_tracer_away(p, PP_TRACER_HOW_POLL, 0);
	}
}

void
pp_tracer_seen(struct pp_tracer *t, struct pp_tracer_row *p)
{
	const struct pp_thread_facts *facts =
	    &t->arena->slot[p->slot].thread[p->place];

	if (!p->snapshot ||
	    atomic_load_explicit(&facts->traced, memory_order_acquire) !=
		t->turn)
		return;
	p->snapshot = 0;
	if (atomic_load(&facts->traced_inflight) == p->now->id) {
		p->seen = atomic_load(&facts->traced_stack);
		if (atomic_load(&facts->traced_call) != 0)
			pp_tracer_away(p, PP_TRACER_HOW_CALL, PP_CALL_COUNT);
	} else if (p->place != 0) {
		/* The task had ended before the signal came. */
		p->unsure = 0;
		pp_tracer_leave(t, p, PP_TRACER_ENDS);
	}
}
