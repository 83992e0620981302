/*
 * What the files of activity share: activity_copy.c (copies of the arena) and
 * activity.c (the copies put together). No other file includes this header.
 */
#ifndef PP_LIVE_ACTIVITY_PRIVATE_H
#define PP_LIVE_ACTIVITY_PRIVATE_H

#include "counts/aggregate.h"
#include "live/activity.h"

struct pp_activity_thread {
	uint32_t tid;
	uint32_t stack;
	uint32_t label;
	int64_t started_ns;
	uint64_t inflight; /* id it was in when it answered; 0: none */
	const char *state;
	int shown; /* 1: shown as a request or a task */
};

struct pp_activity_reader {
	struct pp_activity_list *list;
	struct pp_slot *from;
	uint32_t slot;
	int32_t pid;
	uint32_t question;
	uint32_t first; /* index of the first item of the slot */
	struct pp_activity_thread thread[PP_THREADS_MAX];
	uint32_t threads;
	pp_activity_name_fn *name;
	void *arg;
};

/* Return how many entries of the slot are in use, checked. */
uint32_t pp_activity_used(const struct pp_slot *from);

/* Return room for one more item. NULL with *status 0: the list is full, which
 * is counted; NULL with *status -1: out of memory. */
struct pp_activity_item *pp_activity_room(struct pp_activity_list *list,
    int *status);

/* Add the slot's requests and tasks to the list, with the slot's own ids.
 * Returns -1 when out of memory. */
int pp_activity_inflight(struct pp_activity_reader *reader);

/* If the entry has a thread, add it to the reader's threads, with common
 * ids. */
void pp_activity_thread(struct pp_activity_reader *reader,
    const struct pp_thread_facts *facts);

#endif
