/*
 * The meaning of a record. Every number in a record is a claim: ids may be
 * unknown, transitions impossible, ends missing. What makes sense is carried
 * out by tracer_move.c, the rest is counted or does nothing.
 *
 * Rule: a record never costs more than a few lookups.
 */
#include "trace/tracer_private.h"

/* The contents of a record besides its kind. */
struct record {
	struct pp_tracer *t;
	struct pp_tracer_row *p;
	int64_t ts;
	uint32_t n;
	uint32_t m;
	const uint64_t *word; /* from word 2 on; see record_words */
};

/* The least number of words of a record of each kind; 0: there is no such
 * kind. */
static const uint8_t record_words[PP_TRACE_COUNT] = {
	[PP_TRACE_BEGIN] = 4,
	[PP_TRACE_SNAPSHOT] = 7,
	[PP_TRACE_DROPPED] = 3,
	[PP_TRACE_CREATE] = 3,
	[PP_TRACE_RUN] = 3,
	[PP_TRACE_RAN] = 3,
	[PP_TRACE_SLEEP] = 4,
	[PP_TRACE_WAKE] = 4,
	[PP_TRACE_END] = 3,
	[PP_TRACE_TASK_QUEUED] = 5,
	[PP_TRACE_TASK_RUN] = 3,
	[PP_TRACE_TASK_END] = 3,
	[PP_TRACE_POLL] = 2,
	[PP_TRACE_POLL_OUT] = 2,
	[PP_TRACE_CALL] = 2,
	[PP_TRACE_CALL_END] = 3,
	[PP_TRACE_WAIT] = 2,
	[PP_TRACE_WAIT_END] = 3,
	[PP_TRACE_INSTANT] = 3,
	[PP_TRACE_LEAVE] = 2,
	[PP_TRACE_USER_TASK] = 4,
	[PP_TRACE_USER_TASK_END] = 3,
	[PP_TRACE_USER_REGION] = 3,
	[PP_TRACE_USER_REGION_END] = 2,
	[PP_TRACE_USER_LOG] = 3,
};

static uint32_t
reason_of(uint32_t n)
{
	return (n == PP_WAIT_NONE || n >= PP_WAIT_COUNT ? PP_WAIT_SLEEP : n);
}

/* Return the G of that id. If there is none, a new one is made, which is
 * runnable. */
static struct pp_tracer_item *
g_of(const struct record *r, uint64_t id, enum pp_tracer_kind kind,
    uint32_t label, uint32_t stack)
{
	struct pp_tracer_item *g;

	if (id == 0)
		return (NULL);
	g = pp_tracer_item_find(r->t, r->p->slot, id);
	if (g != NULL)
		return (g);
	g = pp_tracer_item_new(r->t, r->p->slot, id, kind);
	if (g == NULL)
		return (NULL);
	pp_tracer_item_label(r->t, g, label);
	pp_tracer_create(r->t, r->p, g, stack);
	return (g);
}

static void
record_begin(const struct record *r)
{
	struct pp_tracer_slot *of = r->t->slot[r->p->slot];
	int32_t pid = (int32_t)(r->word[0] >> 32);
	uint32_t tid = (uint32_t)r->word[0];
	struct pp_tracer_row *p = r->p;
	struct pp_tracer_item *g;

	if (p->up && p->pid != 0 && p->pid != pid)
		pp_tracer_slot_ended(r->t, p->slot);
	/* The entry belonged to another thread, whose end was lost. */
	if (p->up && p->place != 0 && p->tid != tid)
		pp_tracer_down(r->t, p);
	if (!p->up && pp_tracer_up(r->t, p, pid, tid) == -1)
		return;
	p->pid = pid;
	p->tid = tid;
	of->pid = pid;
	p->unsure = p->now != p->base;
	if (p->place == 0 || r->word[1] == 0)
		return;
	g = g_of(r, r->word[1], r->n == 1 ? PP_TRACER_TASK : PP_TRACER_REQUEST,
	    r->m, 0);
	if (g == NULL)
		return;
	if (g != p->now) {
		if (p->now != p->base)
			pp_tracer_leave(r->t, p, PP_TRACER_ENDS);
		g->run = 1;
		pp_tracer_enter(r->t, p, g);
	}
	p->unsure = 0;
}

static void
record_snapshot(const struct record *r)
{
	uint32_t wait = r->n & 0x7fff;
	enum pp_tracer_kind kind =
	    r->n >> 15 != 0 ? PP_TRACER_TASK : PP_TRACER_REQUEST;
	struct pp_tracer_row *p = r->p;
	struct pp_tracer_item *g, *request;
	uint32_t stack = (uint32_t)r->word[1];

	g = pp_tracer_item_find(r->t, p->slot, r->word[0]);
	if (g == NULL) {
		g = g_of(r, r->word[0], kind, r->m, stack);
		if (g == NULL)
			return;
		g->run = 1;
		request = pp_tracer_item_find(r->t, p->slot, r->word[3]);
		if (kind == PP_TRACER_TASK && request != NULL)
			g->pub.parent = request->pub.number;
		if (kind == PP_TRACER_TASK)
			pp_tracer_snapshot_task(r->t, p, g,
			    (uint32_t)r->word[4]);
	}
	g->sleep = reason_of(wait);
	g->sleep_stack = stack;
	if (wait == PP_WAIT_NONE || kind == PP_TRACER_TASK) {
		if (g == p->now)
			p->unsure = 0;
		return;
	}
	if (g == p->now)
		pp_tracer_leave(r->t, p, PP_TRACER_SLEEPS);
	else if (g->pub.state == PP_TRACER_RUNNABLE)
		pp_tracer_pass(r->t, p, g, PP_TRACER_SLEEPS);
	p->unsure = p->unsure && g != p->now && p->now != p->base;
}

static void
record_dropped(const struct record *r)
{
	pp_tracer_log_format(r->t, r->p, r->t->name_lost,
	    "%llu events of this thread, the ring was full",
	    (unsigned long long)r->word[0]);
	pp_tracer_swept(r->t, r->p->slot);
}

static void
record_run(const struct record *r, enum pp_tracer_kind kind)
{
	struct pp_tracer_item *g = g_of(r, r->word[0], kind, r->m, 0);
	struct pp_tracer_row *p = r->p;

	if (g == NULL || g == p->now)
		return;
	if (p->now != p->base) /* its RAN was lost */
		pp_tracer_leave(r->t, p, PP_TRACER_AGAIN);
	pp_tracer_item_label(r->t, g, r->m);
	pp_tracer_enter(r->t, p, g);
}

static void
record_ran(const struct record *r, int ended)
{
	struct pp_tracer_row *p = r->p;
	struct pp_tracer_item *g = p->now;

	if (g == p->base || g->id != r->word[0])
		return;
	pp_tracer_leave(r->t, p,
	    ended		? PP_TRACER_ENDS
		: g->sleep != 0 ? PP_TRACER_SLEEPS
				: PP_TRACER_AGAIN);
}

static void
record_sleep(const struct record *r)
{
	struct pp_tracer_item *g = g_of(r, r->word[0], PP_TRACER_REQUEST, 0, 0);

	if (g == NULL)
		return;
	if (g->pub.state == PP_TRACER_BLOCKED)
		return;
	g->sleep = reason_of(r->n);
	g->sleep_stack = (uint32_t)r->word[1];
	if (g->pub.state == PP_TRACER_RUNNABLE)
		pp_tracer_pass(r->t, r->p, g, PP_TRACER_SLEEPS);
}

static void
record_wake(const struct record *r)
{
	struct pp_tracer_item *g = g_of(r, r->word[0], PP_TRACER_REQUEST, 0, 0);

	if (g == NULL)
		return;
	if (g->pub.state == PP_TRACER_RUNNING)
		g->sleep = 0;
	else
		pp_tracer_wake(r->t, r->p, g, (uint32_t)r->word[1]);
}

static void
record_end(const struct record *r)
{
	struct pp_tracer_item *g =
	    pp_tracer_item_find(r->t, r->p->slot, r->word[0]);

	if (g == NULL || r->word[0] == 0)
		return;
	if (g == r->p->now)
		pp_tracer_leave(r->t, r->p, PP_TRACER_ENDS);
	else
		pp_tracer_pass(r->t, r->p, g, PP_TRACER_ENDS);
}

static void
record_queued(const struct record *r)
{
	struct pp_tracer_item *g, *request;

	g = g_of(r, r->word[0], PP_TRACER_TASK, r->m, (uint32_t)r->word[2]);
	request = pp_tracer_item_find(r->t, r->p->slot, r->word[1]);
	if (g != NULL && request != NULL && r->word[1] != 0)
		g->pub.parent = request->pub.number;
}

/* Log the number of an instant as it is. The instant's name says what the
 * number means. */
static void
record_instant(const struct record *r)
{
	if (r->n >= PP_TRACE_INSTANT_COUNT)
		r->t->malformed++;
	else if (!r->t->instant_has_number[r->n])
		pp_tracer_log(r->t, r->p, 0, r->t->name_instant[r->n], "", 0);
	else
		pp_tracer_log_format(r->t, r->p, r->t->name_instant[r->n],
		    "%llu", (unsigned long long)r->word[0]);
}

/* The thread goes away, until a record says that it is back. */
static void
record_away(const struct record *r, enum pp_tracer_how how, uint32_t count)
{
	if (r->n >= count) {
		r->t->malformed++;
		return;
	}
	pp_tracer_away(r->p, how, r->n);
}

static void
record_act(const struct record *r, enum pp_trace_kind kind)
{
	switch (kind) {
	case PP_TRACE_DROPPED:
		record_dropped(r);
		break;
	case PP_TRACE_CREATE:
		/* A request without a label has no name yet: its RUN creates
		 * it. */
		if (r->m != 0)
			(void)g_of(r, r->word[0], PP_TRACER_REQUEST, r->m, 0);
		break;
	case PP_TRACE_RUN:
		record_run(r, PP_TRACER_REQUEST);
		break;
	case PP_TRACE_TASK_RUN:
		record_run(r, PP_TRACER_TASK);
		break;
	case PP_TRACE_RAN:
		record_ran(r, r->n == 1);
		break;
	case PP_TRACE_TASK_END:
		record_ran(r, 1);
		break;
	case PP_TRACE_SLEEP:
		record_sleep(r);
		break;
	case PP_TRACE_WAKE:
		record_wake(r);
		break;
	case PP_TRACE_END:
		record_end(r);
		break;
	case PP_TRACE_TASK_QUEUED:
		record_queued(r);
		break;
	case PP_TRACE_POLL:
		pp_tracer_away(r->p, PP_TRACER_HOW_POLL, 0);
		break;
	case PP_TRACE_CALL:
		record_away(r, PP_TRACER_HOW_CALL, PP_CALL_COUNT);
		break;
	case PP_TRACE_WAIT:
		record_away(r, PP_TRACER_HOW_WAIT, PP_WAIT_COUNT);
		break;
	case PP_TRACE_INSTANT:
		record_instant(r);
		break;
	default: /* an end without its begin */
		break;
	}
}

/* Return the stack of the call or wait that the record ends; 0: it ends
 * none. */
static uint32_t
back_stack(const struct record *r, enum pp_trace_kind kind)
{
	if ((kind == PP_TRACE_CALL_END && r->p->how == PP_TRACER_HOW_CALL) ||
	    (kind == PP_TRACE_WAIT_END && r->p->how == PP_TRACER_HOW_WAIT))
		return ((uint32_t)r->word[0]);
	return (0);
}

void
pp_tracer_record(struct pp_tracer *t, uint32_t slot, uint32_t place,
    const uint64_t *record, uint32_t words)
{
	enum pp_trace_kind kind = (enum pp_trace_kind)(record[0] >> 8 & 0xff);
	struct record r = { .t = t };

	if (kind >= PP_TRACE_COUNT || record_words[kind] == 0 ||
	    words < record_words[kind]) {
		t->malformed++;
		return;
	}
	r.p = pp_tracer_row_at(t, slot, place);
	if (r.p == NULL)
		return;
	r.ts = record[1] > (uint64_t)t->now ? t->now : (int64_t)record[1];
	r.n = (uint32_t)(record[0] >> 16 & 0xffff);
	r.m = (uint32_t)(record[0] >> 32);
	r.word = record + 2;
	if (r.p->snapshot) {
		pp_tracer_seen(t, r.p);
		r.p->snapshot = 0;
	}
	if (r.p->up && r.p->how != PP_TRACER_HOW_NOT)
		pp_tracer_back(t, r.p, r.ts, back_stack(&r, kind));
	pp_tracer_at(t, r.p, r.p->now, r.ts);
	if (kind == PP_TRACE_BEGIN) {
		record_begin(&r);
		return;
	}
	if (kind == PP_TRACE_LEAVE) {
		pp_tracer_down(t, r.p);
		return;
	}
	if (!r.p->up && pp_tracer_up(t, r.p, 0, 0) == -1)
		return;
	if (kind == PP_TRACE_SNAPSHOT) {
		record_snapshot(&r);
		return;
	}
	if (r.p->unsure) {
		r.p->unsure = 0;
		/* If a task began when recording began, it is known by now. */
		if (kind != PP_TRACE_TASK_RUN || r.p->now->id != record[2])
			pp_tracer_leave(t, r.p, PP_TRACER_ENDS);
	}
	if (kind >= PP_TRACE_USER_TASK)
		pp_tracer_user(t, r.p, record, words);
	else
		record_act(&r, kind);
}
