/*
 * Tasks, regions and logs of the application. A region belongs to the G that
 * runs when the region begins, and ends with it. Not their store: tracer_open.c
 * has that.
 *
 * Rule: the number of open tasks and regions is bounded. One that finds no room
 * is counted, and readers see neither its begin nor its end.
 */
#include <string.h>

#include "base/mix.h"
#include "trace/tracer_private.h"

#define BUCKETS (sizeof(((struct pp_tracer *)0)->tasks) / sizeof(uint32_t))

/* Return the link that has the number of the task's entry; the link is 0 if
 * there is no such task. */
static uint32_t *
task_at(struct pp_tracer *t, uint64_t id)
{
	uint32_t *at = &t->tasks[(pp_mix(0, id) >> 20) % BUCKETS];

	while (*at != 0 && t->open[*at - 1].id != id)
		at = &t->open[*at - 1].next;
	return (at);
}

/* Return the number, in the formats, of a task of the application; without an
 * id, that of the request's own task. */
static uint64_t
task_number(struct pp_tracer *t, const struct pp_tracer_row *p, uint64_t id)
{
	uint32_t at;

	if (id != 0 && (at = *task_at(t, id)) != 0)
		return (t->open[at - 1].number);
	return (p->now->task ? p->now->pub.number : 0);
}

/* Copy out a text of the record, at word `at`, with bytes that may be shown. */
static uint32_t
user_text(const uint64_t *record, uint32_t words, uint32_t at, uint32_t len,
    char text[PP_TRACE_TEXT_MAX + 1])
{
	uint32_t room = at < words ? (words - at) * 8 : 0, i;

	if (len > room)
		len = room;
	if (len > PP_TRACE_TEXT_MAX)
		len = PP_TRACE_TEXT_MAX;
	memcpy(text, record + at, len);
	for (i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = ' ';
	}
	text[len] = '\0';
	return (len);
}

static void
user_emit(struct pp_tracer *t, struct pp_tracer_row *p,
    enum pp_tracer_what what, const struct pp_tracer_open *open,
    uint64_t parent)
{
	struct pp_tracer_event event;

	memset(&event, 0, sizeof(event));
	event.what = what;
	event.g = &p->now->pub;
	event.number = open->number;
	event.parent = parent;
	event.name = open->name;
	event.stack.entry = p->now->pub.entry;
	pp_tracer_emit(t, p, &event);
}

static void
user_task(struct pp_tracer *t, struct pp_tracer_row *p, uint64_t id,
    uint64_t parent, const char *name)
{
	struct pp_tracer_open *open;
	uint32_t *link = task_at(t, id), at;

	if (id == 0 || *link != 0 || (at = pp_tracer_open_take(t)) == 0)
		return;
	open = &t->open[at - 1];
	parent = task_number(t, p, parent);
	open->id = id;
	open->number = ++t->numbers;
	open->name = pp_tracer_intern(t, name);
	open->next = 0;
	*link = at;
	user_emit(t, p, PP_EVENT_TASK, open, parent);
}

static void
user_task_end(struct pp_tracer *t, struct pp_tracer_row *p, uint64_t id)
{
	uint32_t *link = task_at(t, id), at = *link;

	if (at == 0)
		return;
	user_emit(t, p, PP_EVENT_TASK_END, &t->open[at - 1], 0);
	*link = t->open[at - 1].next;
	pp_tracer_open_give(t, at);
}

static void
user_region(struct pp_tracer *t, struct pp_tracer_row *p, uint64_t task,
    const char *name)
{
	struct pp_tracer_item *g = p->now;
	struct pp_tracer_open *open;
	uint32_t at;

	if (g->regions_over > 0 || (at = pp_tracer_open_take(t)) == 0) {
		g->regions_over++;
		return;
	}
	open = &t->open[at - 1];
	open->id = 0;
	open->number = task_number(t, p, task);
	open->name = pp_tracer_intern(t, name);
	open->next = g->regions;
	g->regions = at;
	user_emit(t, p, PP_EVENT_REGION, open, 0);
}

static void
user_region_end(struct pp_tracer *t, struct pp_tracer_row *p)
{
	struct pp_tracer_item *g = p->now;
	uint32_t at = g->regions;

	if (g->regions_over > 0) {
		g->regions_over--;
		return;
	}
	if (at == 0) /* begun before the trace */
		return;
	user_emit(t, p, PP_EVENT_REGION_END, &t->open[at - 1], 0);
	g->regions = t->open[at - 1].next;
	pp_tracer_open_give(t, at);
}

void
pp_tracer_user(struct pp_tracer *t, struct pp_tracer_row *p,
    const uint64_t *record, uint32_t words)
{
	uint32_t n = (uint32_t)(record[0] >> 16 & 0xffff);
	uint32_t m = (uint32_t)(record[0] >> 32), len;
	char text[PP_TRACE_TEXT_MAX + 1], message[PP_TRACE_TEXT_MAX + 1];

	switch (record[0] >> 8 & 0xff) {
	case PP_TRACE_USER_TASK:
		user_text(record, words, 4, n, text);
		user_task(t, p, record[2], record[3], text);
		break;
	case PP_TRACE_USER_TASK_END:
		user_task_end(t, p, record[2]);
		break;
	case PP_TRACE_USER_REGION:
		user_text(record, words, 3, n, text);
		user_region(t, p, record[2], text);
		break;
	case PP_TRACE_USER_REGION_END:
		user_region_end(t, p);
		break;
	default:
		user_text(record, words, 3, n, text);
		len = user_text(record, words, 3 + (n + 7) / 8, m, message);
		pp_tracer_log(t, p, task_number(t, p, record[2]),
		    pp_tracer_intern(t, text), message, len);
	}
}
