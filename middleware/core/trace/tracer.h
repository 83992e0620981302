/*
 * The execution trace of all workers: what their threads wrote into the trace
 * rings (store/trace.h), as events of one model, for any number of readers.
 *
 * The model is Go's. A P is a thread of a worker. A G is what runs there: a
 * request, a task, the event loop, or the thread itself while it does neither.
 * A P that is up has one running G; Gs are created, started, stopped, unblocked
 * and ended.
 *
 * Not bytes: formats are encode/'s, which get the events one by one.
 *
 * Rule: cold; the only reader of the rings and the only writer of
 * control.trace. Whatever is in a ring, what a reader gets is a valid history:
 * each event fits the state that the events before it made, and neither a P's
 * time nor a G's ever goes back.
 */
#ifndef PP_TRACE_TRACER_H
#define PP_TRACE_TRACER_H

#include <stdint.h>

#include "merge/canon.h"
#include "profile/profile.h"
#include "store/arena.h"

struct pp_tracer;
struct pp_tracer_session;

enum pp_tracer_kind {
	PP_TRACER_REQUEST,
	PP_TRACER_TASK,
	PP_TRACER_LOOP,
	PP_TRACER_THREAD
};

enum pp_tracer_state {
	PP_TRACER_RUNNABLE,
	PP_TRACER_RUNNING,
	PP_TRACER_BLOCKED
};

/* What a reader may look at of a G. */
struct pp_tracer_g {
	uint32_t number; /* 1.., never used twice while somebody traces */
	uint32_t place;	 /* < PP_TRACE_GS_MAX; another G's after its end */
	uint32_t entry;	 /* name: "GET /fib/", "worker 1 event loop" */
	uint32_t route;	 /* name, 0: none */
	uint32_t parent; /* number of the request that a task is for, or 0 */
	enum pp_tracer_kind kind;
	enum pp_tracer_state state;
};

/* A stack: `words` of pp_tracer_profile(), 0: none; above them the name of
 * the call that is no frame of ours, or 0; below them where the G begins. */
struct pp_tracer_stack {
	uint32_t words;
	uint32_t leaf;
	uint32_t entry;
};

enum pp_tracer_what {
	/* At the begin, before all others: g was there already, in its state;
	   `how` tells BLOCKED ones apart: away, and in which way. */
	PP_TOLD_EXISTS,
	PP_TOLD_BEGIN, /* number: Ps to expect */
	/* A thread begins: number: its tid. And ends; nothing runs on it. */
	PP_TOLD_UP,
	PP_TOLD_DOWN,
	PP_TOLD_CREATE, /* g, runnable, or blocked as `state` says; stack */
	PP_TOLD_START,	/* g runs on p */
	PP_TOLD_STOP,	/* p's g is runnable again; stack */
	PP_TOLD_END,	/* p's g has ended */
	PP_TOLD_BLOCK,	/* p's g is asleep: wait, stack */
	PP_TOLD_WAKE,	/* g is runnable; stack, of whoever woke it */
	/* p's g did nothing from `ts` to `until`, and runs again: how, stack,
	   for HOW_WAIT: wait. Nothing else came from p meanwhile. */
	PP_TOLD_AWAY,
	PP_TOLD_GONE,  /* the same at the end of a trace: it still is away */
	PP_TOLD_SHORT, /* a call that did not block; stack */
	/* Of p's g: task number, its parent, name */
	PP_TOLD_TASK,
	PP_TOLD_TASK_END,
	PP_TOLD_REGION,	    /* number: of its task or 0; name */
	PP_TOLD_REGION_END, /* likewise, always of the innermost */
	PP_TOLD_LOG,	    /* number: of its task or 0; name, text */
	PP_TOLD_HEAP,	    /* number: bytes in use */
	/* p was seen running g, or number if g is NULL, at `until`; stack.
	   Comes late and in no order */
	PP_TOLD_SAMPLE
};

enum pp_tracer_how {
	PP_TRACER_HOW_NOT,
	PP_TRACER_HOW_POLL,
	PP_TRACER_HOW_CALL,
	PP_TRACER_HOW_WAIT
};

struct pp_tracer_event {
	enum pp_tracer_what what;
	uint32_t p; /* 0.., dense */
	int64_t ts; /* CLOCK_MONOTONIC, ns */
	int64_t until;
	const struct pp_tracer_g *g; /* valid during the call */
	struct pp_tracer_stack stack;
	enum pp_tracer_how how;
	uint32_t wait; /* enum pp_wait */
	uint32_t name;
	uint32_t worker; /* of UP: name of its process, "worker 1" */
	int32_t pid;	 /* likewise; 0: not known */
	uint64_t number;
	uint64_t parent;
	const char *text; /* not terminated; UTF-8 is not checked */
	uint32_t len;
};

typedef void pp_tracer_reader(void *arg, const struct pp_tracer_event *event);

/* `slots` has been checked against the arena's size. Turns off what a
 * collector before this one may have left running. NULL: out of memory. */
struct pp_tracer *pp_tracer_new(struct pp_arena *arena, uint32_t slots,
    struct pp_canon *canon);
void pp_tracer_free(struct pp_tracer *tracer);

/* Begin: `reader` is called for what is there now, and from pp_tracer_tick()
 * on for what happens. NULL with errno: EAGAIN when PP_TRACES_MAX run already,
 * ENOMEM. */
struct pp_tracer_session *pp_tracer_begin(struct pp_tracer *tracer,
    pp_tracer_reader *reader, void *arg);

/* The reader gets what has happened until now, and the end of what runs. Then
 * pp_tracer_end(). */
void pp_tracer_stop(struct pp_tracer_session *session);

/* Forget the session. Names, stacks and profiles are valid until then. */
void pp_tracer_end(struct pp_tracer_session *session);

/* How many events this session has missed, as far as that is known. */
uint64_t pp_tracer_lost(const struct pp_tracer_session *session);

/* Drain the rings, follow workers. Returns when to call again, INT64_MAX: not
 * before the next session. `now` is CLOCK_MONOTONIC. */
int64_t pp_tracer_tick(struct pp_tracer *tracer, int64_t now);

/* The text of a name. "" for 0. */
const char *pp_tracer_name(const struct pp_tracer *tracer, uint32_t name);

/* The stacks of these `words` (none 0), as the samples of a profile without
 * symbols, in that order; the caller frees it. NULL: out of memory. */
struct pp_profile *pp_tracer_profile(const struct pp_tracer *tracer,
    const uint32_t *words, uint32_t count);

/* Bytes in use of all workers, as of now: before each begin and stop, and when
 * the next is due (INT64_MAX: nobody traces). */
int64_t pp_tracer_heap_due(const struct pp_tracer *tracer);
void pp_tracer_heap(struct pp_tracer *tracer, uint64_t bytes);

/* A CPU sample: the listener for pp_cpu_listen(). */
void pp_tracer_sample(void *tracer, uint32_t slot, uint32_t tid, int64_t ts,
    uint64_t flight, const uint64_t *word, uint32_t words);

#endif
