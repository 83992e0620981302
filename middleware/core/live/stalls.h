/*
 * Workers whose event loop does not turn, and workers that died: the last
 * PP_STALLS_MAX of both, with what was known of them at the time.
 *
 * The arena says since when a loop has not waited for events, and which
 * handler runs (store/arena.h); nothing in a worker watches. When it has been
 * too long the thread is asked for its stack.
 *
 *     held ──► asked ──► told, goes on ──► over, told again
 *     died ──► told
 *
 * Rule: cold; whoever wrote what is read here may lie, so a record holds
 * copies of bounded size, checked.
 */
#ifndef PP_LIVE_STALLS_H
#define PP_LIVE_STALLS_H

#include <stdint.h>

#include "cpu/cpu.h"
#include "live/progress.h"
#include "merge/labels.h"
#include "merge/resolve.h"

enum pp_stall_kind { PP_STALL_HELD, PP_STALL_DIED };

/* Something that was in progress, or a sample, when a worker died. */
struct pp_stall_flight {
	int64_t age_ns;
	int task; /* 1: a task's */
	int ran;  /* 1: its handler was running */
	int came; /* 1: its body still came in */
	char path[PP_FLIGHT_PATH_MAX];
};

struct pp_stall_stack {
	int64_t ago_ns; /* before the death */
	uint64_t weight_ns;
	int32_t tid;
	uint32_t label_len;
	char label[PP_LABELS_TEXT_MAX];
	uint32_t words;
	uint64_t word[PP_FRAMES_MAX];
};

struct pp_stall_death {
	int signal;
	uint32_t flights; /* in progress, of which are kept */
	uint32_t kept;
	struct pp_stall_flight flight[PP_LAST_FLIGHTS];
	uint32_t samples; /* the latest first */
	struct pp_stall_stack sample[PP_LAST_SAMPLES];
};

struct pp_stall {
	uint64_t number; /* 1.. since the collector's start; 0: free */
	enum pp_stall_kind kind;
	uint32_t slot;
	int32_t pid;
	int64_t wall_ns;   /* when it began, or of the death */
	int64_t held_ns;   /* how long, so far; of a death: its handler */
	int over;	   /* 1: the loop turns again */
	int died;	   /* 1: it ended with the worker */
	int handler;	   /* 1: in a handler; 0: somewhere else in the loop */
	const char *state; /* of the thread, a constant; NULL: unknown */
	uint32_t label_len;
	char label[PP_LABELS_TEXT_MAX];
	char path[PP_FLIGHT_PATH_MAX];
	uint32_t words; /* canonical, leaf first; 0: no stack */
	uint64_t word[PP_FRAMES_MAX];
	struct pp_stall_death *death; /* owned; of one that died */
};

struct pp_stalls;

/* What has happened to a record, for whoever writes the log. */
typedef void pp_stall_told_fn(void *arg, const struct pp_stall *stall);

/* `stall_ms` 0: deaths only. Neither resolver nor cpu become its. NULL: out
 * of memory. */
struct pp_stalls *pp_stalls_new(struct pp_resolver *resolver,
    struct pp_cpu *cpu, int32_t parent, uint64_t stall_ms);
void pp_stalls_free(struct pp_stalls *stalls);

/* Who is told, and who knows names. */
void pp_stalls_tell(struct pp_stalls *stalls, pp_stall_told_fn *told,
    pp_progress_name_fn *name, void *arg);

/* Look. Returns when to call again, on CLOCK_MONOTONIC as `now` is. */
int64_t pp_stalls_tick(struct pp_stalls *stalls, int64_t now);

/* How many are remembered; the i-th of them, the latest first. */
uint32_t pp_stalls_count(const struct pp_stalls *stalls);
const struct pp_stall *pp_stalls_get(const struct pp_stalls *stalls,
    uint32_t i);

/* The value of a label in a record's text; NULL: it has none of that key. */
const char *pp_stalls_label(const char *label, uint32_t len, const char *key);

/* All of them without symbols, which the caller frees; NULL: out of memory. */
struct pp_profile *pp_stalls_profile(const struct pp_stalls *stalls);

#endif
