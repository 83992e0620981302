/*
 * Checked copies of the activities that workers have in the arena. See
 * activity.h.
 */
#include <stdlib.h>
#include <string.h>

#include "counts/waits.h"
#include "live/activity_private.h"

/* A stack is read at most so often until it is the same twice: its thread may
 * be writing it anew for another question. */
#define TRIES 3

/* The numbers of questions wrap after 2^32. */
int
pp_activity_heard(const struct pp_thread_facts *facts, uint32_t question)
{
	return ((int32_t)(atomic_load(&facts->dumped) - question) >= 0);
}

uint32_t
pp_activity_used(const struct pp_slot *from)
{
	uint32_t used = atomic_load(&from->inflights.used);

	return (used < PP_INFLIGHT_MAX ? used : PP_INFLIGHT_MAX);
}

struct pp_activity_item *
pp_activity_room(struct pp_activity_list *list, int *status)
{
	struct pp_activity_item *bigger;
	uint32_t room;

	*status = 0;
	if (list->items == PP_ACTIVITY_MAX) {
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
pp_activity_path(char path[PP_INFLIGHT_PATH_MAX])
{
	char *c;

	path[PP_INFLIGHT_PATH_MAX - 1] = '\0';
	for (c = path; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

/* Copy an entry, with the slot's own ids. Returns 1 if the copy is
 * consistent. */
static int
inflight_copy(const struct pp_activity_reader *reader,
    const struct pp_inflight *inflight, struct pp_activity_item *item)
{
	struct pp_activity_list *list = reader->list;

	item->id = atomic_load_explicit(&inflight->id, memory_order_acquire);
	if (item->id == 0)
		return (0);
	item->kind = atomic_load(&inflight->task) != 0 ? PP_ACTIVITY_TASK
						       : PP_ACTIVITY_REQUEST;
	item->wait = atomic_load(&inflight->state);
	item->label = atomic_load(&inflight->label);
	item->stack = atomic_load(&inflight->stack);
	item->started_ns = atomic_load(&inflight->started_ns);
	item->since_ns = atomic_load(&inflight->since_ns);
	item->bytes_in = atomic_load(&inflight->bytes_in);
	item->bytes_out = atomic_load(&inflight->bytes_out);
	if (item->kind == PP_ACTIVITY_TASK)
		item->tid = atomic_load(&inflight->tid);
	memcpy(item->path, inflight->path, sizeof(item->path));
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load(&inflight->id) != item->id) {
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
	pp_activity_path(item->path);
	return (1);
}

int
pp_activity_inflight(struct pp_activity_reader *reader)
{
	struct pp_activity_list *list = reader->list;
	uint32_t used = pp_activity_used(reader->from), i;
	const struct pp_inflight *inflight;
	struct pp_activity_item *item;
	int status;

	for (i = 0; i < used; i++) {
		inflight = &reader->from->inflights.inflight[i];
		if (atomic_load(&inflight->id) == 0)
			continue;
		if ((item = pp_activity_room(list, &status)) == NULL) {
			if (status == -1)
				return (-1);
			continue;
		}
		if (!inflight_copy(reader, inflight, item))
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
pp_activity_pcs(const struct pp_thread_facts *facts, uint64_t pc[PP_FRAMES_MAX])
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
pp_activity_thread(struct pp_activity_reader *reader,
    const struct pp_thread_facts *facts)
{
	struct pp_resolve *ids = &reader->list->aggregate->ids;
	struct pp_activity_thread *thread = &reader->thread[reader->threads];
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
	if (!pp_activity_heard(facts, reader->question)) {
		thread->state = PP_ACTIVITY_SILENT;
		thread->inflight =
		    atomic_load(&reader->from->inflights.running);
		reader->list->silent++;
		return;
	}
	thread->label = pp_resolve_label(ids, atomic_load(&facts->label));
	thread->inflight = atomic_load(&facts->inflight);
	thread->stack = pp_resolve_pcs(ids, pc, pp_activity_pcs(facts, pc));
	word = pp_stacks_get(ids->stacks, thread->stack, &count);
	thread->state = pp_activity_state(ids->resolver->map, word, count,
	    reader->name, reader->arg);
}
