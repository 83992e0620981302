/*
 * What the files of the tracer share:
 *
 *     tracer.c         sessions, the control word, draining
 *     tracer_record.c  a record, checked and carried out
 *     tracer_user.c    the same for records of the application
 *     tracer_move.c    the transitions: the only ones that change a state
 *     tracer_snapshot.c    what is there when recording begins
 *     tracer_show.c    the begin and the end of a session
 *     tracer_emit.c    an event to its readers, losses
 *     tracer_sample.c  a CPU sample to the G that it was taken in
 *     tracer_open.c    tasks and regions that are open
 *     tracer_gs.c      Gs by id, Ps by thread
 *     tracer_names.c   names, stacks and labels under common numbers
 *
 * No other file includes this header, but their tests do.
 */
#ifndef PP_TRACE_TRACER_PRIVATE_H
#define PP_TRACE_TRACER_PRIVATE_H

#include <sys/queue.h>

#include "base/clock.h"
#include "base/waits.h"
#include "merge/labels.h"
#include "merge/maps.h"
#include "merge/stacks.h"
#include "profile/idmap.h"
#include "profile/strings.h"
#include "store/trace.h"
#include "trace/tracer.h"

/* Gs are allocated in chunks of this many, and never move. */
#define PP_TRACER_GS_CHUNK 1024U
#define PP_TRACER_GS_CHUNKS                                                    \
	((PP_TRACE_GS_MAX + PP_TRACER_GS_CHUNK - 1) / PP_TRACER_GS_CHUNK)
#define PP_TRACER_GS_BUCKETS (1U << 14)

/* How many Gs that have ended are kept by id: a CPU sample comes later than the
 * end of the G that it was taken in. */
#define PP_TRACER_ENDED (1U << 14)

/* One G. */
struct pp_tracer_item {
	struct pp_tracer_g pub;
	uint64_t id;   /* of the slot's entry; 0: of a thread */
	uint32_t next; /* + 1; next in the bucket or of the free */
	uint32_t slot;
	uint32_t sleep;	       /* the wait that begins at its RAN */
	uint32_t sleep_stack;  /* the slot's id */
	uint32_t regions;      /* the innermost open region, + 1 */
	uint32_t regions_over; /* open regions that found no room */
	int64_t ts;	       /* of the last event */
	int64_t born;	       /* of the first event */
	int missing; /* 1: the last look did not find it in the slot */
	int run;     /* 1: it has run, or was there at the begin */
	int task;    /* 1: it has a task of its own in the trace */
	int used;
};

/* One thread. */
struct pp_tracer_row {
	uint32_t number;
	uint32_t slot;
	uint32_t place;
	uint32_t tid;
	int32_t pid; /* 0: not known yet */
	int up;
	struct pp_tracer_item
	    *base; /* while up: the loop or the thread itself */
	struct pp_tracer_item *now; /* while up: what runs */
	int64_t ts;		    /* of the last event */
	enum pp_tracer_how how;	    /* away since `ts`; NOT: it runs */
	uint32_t call;	  /* or wait, while away; PP_CALL_COUNT: the call
			  began before recording */
	int unsure;	  /* 1: `now` is from before, and may be over */
	int snapshot;	  /* 1: what its thread did then is not known yet */
	uint32_t seen;	  /* the slot's stack of a call it was in */
	int64_t since_ns; /* when `now` began */
	char path[PP_INFLIGHT_PATH_MAX];
};

/* A task or a region of the application that is open. */
struct pp_tracer_open {
	uint64_t id;	 /* of a task */
	uint64_t number; /* of the task, in the formats */
	uint32_t name;
	uint32_t next; /* of the next entry, + 1 */
};

struct pp_tracer_session {
	LIST_ENTRY(pp_tracer_session) list;
	struct pp_tracer *tracer;
	pp_tracer_reader *reader;
	void *arg;
	uint64_t lost; /* losses when the session began */
	int stopped;
};

/* What is known of one slot. */
struct pp_tracer_slot {
	struct pp_maps maps;
	struct pp_label_cache labels;
	uint32_t *stack;     /* pp_stacks ids + 1 by the slot's; 0: not read */
	uint32_t generation; /* when it was last signalled */
	int32_t pid;	     /* the process of these Ps */
	int64_t sweep_ns;    /* when to look for lost ends; 0: no */
	struct pp_tracer_row *p[PP_THREADS_MAX];
};

struct pp_tracer {
	struct pp_arena *arena;
	uint32_t slots;
	int32_t parent_pid;
	struct pp_address_map *map;
	LIST_HEAD(, pp_tracer_session) sessions;
	uint32_t running;
	struct pp_tracer_session *only; /* the only reader; NULL: all are */
	uint32_t turn;			/* value of control.trace, while on */
	int64_t now;			/* of this drain */
	uint64_t missed;		/* events that found no room here */
	uint64_t malformed;
	uint64_t numbers; /* the last number of a G or a task */

	struct pp_tracer_slot **slot; /* by number, made when it has records */

	struct pp_tracer_row *ps[PP_TRACE_PS_MAX];
	uint32_t ps_used;

	struct pp_tracer_item *chunk[PP_TRACER_GS_CHUNKS];
	uint32_t gs_used;
	uint32_t gs_free; /* place + 1 */
	uint32_t *bucket; /* place + 1 */
	struct {
		uint64_t id;
		int64_t born;
		uint32_t slot;
		uint32_t number;
		uint32_t entry;
	} * ended;

	struct pp_tracer_open *open; /* tasks and regions, one store */
	uint32_t open_used;
	uint32_t open_free;  /* + 1 */
	uint32_t tasks[256]; /* open tasks by hash of their id, + 1 */

	struct pp_strings strings;
	const char **name; /* by number */
	uint32_t names;
	struct pp_idmap name_map;
	struct pp_labels *labels;
	uint32_t *label_name[2]; /* of requests and tasks, by label number */
	uint32_t name_unknown, name_task, name_handler, name_task_runs,
	    name_poll, name_lost;
	uint32_t name_worker, name_path, name_other;
	uint32_t name_call[PP_CALL_COUNT];
	uint32_t name_wait[PP_WAIT_COUNT];
	uint32_t name_instant[PP_TRACE_INSTANT_COUNT];
	int instant_has_number[PP_TRACE_INSTANT_COUNT];
	struct pp_stacks *stacks;

	uint64_t heap;
	int64_t heap_ns; /* when `heap` was set */
	int heap_due;
};

/* --- tracer_emit.c */

/* Hand an event to all sessions, or to `only`, at p's time. */
void pp_tracer_emit(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_event *event);

/* Records of the slot were lost. After a while ends that may be among them are
 * looked for. */
void pp_tracer_swept(struct pp_tracer *t, uint32_t slot);

/* Return how many events were lost since the service started, as far as that is
 * known. */
uint64_t pp_tracer_losses(const struct pp_tracer *t);

/* --- tracer_open.c */

/* _take() returns the number of a free entry, 0: there is none. _give() makes
 * the entry free again. */
uint32_t pp_tracer_open_take(struct pp_tracer *t);
void pp_tracer_open_give(struct pp_tracer *t, uint32_t at);

/* Forget the application's regions that are open in g. */
void pp_tracer_open_drop(struct pp_tracer *t, struct pp_tracer_item *g);

/* --- tracer_gs.c */

int pp_tracer_gs_new(struct pp_tracer *t);
void pp_tracer_gs_free(struct pp_tracer *t);
struct pp_tracer_item *pp_tracer_item(const struct pp_tracer *t,
    uint32_t place);

/* _find(): the slot's G with that id, or NULL. _new(): a new one; NULL: no
 * room, which is counted. */
struct pp_tracer_item *pp_tracer_item_find(const struct pp_tracer *t,
    uint32_t slot, uint64_t id);
struct pp_tracer_item *pp_tracer_item_new(struct pp_tracer *t, uint32_t slot,
    uint64_t id, enum pp_tracer_kind kind);
void pp_tracer_item_forget(struct pp_tracer *t, struct pp_tracer_item *g);

/* Whether the G with that id has ended lately. If so, its number, its entry and
 * the time of its first event (in `until`) are written into the event. */
int pp_tracer_item_ended(const struct pp_tracer *t, uint32_t slot, uint64_t id,
    struct pp_tracer_event *event);

/* Return the slot, or the P of a thread; a new one is made if needed. NULL: no
 * room, which is counted. */
struct pp_tracer_slot *pp_tracer_slot_at(struct pp_tracer *t, uint32_t slot);
struct pp_tracer_row *pp_tracer_row_at(struct pp_tracer *t, uint32_t slot,
    uint32_t place);

/* --- tracer_names.c */

int pp_tracer_names_new(struct pp_tracer *t);
void pp_tracer_names_free(struct pp_tracer *t);

/* Return the number of a text, which is given now to a new one. */
uint32_t pp_tracer_intern(struct pp_tracer *t, const char *text);
uint32_t pp_tracer_format(struct pp_tracer *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Return the name of a G that has the slot's label set: "GET /fib/", or for a
 * task "task of GET /fib/". */
uint32_t pp_tracer_label(struct pp_tracer *t, uint32_t slot, uint32_t id,
    int task);

/* Return a stack of the slot as the stack of an event of g. */
struct pp_tracer_stack pp_tracer_stack_of(struct pp_tracer *t, uint32_t slot,
    uint32_t id, uint32_t leaf, const struct pp_tracer_item *g);

/* --- tracer_move.c
 *
 * Each function first brings p and g into the state that its event needs. */

/* Set the time of p, and that of g, to at least `ts`, but never later than the
 * drain. */
void pp_tracer_at(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g, int64_t ts);

/* _up(): p begins with its own G; returns -1 if there is no room for one.
 * _down(): p ends, with all that runs there. _create(): g begins to exist. */
int pp_tracer_up(struct pp_tracer *t, struct pp_tracer_row *p, int32_t pid,
    uint32_t tid);
void pp_tracer_down(struct pp_tracer *t, struct pp_tracer_row *p);
void pp_tracer_create(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g, uint32_t stack);

/* _enter(): g runs instead of p's G. _leave(): p's G stops: it is runnable,
 * ends, or sleeps. */
enum pp_tracer_stopped { PP_TRACER_AGAIN, PP_TRACER_ENDS, PP_TRACER_SLEEPS };
void pp_tracer_enter(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g);
void pp_tracer_leave(struct pp_tracer *t, struct pp_tracer_row *p,
    enum pp_tracer_stopped how);

/* _pass(): g, which runs on no P, ends or falls asleep. _wake(): g is
 * runnable. */
void pp_tracer_pass(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g, enum pp_tracer_stopped how);
void pp_tracer_wake(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g, uint32_t stack);

/* _away(): p's G is away from now on. _back(): it runs again; `stack` is the
 * slot's. */
void pp_tracer_away(struct pp_tracer_row *p, enum pp_tracer_how how,
    uint32_t call);
void pp_tracer_back(struct pp_tracer *t, struct pp_tracer_row *p, int64_t ts,
    uint32_t stack);
struct pp_tracer_stack pp_tracer_away_stack(struct pp_tracer *t,
    const struct pp_tracer_row *p, uint32_t stack);

/* A line of the log of p's G; `task` is a number in the formats, 0: none. */
void pp_tracer_log(struct pp_tracer *t, struct pp_tracer_row *p, uint64_t task,
    uint32_t name, const char *text, uint32_t len);
void pp_tracer_log_format(struct pp_tracer *t, struct pp_tracer_row *p,
    uint32_t name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* --- tracer_record.c, tracer_user.c */

/* Take one record of a thread, `words` long. */
void pp_tracer_record(struct pp_tracer *t, uint32_t slot, uint32_t place,
    const uint64_t *record, uint32_t words);
void pp_tracer_user(struct pp_tracer *t, struct pp_tracer_row *p,
    const uint64_t *record, uint32_t words);

/* --- tracer_snapshot.c */

/* Read what is there when the first session begins. */
void pp_tracer_snapshot(struct pp_tracer *t);

/* The slot's thread `tid` was running the task g when recording began; `by` is
 * the slot's loop. */
void pp_tracer_snapshot_task(struct pp_tracer *t,
    const struct pp_tracer_row *by, struct pp_tracer_item *g, uint32_t tid);

/* Take what p's thread did when recording began, if the thread has written it
 * by now. */
void pp_tracer_seen(struct pp_tracer *t, struct pp_tracer_row *p);

/* --- tracer_show.c */

/* _show() hands all that is there to the reader of a session that begins,
 * _close() the end of all that runs, when the session ends. */
void pp_tracer_show(struct pp_tracer_session *session);
void pp_tracer_close(struct pp_tracer_session *session);

/* Give g its name and route, if it has none yet. */
void pp_tracer_item_label(struct pp_tracer *t, struct pp_tracer_item *g,
    uint32_t label);

/* Find ends that were lost: _mark() marks the Gs that the worker does not have,
 * _sweep(), after a drain, ends them. */
void pp_tracer_sweep_mark(struct pp_tracer *t, uint32_t slot);
void pp_tracer_sweep(struct pp_tracer *t, uint32_t slot);

/* Call this when the process of the slot has ended, or is another one. */
void pp_tracer_slot_ended(struct pp_tracer *t, uint32_t slot);

#endif
