/*
 * Checked copies of the activities that workers have in the arena. See
 * progress.h.
 */
#include <stdlib.h>
#include <string.h>

#include "counts/waits.h"
#include "live/progress_private.h"

/* A stack is read at most so often until it is the same twice: its thread may
 * be writing it anew for another question. */
#define TRIES 3

/* The numbers of questions wrap after 2^32. */
int
pp_progress_heard(const struct pp_thread_facts *facts, uint32_t question)
{
	return ((int32_t)(atomic_load(&facts->dumped) - question) >= 0);
}

uint32_t
pp_progress_used(const struct pp_slot *from)
{
	uint32_t used = atomic_load(&from->flights.used);

	return (used < PP_FLIGHTS_MAX ? used : PP_FLIGHTS_MAX);
}

struct pp_progress_item *
pp_progress_room(struct pp_progress_list *list, int *status)
{
	struct pp_progress_item *bigger;
	uint32_t room;

	*status = 0;
	if (list->items == PP_PROGRESS_MAX) {
		list->dropped++;
		return (NULL);
	}
	if (list->items == list->room) {
		room = list->room == 0 ? 256 : 2 * list->room;
		bigger = reallocarray(list->item, room, sizeof(*bigger));
		if (bigger == NULL) {
			*status = -1;
			return (NULL);
		}
		list->item = bigger;
		list->room = room;
	}
	memset(&list->item[list->items], 0, sizeof(*list->item));
	return (&list->item[list->items]);
}

/* Nobody can rely on the writer of the path, so that each byte is checked. */
void
pp_progress_path(char path[PP_FLIGHT_PATH_MAX])
{
	char *c;

	path[PP_FLIGHT_PATH_MAX - 1] = '\0';
	for (c = path; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

/* Copy an entry, with the slot's own ids. Returns 1 if the copy is
 * consistent. */
static int
flight_copy(const struct pp_progress_reader *reader,
    const struct pp_flight *flight, struct pp_progress_item *item)
{
	struct pp_progress_list *list = reader->list;

	item->id = atomic_load_explicit(&flight->id, memory_order_acquire);
	if (item->id == 0)
		return (0);
	item->kind = atomic_load(&flight->task) != 0 ? PP_PROGRESS_TASK
						     : PP_PROGRESS_REQUEST;
	item->wait = atomic_load(&flight->state);
	item->label = atomic_load(&flight->label);
	item->stack = atomic_load(&flight->stack);
	item->started_ns = atomic_load(&flight->started_ns);
	item->since_ns = atomic_load(&flight->since_ns);
	item->bytes_in = atomic_load(&flight->bytes_in);
	item->bytes_out = atomic_load(&flight->bytes_out);
	if (item->kind == PP_PROGRESS_TASK)
		item->tid = atomic_load(&flight->tid);
	memcpy(item->path, flight->path, sizeof(item->path));
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load(&flight->id) != item->id) {
		list->changed++;
		return (0);
	}
	item->state = pp_waits_state(item->wait);
	if (item->state == NULL || item->started_ns <= 0 ||
	    item->started_ns > list->now_ns) {
		list->malformed++;
		return (0);
	}
	/* While the worker writes a new entry, since_ns may still be that of
	 * the entry before. */
	if (item->since_ns < item->started_ns)
		item->since_ns = item->started_ns;
	if (item->since_ns > list->now_ns)
		item->since_ns = list->now_ns;
	pp_progress_path(item->path);
	return (1);
}

int
pp_progress_flights(struct pp_progress_reader *reader)
{
	struct pp_progress_list *list = reader->list;
	uint32_t used = pp_progress_used(reader->from), i;
	const struct pp_flight *flight;
	struct pp_progress_item *item;
	int status;

	for (i = 0; i < used; i++) {
		flight = &reader->from->flights.flight[i];
		if (atomic_load(&flight->id) == 0)
			continue;
		if ((item = pp_progress_room(list, &status)) == NULL) {
			if (status == -1)
				return (-1);
			continue;
		}
		if (!flight_copy(reader, flight, item))
			continue;
		item->slot = reader->slot;
		item->pid = reader->pid;
		item->entry = i;
		list->items++;
	}
	return (0);
}

/* Copy the stack that the thread has written. Returns its count of frames. */
uint32_t
pp_progress_pcs(const struct pp_thread_facts *facts, uint64_t pc[PP_FRAMES_MAX])
{
	uint32_t frames, again, i, changed, tries;
	uint64_t word;

	frames = 0;
	for (tries = 0; tries < TRIES; tries++) {
		again = atomic_load(&facts->frames);
		if (again > PP_FRAMES_MAX)
			return (0);
		changed = again != frames;
		frames = again;
		for (i = 0; i < frames; i++) {
			word = atomic_load_explicit(&facts->pc[i],
			    memory_order_relaxed);
			changed |= tries == 0 || word != pc[i];
			pc[i] = word;
		}
		if (!changed)
			break;
	}
	return (frames);
}

void
pp_progress_thread(struct pp_progress_reader *reader,
    const struct pp_thread_facts *facts)
{
	struct pp_resolve *ids = &reader->list->tally->ids;
	struct pp_progress_thread *thread = &reader->thread[reader->threads];
	uint64_t pc[PP_FRAMES_MAX];
	const uint64_t *word;
	uint32_t count;

	memset(thread, 0, sizeof(*thread));
	thread->tid = atomic_load(&facts->tid);
	if (thread->tid == 0)
		return;
	reader->threads++;
	thread->started_ns = atomic_load(&facts->started_ns);
	if (thread->started_ns <= 0 ||
	    thread->started_ns > reader->list->now_ns)
		thread->started_ns = reader->list->now_ns;
	if (!pp_progress_heard(facts, reader->question)) {
		thread->state = PP_PROGRESS_SILENT;
		thread->flight = atomic_load(&reader->from->flights.running);
		reader->list->silent++;
		return;
	}
	thread->label = pp_resolve_label(ids, atomic_load(&facts->label));
	thread->flight = atomic_load(&facts->flight);
	thread->stack = pp_resolve_pcs(ids, pc, pp_progress_pcs(facts, pc));
	word = pp_stacks_get(ids->stacks, thread->stack, &count);
	thread->state = pp_progress_state(ids->resolver->canon, word, count,
	    reader->name, reader->arg);
}
