/*
 * Workers whose event loop does not turn, and workers that died: the last
 * PP_STALLS_MAX records of both kinds, with what was known at the time.
 *
 * The arena says since when a loop has not waited for events, and which handler
 * runs (store/arena.h); nothing in a worker watches. If a loop has not waited
 * for too long, its thread is asked for its stack. Not a sampler: nothing is
 * known of stalls below the bound.
 *
 *     held ──► asked ──► told, goes on ──► over, told again
 *     died ──► told
 *
 * Rule: cold; nothing that is read from the arena is believed, so a record
 * holds copies of bounded size, checked.
 */
#ifndef PP_LIVE_STALLS_H
#define PP_LIVE_STALLS_H

#include <stdint.h>

#include "cpu/cpu.h"
#include "live/activity.h"
#include "merge/labels.h"
#include "merge/resolve.h"

enum pp_stall_kind { PP_STALL_HELD, PP_STALL_DIED };

/* A request or task that was in progress when a worker died. */
struct pp_stall_inflight {
	int64_t age_ns;
	int task; /* 1: a task */
	int ran;  /* 1: its handler was running */
	int came; /* 1: its body was still arriving */
	char path[PP_INFLIGHT_PATH_MAX];
};

struct pp_stall_stack {
	int64_t ago_ns; /* time before the death */
	uint64_t weight_ns;
	int32_t tid;
	uint32_t label_len;
	char label[PP_LABELS_TEXT_MAX];
	uint32_t words;
	uint64_t word[PP_FRAMES_MAX];
};

struct pp_stall_death {
	int signal;
	uint32_t inflights; /* in progress; `kept` of them are here */
	uint32_t kept;
	struct pp_stall_inflight inflight[PP_CRASH_INFLIGHT];
	uint32_t samples; /* the latest first */
	struct pp_stall_stack sample[PP_RECENT_SAMPLES];
};

struct pp_stall {
	uint64_t number; /* 1.. since the collector's start; 0: free */
	enum pp_stall_kind kind;
	uint32_t slot;
	int32_t pid;
	int64_t wall_ns;   /* of the begin, or of the death */
	int64_t held_ns;   /* so far; of a death: its handler */
	int over;	   /* 1: the loop turns again */
	int died;	   /* 1: the stall ended with the worker */
	int handler;	   /* 1: in a handler; 0: somewhere else in the loop */
	const char *state; /* of the thread, a constant; NULL: unknown */
	uint32_t label_len;
	char label[PP_LABELS_TEXT_MAX];
	char path[PP_INFLIGHT_PATH_MAX];
	uint32_t words; /* canonical, leaf first; 0: no stack */
	uint64_t word[PP_FRAMES_MAX];
	struct pp_stall_death *death; /* owned; NULL: no death */
};

struct pp_stalls;

/* Called when a record is new or has changed, so that the caller can write it
 * to the log. `stall` is valid during the call. */
typedef void pp_stall_report_fn(void *arg, const struct pp_stall *stall);

/* If `stall_ms`, in milliseconds, is 0 or above PP_STALL_MS_MAX, only deaths
 * are watched. `resolver` and `cpu` stay the caller's, and must live longer
 * than the result. NULL: out of memory. */
struct pp_stalls *pp_stalls_new(struct pp_resolver *resolver,
    struct pp_cpu *cpu, int32_t parent, uint64_t stall_ms);
void pp_stalls_free(struct pp_stalls *stalls);

/* Set the function that is called for each change, the function that knows
 * names, and the first argument of both. */
void pp_stalls_report_to(struct pp_stalls *stalls, pp_stall_report_fn *report,
    pp_activity_name_fn *name, void *arg);

/* Look at all workers. `now` is of CLOCK_MONOTONIC, in nanoseconds, and so is
 * the result: when to call again; INT64_MAX: no time is set. */
int64_t pp_stalls_tick(struct pp_stalls *stalls, int64_t now);

/* _count(): how many records there are. _get(): the i-th of them, the latest
 * first; it is valid until the next pp_stalls_tick(). */
uint32_t pp_stalls_count(const struct pp_stalls *stalls);
const struct pp_stall *pp_stalls_get(const struct pp_stalls *stalls,
    uint32_t i);

/* Return the value of a label in a record's text; NULL: the text has no such
 * key. */
const char *pp_stalls_label(const char *label, uint32_t len, const char *key);

/* Return all records as a profile without symbols, which the caller frees;
 * NULL: out of memory. */
struct pp_profile *pp_stalls_profile(const struct pp_stalls *stalls);

#endif
