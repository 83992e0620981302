/*
 * What the tracer tells its readers: the events of an execution trace.
 *
 * The model is Go's. A P is a thread of a worker. A G is what runs there: a
 * request, a task, the event loop, or the thread itself while it does none of
 * these. A P that is up has one running G; Gs are created, started, stopped,
 * unblocked and ended.
 *
 * Rule: this file knows no arena, so that the formats, which are readers, know
 * none either.
 */
#ifndef PP_TRACE_EVENT_H
#define PP_TRACE_EVENT_H

#include <stdint.h>

struct pp_tracer;

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

/* What a reader may see of a G. */
struct pp_tracer_g {
	uint32_t number; /* 1.., never used twice while a session runs */
	uint32_t place;	 /* < PP_TRACE_GS_MAX; used again after the end */
	uint32_t entry;	 /* name: "GET /fib/", "worker 1 event loop" */
	uint32_t route;	 /* name, 0: none */
	uint32_t parent; /* number of the task's request, or 0 */
	enum pp_tracer_kind kind;
	enum pp_tracer_state state;
};

/* A stack: `words` is one of pp_tracer_profile(), 0: none. Above these frames
 * is `leaf`, the name of a call that has no frame, or 0; below them is `entry`,
 * where the G begins. */
struct pp_tracer_stack {
	uint32_t words;
	uint32_t leaf;
	uint32_t entry;
};

enum pp_tracer_what {
	/* At the begin, before all others: g was there already, in its state.
	   If g is RUNNING, `how` says whether it is away, and in which way. */
	PP_EVENT_EXISTS,
	PP_EVENT_BEGIN, /* number: Ps to expect */
	/* A thread begins: number: its tid. It ends: nothing runs on it. */
	PP_EVENT_UP,
	PP_EVENT_DOWN,
	PP_EVENT_CREATE, /* g, runnable, or blocked as `state` says; stack */
	PP_EVENT_START,	 /* g runs on p */
	PP_EVENT_STOP,	 /* p's g is runnable again; stack */
	PP_EVENT_END,	 /* p's g has ended */
	PP_EVENT_BLOCK,	 /* p's g is asleep: wait, stack */
	PP_EVENT_WAKE,	 /* g is runnable; stack of the waker */
	/* p's g did nothing from `ts` to `until`, and runs again: how, stack,
	   and wait for HOW_WAIT. No other event of p is between. */
	PP_EVENT_AWAY,
	PP_EVENT_GONE,	/* as AWAY, at the end of a trace: g is still away */
	PP_EVENT_SHORT, /* a call that did not block; stack */
	/* A task of p's g begins or ends: number, parent, name */
	PP_EVENT_TASK,
	PP_EVENT_TASK_END,
	PP_EVENT_REGION,     /* number: of its task or 0; name */
	PP_EVENT_REGION_END, /* likewise, always of the innermost */
	PP_EVENT_LOG,	     /* number: of its task or 0; name, text */
	PP_EVENT_HEAP,	     /* number: bytes in use */
	/* A CPU sample: p ran g, or number if g is NULL, at `until`; stack.
	   Samples come late and in no order */
	PP_EVENT_SAMPLE
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
	uint32_t worker; /* of UP: name of the process, "worker 1" */
	int32_t pid;	 /* likewise; 0: not known */
	uint64_t number;
	uint64_t parent;
	const char *text; /* not terminated; UTF-8 is not checked */
	uint32_t len;
};

typedef void pp_tracer_reader(void *arg, const struct pp_tracer_event *event);

/* Return the text of a name, "" for 0; it is valid until the session ends. */
const char *pp_tracer_name(const struct pp_tracer *tracer, uint32_t name);

#endif
