/*
 * What the files of the tracer share:
 *
 *     tracer.c         sessions, the control word, draining
 *     tracer_record.c  a record, checked, to what it means
 *     tracer_user.c    the same for the application's own
 *     tracer_move.c    the transitions: the only ones that change a state
 *     tracer_look.c    what is there when recording begins
 *     tracer_show.c    the begin and the end of a session
 *     tracer_tell.c    an event to its readers, losses
 *     tracer_open.c    tasks and regions that are open
 *     tracer_gs.c      Gs by id, Ps by thread
 *     tracer_names.c   names, stacks and labels under common numbers
 *
 * Nobody else includes this, but their tests.
 */
#ifndef PP_TRACE_TRACER_PRIVATE_H
#define PP_TRACE_TRACER_PRIVATE_H

#include <sys/queue.h>

#include "base/clock.h"
#include "base/waits.h"
#include "merge/labels.h"
#include "merge/readings.h"
#include "merge/stacks.h"
#include "profile/idmap.h"
#include "profile/strings.h"
#include "store/trace.h"
#include "trace/tracer.h"

/* Gs are allocated so many at a time, and never move. */
#define PP_TRACER_GS_CHUNK 1024U
#define PP_TRACER_GS_CHUNKS                                                    \
	((PP_TRACE_GS_MAX + PP_TRACER_GS_CHUNK - 1) / PP_TRACER_GS_CHUNK)
#define PP_TRACER_GS_BUCKETS (1U << 14)

/* Gs that have ended, by id: CPU samples come after what they
 * were taken in. */
#define PP_TRACER_ENDED (1U << 14)

/* One G. */
struct pp_tracer_item {
	struct pp_tracer_g pub;
	uint64_t id;   /* in the slot's flights; 0: of a thread */
	uint32_t next; /* place + 1 in its bucket, or of the free ones */
	uint32_t slot;
	uint32_t sleep;	       /* reason that RAN will put it to sleep for */
	uint32_t sleep_stack;  /* the slot's id */
	uint32_t regions;      /* the innermost open one, + 1 */
	uint32_t regions_over; /* begun within it that found no room */
	int64_t ts;	       /* of its last event */
	int64_t born;	       /* of its first */
	int missing; /* not among the slot's flights when last looked */
	int run;     /* it has run, or was there at the begin */
	int task;    /* it has a task of its own in the trace */
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
	uint32_t call;	  /* or wait, while away; PP_CALL_COUNT: in a call
			  since before recording began */
	int unsure;	  /* `now` ran before recording began; has it ended? */
	int look;	  /* and what did its thread do then? */
	uint32_t seen;	  /* the slot's stack of a call that it was in */
	int64_t since_ns; /* it began then */
	char path[PP_FLIGHT_PATH_MAX];
};

/* A task or a region of the application that is open. */
struct pp_tracer_open {
	uint64_t id;	 /* of a task */
	uint64_t number; /* of the task in files */
	uint32_t name;
	uint32_t next; /* + 1 */
};

struct pp_tracer_session {
	LIST_ENTRY(pp_tracer_session) list;
	struct pp_tracer *tracer;
	pp_tracer_reader *reader;
	void *arg;
	uint64_t lost; /* counters when it began */
	int stopped;
};

/* Of one slot. */
struct pp_tracer_slot {
	struct pp_reading reading;
	struct pp_label_cache labels;
	uint32_t *stack;     /* pp_stacks ids + 1 by the slot's; 0: not read */
	uint32_t generation; /* when last signalled */
	int32_t pid;	     /* whose Ps these are */
	int64_t sweep_ns;    /* look for lost ends at this time; 0: no */
	struct pp_tracer_row *p[PP_THREADS_MAX];
};

struct pp_tracer {
	struct pp_arena *arena;
	uint32_t slots;
	int32_t parent_pid;
	struct pp_canon *canon;
	LIST_HEAD(, pp_tracer_session) sessions;
	uint32_t running;
	struct pp_tracer_session *only; /* who is told; NULL: all */
	uint32_t turn;			/* what control.trace is, while on */
	int64_t now;			/* of this drain */
	uint64_t missed; /* events for which there was no room here */
	uint64_t malformed;
	uint64_t numbers; /* last one given to a G or a task */

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
	uint32_t name_mark[PP_TRACE_MARK_COUNT];
	int mark_has_number[PP_TRACE_MARK_COUNT];
	struct pp_stacks *stacks;

	uint64_t heap;
	int64_t heap_ns; /* when it was told */
	int heap_due;
};

/* --- tracer_tell.c */

/* To all sessions, or to `only`, at p's time. */
void pp_tracer_tell(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_event *event);

/* Records of the slot were lost: look for ends among them, in a while. */
void pp_tracer_swept(struct pp_tracer *t, uint32_t slot);

/* What was lost since the service started, as far as that is known. */
uint64_t pp_tracer_losses(const struct pp_tracer *t);

/* --- tracer_open.c */

/* Take an entry; 0: there is none. And give it back. */
uint32_t pp_tracer_open_take(struct pp_tracer *t);
void pp_tracer_open_give(struct pp_tracer *t, uint32_t at);

/* Forget what is open of the application's. */
void pp_tracer_open_drop(struct pp_tracer *t, struct pp_tracer_item *g);

/* --- tracer_gs.c */

int pp_tracer_gs_new(struct pp_tracer *t);
void pp_tracer_gs_free(struct pp_tracer *t);
struct pp_tracer_item *pp_tracer_item(const struct pp_tracer *t,
    uint32_t place);

/* The slot's G with that id, or NULL; a new one, or NULL: no room (counted). */
struct pp_tracer_item *pp_tracer_item_find(const struct pp_tracer *t,
    uint32_t slot, uint64_t id);
struct pp_tracer_item *pp_tracer_item_new(struct pp_tracer *t, uint32_t slot,
    uint64_t id, enum pp_tracer_kind kind);
void pp_tracer_item_forget(struct pp_tracer *t, struct pp_tracer_item *g);

/* Whether it ended lately; then its number, entry and first time, in `until`,
 * are the event's. */
int pp_tracer_item_ended(const struct pp_tracer *t, uint32_t slot, uint64_t id,
    struct pp_tracer_event *event);

/* The slot, or the thread's P; NULL: no room (counted). */
struct pp_tracer_slot *pp_tracer_slot_at(struct pp_tracer *t, uint32_t slot);
struct pp_tracer_row *pp_tracer_row_at(struct pp_tracer *t, uint32_t slot,
    uint32_t place);

/* --- tracer_names.c */

int pp_tracer_names_new(struct pp_tracer *t);
void pp_tracer_names_free(struct pp_tracer *t);
uint32_t pp_tracer_intern(struct pp_tracer *t, const char *text);
uint32_t pp_tracer_format(struct pp_tracer *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Name of what has the slot's label set: "GET /fib/", or for a task "task of
 * GET /fib/". */
uint32_t pp_tracer_label(struct pp_tracer *t, uint32_t slot, uint32_t id,
    int task);

/* A stack of the slot's, on behalf of g. */
struct pp_tracer_stack pp_tracer_stack_of(struct pp_tracer *t, uint32_t slot,
    uint32_t id, uint32_t leaf, const struct pp_tracer_item *g);

/* --- tracer_move.c: all of them make what they need of the states before */

/* p's time is now at least `ts`, g's too; never later than the drain. */
void pp_tracer_at(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g, int64_t ts);

int pp_tracer_up(struct pp_tracer *t, struct pp_tracer_row *p, int32_t pid,
    uint32_t tid);
void pp_tracer_down(struct pp_tracer *t, struct pp_tracer_row *p);
void pp_tracer_create(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g, uint32_t stack);

/* g runs instead of what runs, and the other way round: stopped for `wait`,
 * ended, or runnable. */
enum pp_tracer_stopped { PP_TRACER_AGAIN, PP_TRACER_ENDS, PP_TRACER_SLEEPS };
void pp_tracer_enter(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g);
void pp_tracer_leave(struct pp_tracer *t, struct pp_tracer_row *p,
    enum pp_tracer_stopped how);

/* g, which runs nowhere, ends or falls asleep. */
void pp_tracer_pass(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g, enum pp_tracer_stopped how);
void pp_tracer_wake(struct pp_tracer *t, struct pp_tracer_row *p,
    struct pp_tracer_item *g, uint32_t stack);

/* p's g is away, and back; `stack` of the slot. */
void pp_tracer_away(struct pp_tracer_row *p, enum pp_tracer_how how,
    uint32_t call);
void pp_tracer_back(struct pp_tracer *t, struct pp_tracer_row *p, int64_t ts,
    uint32_t stack);
struct pp_tracer_stack pp_tracer_away_stack(struct pp_tracer *t,
    const struct pp_tracer_row *p, uint32_t stack);

void pp_tracer_log(struct pp_tracer *t, struct pp_tracer_row *p, uint64_t task,
    uint32_t name, const char *text, uint32_t len);
void pp_tracer_log_format(struct pp_tracer *t, struct pp_tracer_row *p,
    uint32_t name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* --- tracer_record.c, tracer_user.c */

/* One record of p's thread, `words` long. */
void pp_tracer_record(struct pp_tracer *t, uint32_t slot, uint32_t place,
    const uint64_t *record, uint32_t words);
void pp_tracer_user(struct pp_tracer *t, struct pp_tracer_row *p,
    const uint64_t *record, uint32_t words);

/* --- tracer_look.c */

/* What is there when the first session begins. */
void pp_tracer_look(struct pp_tracer *t);

/* The slot's thread `tid` was at the task g when recording began; `by` is the
 * slot's loop. */
void pp_tracer_look_task(struct pp_tracer *t, const struct pp_tracer_row *by,
    struct pp_tracer_item *g, uint32_t tid);

/* What p's thread did then, if it has said so by now. */
void pp_tracer_seen(struct pp_tracer *t, struct pp_tracer_row *p);

/* --- tracer_show.c */

void pp_tracer_show(struct pp_tracer_session *session);
void pp_tracer_close(struct pp_tracer_session *session);

/* Its name and route, if it has none yet. */
void pp_tracer_item_label(struct pp_tracer *t, struct pp_tracer_item *g,
    uint32_t label);

/* Ends that were lost: mark what the worker has not, then, after a drain, end
 * it. */
void pp_tracer_sweep_mark(struct pp_tracer *t, uint32_t slot);
void pp_tracer_sweep(struct pp_tracer *t, uint32_t slot);

/* The process of the slot has ended, or is another one. */
void pp_tracer_slot_ended(struct pp_tracer *t, uint32_t slot);

#endif
