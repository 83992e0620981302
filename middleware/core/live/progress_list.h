/*
 * The list of what is in progress, as one reading has found it.
 *
 * Rule: knows no arena, so that the texts made of it know none.
 */
#ifndef PP_LIVE_PROGRESS_LIST_H
#define PP_LIVE_PROGRESS_LIST_H

#include <stdint.h>

#include "base/limits.h"

struct pp_tally;

/* Things kept of one reading, some 220 bytes each: eight workers whose tables
 * are full. More are counted. */
#define PP_PROGRESS_MAX (8U * PP_FLIGHTS_MAX)

/* The state of a thread that did not write its stack in time. */
#define PP_PROGRESS_SILENT "not answering"

enum pp_progress_kind {
	PP_PROGRESS_REQUEST,
	PP_PROGRESS_TASK,
	PP_PROGRESS_THREAD
};

struct pp_progress_item {
	uint64_t id; /* of a request or task: the worker's; of a thread: from
			when it began and its tid. Never used twice */
	enum pp_progress_kind kind;
	uint32_t slot;
	int32_t pid;   /* of the worker */
	uint32_t tid;  /* of its thread; 0: it has none now */
	uint32_t wait; /* of a request or task, as it stood in the arena */
	uint32_t entry;
	uint32_t stack; /* of the list's stacks; the sample's after _stacks */
	uint32_t label;
	const char *state;  /* a constant */
	int64_t started_ns; /* CLOCK_MONOTONIC */
	int64_t since_ns;   /* in this state; 0: unknown */
	uint32_t bytes_in;
	uint64_t bytes_out;
	char path[PP_FLIGHT_PATH_MAX]; /* "" when there is none */
};

struct pp_progress_list {
	struct pp_tally *tally;	       /* owned */
	struct pp_progress_item *item; /* owned */
	uint32_t items, room;
	int64_t now_ns;	    /* CLOCK_MONOTONIC, of the reading */
	uint64_t dropped;   /* beyond PP_PROGRESS_MAX */
	uint64_t changed;   /* ended or began while they were read */
	uint64_t malformed; /* state or time that cannot be */
	uint64_t silent;    /* threads that did not answer */
};

/* The texts of an item's `label`: key and value in turn, each terminated, ""
 * at the end. */
const char *pp_progress_labels(const struct pp_progress_list *list,
    uint32_t label);

#endif
