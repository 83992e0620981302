/*
 * What the files of progress share: progress_copy.c (the arena, copied) and
 * progress.c (the copies, put together). Nobody else includes this.
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
	uint64_t flight; /* id of what it was in when it answered; 0: none */
	const char *state;
	int shown; /* as a request or a task */
};

struct pp_progress_reader {
	struct pp_progress_list *list;
	struct pp_slot *from;
	uint32_t slot;
	int32_t pid;
	uint32_t question;
	uint32_t first; /* item of this slot */
	struct pp_progress_thread thread[PP_THREADS_MAX];
	uint32_t threads;
	pp_progress_name_fn *name;
	void *arg;
};

/* How many entries to look at, checked. */
uint32_t pp_progress_used(const struct pp_slot *from);

/* Room for one more item; NULL with *status 0 when the list is full, which is
 * counted, or -1 when out of memory. */
struct pp_progress_item *pp_progress_room(struct pp_progress_list *list,
    int *status);

/* The slot's requests and tasks to the list, ids as they are. Returns -1 when
 * out of memory. */
int pp_progress_flights(struct pp_progress_reader *reader);

/* A thread to the reader's, if there is one; its ids are resolved. */
void pp_progress_thread(struct pp_progress_reader *reader,
    const struct pp_thread_facts *facts);

#endif
