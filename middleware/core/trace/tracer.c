/*
 * Sessions, the control word and the draining of the rings. The meaning of a
 * record is decided in tracer_record.c.
 *
 * Rule: the work of one call is bounded by the rings' sizes, whatever is in
 * them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "merge/wake.h"
#include "trace/tracer_private.h"

/* The time between two drains: at full rate a fifteenth of a loop's ring is
 * full then. */
#define DRAIN_NS (20 * PP_NS_PER_MS)

/* The time between two numbers of the heap's line. */
#define HEAP_NS (100 * PP_NS_PER_MS)

struct pp_tracer *
pp_tracer_new(struct pp_arena *arena, uint32_t slots,
    struct pp_address_map *map)
{
	struct pp_tracer *t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		return (NULL);
	t->arena = arena;
	t->slots = slots;
	t->parent_pid = arena->parent_pid;
	t->map = map;
	LIST_INIT(&t->sessions);
	t->slot = calloc(slots, sizeof(struct pp_tracer_slot *));
	if (t->slot == NULL) {
		free(t);
		return (NULL);
	}
	/* Begin with a number that no worker remembers. */
	t->turn = (uint32_t)pp_clock_mono();
	if (atomic_exchange(&arena->control.trace, 0) != 0)
		pp_wake_all(arena, slots, t->parent_pid);
	return (t);
}

/* Ask all workers to record, or not to; any of them may have written over the
 * word. */
static void
tracer_ask(struct pp_tracer *t)
{
	uint32_t wanted = t->running > 0 ? t->turn : 0;

	if (atomic_exchange(&t->arena->control.trace, wanted) != wanted)
		pp_wake_all(t->arena, t->slots, t->parent_pid);
}

/* After the last session, give back what only sessions need. */
static void
tracer_release(struct pp_tracer *t)
{
	uint32_t i;

	pp_tracer_gs_free(t);
	pp_tracer_names_free(t);
	free(t->open);
	t->open = NULL;
	t->open_used = t->open_free = 0;
	memset(t->tasks, 0, sizeof(t->tasks));
	for (i = 0; i < t->slots; i++) {
		if (t->slot[i] == NULL)
			continue;
		pp_maps_free(&t->slot[i]->maps);
		pp_labels_forget(&t->slot[i]->labels);
		free(t->slot[i]->stack);
		free(t->slot[i]);
		t->slot[i] = NULL;
	}
	t->numbers = 0;
}

void
pp_tracer_free(struct pp_tracer *t)
{
	if (t == NULL)
		return;
	while (!LIST_EMPTY(&t->sessions))
		pp_tracer_end(LIST_FIRST(&t->sessions));
	tracer_release(t);
	free(t->slot);
	free(t);
}

/* Make a worker look at the control word. */
static void
tracer_signal(struct pp_tracer *t, uint32_t slot)
{
	struct pp_tracer_slot *of = pp_tracer_slot_at(t, slot);

	if (of != NULL)
		of->generation =
		    atomic_load(&t->arena->slot[slot].life.generation);
	pp_wake_slot(t->arena, slot, t->parent_pid);
}

/* Take what the thread of that entry has written, at most one lap. */
static void
drain_place(struct pp_tracer *t, uint32_t slot, uint32_t place,
    uint64_t reached)
{
	uint64_t record[PP_TRACE_RECORD_MAX];
	struct pp_slot *from = &t->arena->slot[slot];
	uint32_t size, words = 0;
	int count;

	(void)pp_trace_words(from, place, &size);
	while (words < size) {
		count = pp_record_take(from, place, reached, record);
		if (count == 0)
			return;
		if (count < 0) {
			pp_slot_lose(from, PP_LOSS_RINGS_REPAIRED, 1);
			t->missed++;
			return;
		}
		words += (uint32_t)count;
		pp_tracer_record(t, slot, place, record, (uint32_t)count);
	}
}

/* The heads of the threads are read before the loop's: the cause of what a
 * thread does is in the loop's ring. */
static void
drain_slot(struct pp_tracer *t, uint32_t slot)
{
	struct pp_slot *from = &t->arena->slot[slot];
	uint64_t reached[PP_THREADS_MAX];
	uint32_t places, place;
	struct pp_tracer_slot *of = t->slot[slot];

	places = atomic_load(&from->threads_used);
	if (places > PP_THREADS_MAX)
		places = PP_THREADS_MAX;
	if (of != NULL) {
		(void)pp_maps_follow(&of->maps, &from->objects, t->map);
		of->maps.spare = 1;
	}
	for (place = 1; place < places; place++)
		reached[place] = pp_record_reached(from, place);
	reached[0] = pp_record_reached(from, 0);
	t->now = pp_clock_mono();
	drain_place(t, slot, 0, reached[0]);
	for (place = 1; place < places; place++)
		drain_place(t, slot, place, reached[place]);
}

static void
tracer_drain(struct pp_tracer *t)
{
	struct pp_tracer_slot *of;
	uint32_t slot, i;
	int swept;

	for (i = 0; i < t->ps_used; i++)
		pp_tracer_seen(t, t->ps[i]);
	for (slot = 1; slot < t->slots; slot++) {
		of = t->slot[slot];
		swept = of != NULL && of->sweep_ns != 0 &&
		    pp_clock_mono() >= of->sweep_ns;
		if (swept)
			pp_tracer_sweep_mark(t, slot);
		drain_slot(t, slot);
		if (swept)
			pp_tracer_sweep(t, slot);
	}
}

/* Notice that a worker has died or was started. */
static void
tracer_follow(struct pp_tracer *t, uint32_t slot)
{
	const struct pp_life *life = &t->arena->slot[slot].life;
	struct pp_tracer_slot *of = t->slot[slot];
	int32_t pid = atomic_load(&life->pid);

	if (of != NULL && of->pid != 0 && of->pid != pid) {
		pp_tracer_slot_ended(t, slot);
		of->pid = pid;
	}
	/* A worker that was signalled after it read the control word, and
	 * before it knew its threads, has missed the signal, so that each new
	 * generation is signalled. */
	if (of == NULL || of->generation != atomic_load(&life->generation))
		tracer_signal(t, slot);
}

int64_t
pp_tracer_tick(struct pp_tracer *t, int64_t now)
{
	uint32_t slot;

	tracer_ask(t);
	if (t->running == 0)
		return (INT64_MAX);
	tracer_drain(t);
	for (slot = 1; slot < t->slots; slot++)
		tracer_follow(t, slot);
	return (now + DRAIN_NS);
}

int64_t
pp_tracer_heap_due(const struct pp_tracer *t)
{
	return (t->running == 0 ? INT64_MAX : t->heap_ns + HEAP_NS);
}

void
pp_tracer_heap(struct pp_tracer *t, uint64_t bytes)
{
	t->heap = bytes;
	t->heap_ns = pp_clock_mono();
	t->heap_due = 1;
}

static int
tracer_start(struct pp_tracer *t)
{
	uint32_t slot, place;

	t->open = calloc(PP_TRACE_OPEN_MAX, sizeof(*t->open));
	if (t->open == NULL || pp_tracer_gs_new(t) == -1 ||
	    pp_tracer_names_new(t) == -1)
		return (-1);
	for (slot = 1; slot < t->slots; slot++) {
		for (place = 0; place < PP_THREADS_MAX; place++)
			pp_record_skip(&t->arena->slot[slot], place);
	}
	t->now = pp_clock_mono();
	pp_tracer_snapshot(t);
	if (++t->turn == 0)
		t->turn = 1;
	atomic_store(&t->arena->control.trace, t->turn);
	for (slot = 1; slot < t->slots; slot++)
		tracer_signal(t, slot);
	return (0);
}

struct pp_tracer_session *
pp_tracer_begin(struct pp_tracer *t, pp_tracer_reader *reader, void *arg)
{
	struct pp_tracer_session *session;

	if (t->running >= PP_TRACES_MAX) {
		errno = EAGAIN;
		return (NULL);
	}
	session = calloc(1, sizeof(*session));
	if (session == NULL || (t->running == 0 && tracer_start(t) == -1)) {
		if (t->running == 0)
			tracer_release(t);
		free(session);
		errno = ENOMEM;
		return (NULL);
	}
	if (t->running > 0)
		tracer_drain(t);
	session->tracer = t;
	session->reader = reader;
	session->arg = arg;
	session->lost = pp_tracer_losses(t);
	pp_tracer_show(session);
	LIST_INSERT_HEAD(&t->sessions, session, list);
	t->running++;
	return (session);
}

void
pp_tracer_stop(struct pp_tracer_session *session)
{
	tracer_drain(session->tracer);
	pp_tracer_close(session);
	session->stopped = 1;
}

void
pp_tracer_end(struct pp_tracer_session *session)
{
	struct pp_tracer *t = session->tracer;

	LIST_REMOVE(session, list);
	free(session);
	if (--t->running > 0)
		return;
	tracer_ask(t);
	tracer_release(t);
}
