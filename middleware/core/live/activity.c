/*
 * Asks the threads, and puts together what was read: which activity runs on
 * which thread. See activity.h. Copies are made in activity_copy.c, profiles in
 * activity_profile.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "live/activity_private.h"
#include "merge/wake.h"
#include "counts/waits.h"
#include "store/waits.h"

/* No thread id is used again within a second; Linux gives out at most so
 * many. */
#define TID_BITS 22

/* Return the next number, which is later than the questions to all and to one
 * thread; 0 is left out: it means "never asked". */
static uint32_t
activity_question(const struct pp_control *control)
{
	uint32_t all = atomic_load(&control->dump);
	uint32_t one = atomic_load(&control->dump_one);
	uint32_t question = ((int32_t)(one - all) > 0 ? one : all) + 1;

	return (question != 0 ? question : 1);
}

uint32_t
pp_activity_ask(const struct pp_resolver *resolver, int32_t parent)
{
	struct pp_control *control = &resolver->arena->control;
	uint32_t question = activity_question(control);

	atomic_store(&control->dump, question);
	pp_wake_all(resolver->arena, resolver->slots, parent);
	return (question);
}

uint32_t
pp_activity_ask_thread(const struct pp_resolver *resolver, int32_t parent,
    uint32_t slot, int32_t tid)
{
	struct pp_control *control = &resolver->arena->control;
	uint32_t question = activity_question(control);

	atomic_store(&control->dump_one, question);
	pp_wake_thread(resolver->arena, slot, parent, tid);
	return (question);
}

int
pp_activity_answered(const struct pp_resolver *resolver, uint32_t question)
{
	const struct pp_slot *from;
	uint32_t slot, i;

	for (slot = 1; slot < resolver->slots; slot++) {
		from = &resolver->arena->slot[slot];
		if (atomic_load(&from->life.pid) <= 0)
			continue;
		for (i = 0; i < PP_THREADS_MAX; i++) {
			if (atomic_load(&from->thread[i].tid) != 0 &&
			    !pp_activity_heard(&from->thread[i], question))
				return (0);
		}
	}
	return (1);
}

uint64_t
pp_activity_count(const struct pp_resolver *resolver)
{
	const struct pp_slot *from;
	uint64_t count = 0;
	uint32_t slot, i, used;

	for (slot = 1; slot < resolver->slots; slot++) {
		from = &resolver->arena->slot[slot];
		if (atomic_load(&from->life.pid) <= 0)
			continue;
		/* The request of entry 0 runs on a thread, which is counted
		 * below. */
		used = pp_activity_used(from);
		for (i = 1; i < used; i++)
			count +=
			    atomic_load(&from->inflights.inflight[i].id) != 0;
		for (i = 0; i < PP_THREADS_MAX; i++)
			count += atomic_load(&from->thread[i].tid) != 0;
	}
	return (count);
}

uint32_t
pp_activity_requests(const struct pp_resolver *resolver, uint32_t slot)
{
	const struct pp_slot *from = &resolver->arena->slot[slot];
	uint32_t i, used, count = 0;

	used = pp_activity_used(from);
	for (i = 0; i < used; i++)
		count += atomic_load(&from->inflights.inflight[i].id) != 0 &&
		    atomic_load(&from->inflights.inflight[i].task) == 0;
	return (count);
}

static int
compare_tid(const void *a, const void *b)
{
	const struct pp_activity_thread *left = a, *right = b;

	return ((left->tid > right->tid) - (left->tid < right->tid));
}

static struct pp_activity_thread *
thread_find(struct pp_activity_reader *reader, uint32_t tid)
{
	struct pp_activity_thread wanted = { .tid = tid };

	return (bsearch(&wanted, reader->thread, reader->threads,
	    sizeof(wanted), compare_tid));
}

/* Join an item and the thread that runs it. */
static void
item_on_thread(struct pp_activity_item *item, struct pp_activity_thread *thread)
{
	thread->shown = 1;
	item->tid = thread->tid;
	item->state = thread->state;
	item->stack = thread->stack;
	/* The thread's labels also have those that the application has
	 * added. */
	if (thread->label != 0)
		item->label = thread->label;
}

/* Return the request that the event loop's thread was in when it answered, or
 * is in if it has not answered. NULL: there is none, or the request has gone to
 * sleep or ended since. */
static struct pp_activity_item *
running_find(const struct pp_activity_reader *reader,
    const struct pp_activity_thread *loop)
{
	struct pp_activity_list *list = reader->list;
	struct pp_activity_item *item;
	uint32_t i;

	for (i = reader->first; i < list->items && loop->inflight != 0; i++) {
		item = &list->item[i];
		if (item->id == loop->inflight &&
		    item->kind == PP_ACTIVITY_REQUEST &&
		    item->wait == PP_WAIT_NONE)
			return (item);
	}
	return (NULL);
}

/* Give common ids to requests and tasks, and the threads that they run on. */
static void
items_place(struct pp_activity_reader *reader)
{
	struct pp_activity_list *list = reader->list;
	struct pp_activity_item *item, *running = NULL;
	struct pp_activity_thread *thread;
	uint32_t i, kept = reader->first;

	if ((thread = thread_find(reader, (uint32_t)reader->pid)) != NULL)
		running = running_find(reader, thread);
	for (i = reader->first; i < list->items; i++) {
		item = &list->item[i];
		/* This request began after its thread had answered, or has
		 * ended. */
		if (item->entry == 0 && item != running) {
			list->changed++;
			continue;
		}
		item->stack =
		    pp_resolve_stack(&list->aggregate->ids, item->stack);
		item->label =
		    pp_resolve_label(&list->aggregate->ids, item->label);
		if (item == running)
			item_on_thread(item, thread);
		else if (item->kind == PP_ACTIVITY_REQUEST &&
		    item->wait == PP_WAIT_NONE)
			item->state = "runnable";
		list->item[kept++] = *item;
	}
	list->items = kept;
	for (i = reader->first; i < list->items; i++) {
		item = &list->item[i];
		if (item->kind == PP_ACTIVITY_TASK && item->tid != 0 &&
		    (thread = thread_find(reader, item->tid)) != NULL &&
		    !thread->shown)
			item_on_thread(item, thread);
	}
}

/* Add the threads that run neither a request nor a task. */
static int
threads_place(struct pp_activity_reader *reader)
{
	const struct pp_activity_thread *thread;
	struct pp_activity_item *item;
	uint64_t second;
	uint32_t i;
	int status;

	for (i = 0; i < reader->threads; i++) {
		thread = &reader->thread[i];
		if (thread->shown)
			continue;
		if ((item = pp_activity_room(reader->list, &status)) == NULL) {
			if (status == -1)
				return (-1);
			continue;
		}
		/* This number cannot be that of a request or task: theirs are
		 * never a multiple of the number of slots. */
		second = (uint64_t)(thread->started_ns / PP_NS_PER_SEC);
		item->id = (second << TID_BITS | thread->tid) *
		    reader->list->aggregate->ids.resolver->slots;
		item->kind = PP_ACTIVITY_THREAD;
		item->slot = reader->slot;
		item->pid = reader->pid;
		item->tid = thread->tid;
		item->stack = thread->stack;
		item->label = thread->label;
		item->state = thread->state;
		item->started_ns = thread->started_ns;
		reader->list->items++;
	}
	return (0);
}

static int
slot_read(struct pp_activity_reader *reader, uint32_t slot)
{
	struct pp_activity_list *list = reader->list;
	uint32_t i;

	reader->slot = slot;
	reader->from = &list->aggregate->ids.resolver->arena->slot[slot];
	reader->pid = atomic_load(&reader->from->life.pid);
	reader->first = list->items;
	reader->threads = 0;
	if (reader->pid <= 0)
		return (0);
	if (pp_activity_inflight(reader) == -1)
		return (-1);
	pp_resolve_slot(&list->aggregate->ids, slot);
	for (i = 0; i < PP_THREADS_MAX; i++)
		pp_activity_thread(reader, &reader->from->thread[i]);
	qsort(reader->thread, reader->threads, sizeof(*reader->thread),
	    compare_tid);
	items_place(reader);
	return (threads_place(reader));
}

int
pp_activity_read(struct pp_activity_list *list, struct pp_resolver *resolver,
    uint32_t question, pp_activity_name_fn *name, void *arg)
{
	struct pp_activity_reader reader = { .list = list,
		.question = question,
		.name = name,
		.arg = arg };
	uint32_t slot;

	memset(list, 0, sizeof(*list));
	if ((list->aggregate = calloc(1, sizeof(*list->aggregate))) == NULL ||
	    pp_aggregate_begin(list->aggregate, resolver) == -1)
		return (-1);
	list->now_ns = pp_clock_mono();
	for (slot = 1; slot < resolver->slots; slot++) {
		if (slot_read(&reader, slot) == -1)
			return (-1);
	}
	return (0);
}

void
pp_activity_free(struct pp_activity_list *list)
{
	if (list->aggregate != NULL)
		pp_aggregate_end(list->aggregate);
	free(list->aggregate);
	free(list->item);
}
