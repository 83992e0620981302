/*
 * The list of activities that one reading has found. Not the reading:
 * activity.h has that.
 *
 * Rule: this file knows no arena, so that the text formats, which read the
 * list, know none either.
 */
#ifndef PP_LIVE_ACTIVITY_LIST_H
#define PP_LIVE_ACTIVITY_LIST_H

#include <stdint.h>

#include "base/limits.h"

struct pp_aggregate;

/* How many activities are kept of one reading, some 220 bytes each: enough for
 * eight workers whose tables are full. Further ones are counted only. */
#define PP_ACTIVITY_MAX (8U * PP_INFLIGHT_MAX)

/* The state of a thread that did not write its stack in time. */
#define PP_ACTIVITY_SILENT "not answering"

enum pp_activity_kind {
	PP_ACTIVITY_REQUEST,
	PP_ACTIVITY_TASK,
	PP_ACTIVITY_THREAD
};

struct pp_activity_item {
	uint64_t id; /* of a request or task: the worker's; of a thread: made
			of its begin and its tid. Never used twice */
	enum pp_activity_kind kind;
	uint32_t slot;
	int32_t pid;   /* of the worker */
	uint32_t tid;  /* of the thread; 0: no thread now */
	uint32_t wait; /* of a request or task: state in the arena */
	uint32_t entry;
	uint32_t stack; /* of the list's stacks; see _stacks */
	uint32_t label;
	const char *state;  /* a constant */
	int64_t started_ns; /* CLOCK_MONOTONIC */
	int64_t since_ns;   /* begin of the state; 0: unknown */
	uint32_t bytes_in;
	uint64_t bytes_out;
	char path[PP_INFLIGHT_PATH_MAX]; /* "" when there is none */
};

struct pp_activity_list {
	struct pp_aggregate *aggregate; /* owned */
	struct pp_activity_item *item;	/* owned */
	uint32_t items, room;
	int64_t now_ns;	    /* CLOCK_MONOTONIC, of the reading */
	uint64_t dropped;   /* activities beyond PP_ACTIVITY_MAX */
	uint64_t changed;   /* activities that ended or began meanwhile */
	uint64_t malformed; /* entries with impossible state or time */
	uint64_t silent;    /* threads that did not answer */
};

/* Return the texts of an item's `label`: key and value in turn, each
 * terminated, and "" at the end. */
const char *pp_activity_labels(const struct pp_activity_list *list,
    uint32_t label);

#endif
