/*
 * What the files of the activities share: progress_copy.c (copies of the arena)
 * and progress.c (the copies put together). Nobody else includes this.
 */
#ifndef PP_LIVE_PROGRESS_PRIVATE_H
#define PP_LIVE_PROGRESS_PRIVATE_H

#include "counts/tally.h"
#include "live/progress.h"

struct pp_progress_thread {
	uint32_t tid;
	uint32_t stack;
	uint32_t label;
	int64_t started_ns;
	uint64_t flight; /* id it was in when it answered; 0: none */
	const char *state;
	int shown; /* 1: shown as a request or a task */
};

struct pp_progress_reader {
	struct pp_progress_list *list;
	struct pp_slot *from;
	uint32_t slot;
	int32_t pid;
	uint32_t question;
	uint32_t first; /* index of the first item of the slot */
	struct pp_progress_thread thread[PP_THREADS_MAX];
	uint32_t threads;
	pp_progress_name_fn *name;
	void *arg;
};

/* Return how many entries of the slot are in use, checked. */
uint32_t pp_progress_used(const struct pp_slot *from);

/* Return room for one more item. NULL with *status 0: the list is full, which
 * is counted; NULL with *status -1: out of memory. */
struct pp_progress_item *pp_progress_room(struct pp_progress_list *list,
    int *status);

/* Add the slot's requests and tasks to the list, with the slot's own ids.
 * Returns -1 when out of memory. */
int pp_progress_flights(struct pp_progress_reader *reader);

/* If the entry has a thread, add it to the reader's threads, with common
 * ids. */
void pp_progress_thread(struct pp_progress_reader *reader,
    const struct pp_thread_facts *facts);

#endif
