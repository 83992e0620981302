/*
 * What an endpoint is, and what endpoints share: private to service/.
 *
 * One table (service/endpoints.c) says which there are; routing and the index
 * page iterate it. To add one, write its functions in a file ep_<name>.c and
 * add a row.
 *
 * Rule: `begin` either writes the answer at once, or sets a deadline and keeps
 * what it needs in the task; then `finish` writes the answer or `cancel` ends
 * the work. Each of the two frees all that the task keeps.
 */
#ifndef PP_SERVICE_ENDPOINTS_ENDPOINT_H
#define PP_SERVICE_ENDPOINTS_ENDPOINT_H

#include "counts/heap.h"
#include "counts/memory.h"
#include "counts/routes.h"
#include "cpu/cpu.h"
#include "cpu/recorder.h"
#include "live/stalls.h"
#include "merge/canon.h"
#include "merge/resolve.h"
#include "service/endpoints/format.h"
#include "service/endpoints/named.h"
#include "service/http/message.h"
#include "store/arena.h"
#include "symbol/symbols.h"
#include "trace/tracer.h"

struct pp_service {
	const struct pp_endpoint *endpoints; /* the table */
	size_t endpoints_count;
	struct pp_arena *arena;
	struct pp_symbols *symbols;
	struct pp_canon *canon;
	struct pp_cpu *cpu;
	struct pp_heap_reader *heap;
	struct pp_memory *memory;
	struct pp_resolver *resolver; /* for all but CPU, heap and trace */
	struct pp_tracer *tracer;
	struct pp_routes_reader *routes;
	int64_t started_ns; /* CLOCK_MONOTONIC */
	struct pp_recorder *recorder;
	struct pp_stalls *stalls;
	void (*log)(const char *line);	 /* NULL: nobody listens */
	LIST_HEAD(, pp_task) asking;	 /* that pp_named_tick() looks after */
	LIST_HEAD(, pp_task) running;	 /* that pp_ep_profile_tick() does */
	LIST_HEAD(, pp_task) consulting; /* that pp_ep_doctor_tick() does */
	int warm; /* 1: names were read since memory was given back */
	LIST_HEAD(, pp_task) tracing; /* that pp_ep_trace_tick() looks after */
	int settings_locked;	      /* 1: requests change no rates */
	int statm;		      /* open, of this process; -1: not known */
	/* The last profile above the kernel's tick: what was asked, and what
	 * came; 0: none. */
	unsigned int fast_asked;
	double fast_got;
	uint32_t kept;	       /* samples of deltas' first readings */
	int32_t parent_pid;    /* as it was at the start */
	uint32_t slots;	       /* checked at the start, never read again */
	uint32_t tasks;	       /* begun, not yet finished or cancelled */
	uint32_t cpu_profiles; /* of these, running */
	uint32_t traces;       /* likewise */
	int64_t heap_told_ns;  /* to these, last */
	int64_t idle_since;    /* CLOCK_MONOTONIC; of the last answer */
	int trimmed;	       /* 1: memory given back since then */
	uint32_t changes[PP_WORKERS_MAX + 1]; /* of each slot's objects, seen */
};

/* What a trace keeps while it runs. */
struct pp_trace_task {
	LIST_ENTRY(pp_task) list;
	struct pp_tracer_session *session;
	const struct pp_trace_form *form;
	void *file; /* the form's encoder */
	int cut;    /* 1: it ended early, for want of memory */
};

struct pp_task {
	struct pp_service *service;
	const struct pp_endpoint *endpoint; /* NULL: answered by the routing */
	int64_t deadline;
	struct pp_answer answer;
	struct pp_format_asked asked; /* of profiles */
	struct pp_cpu_session *cpu;
	int64_t warm_at;	     /* to look for names before the end */
	LIST_ENTRY(pp_task) running; /* of the service, or consulting */
	unsigned int hz;	     /* of `cpu` */
	uint32_t asked_memory;	     /* doctor's question */
	int64_t asked_ns; /* likewise; 0: those who are silent were reminded */
	int json;	  /* doctor's form */
	char prefix[256]; /* likewise, for its links */
	struct pp_named_task named;
	struct pp_trace_task trace;
};

/* After this long without a request, memory is given back. */
#define PP_SERVICE_IDLE_NS (60 * PP_NS_PER_SEC)

/* Methods that an endpoint takes. */
#define PP_TAKES_GET  (1U << PP_METHOD_GET | 1U << PP_METHOD_HEAD)
#define PP_TAKES_POST (1U << PP_METHOD_POST)

struct pp_endpoint {
	const char *name;     /* after the prefix and '/'; one that ends in
				 '/' takes all that begins so */
	const char *sentence; /* for the index page; NULL: not shown there */
	unsigned int methods;
	uint64_t (*count)(const struct pp_service *); /* NULL: always 0 */
	void (*begin)(struct pp_task *, const struct pp_request *);
	void (*finish)(struct pp_task *); /* NULL: begin always answers */
	void (*cancel)(struct pp_task *); /* NULL: nothing to let go */
	const struct pp_named *named;	  /* for those of named.h */
};

/* Give every object that a slot has loaded its place, so that addresses mean
 * something before the first sample and again after a restart. */
void pp_service_follow_objects(struct pp_service *service);

void pp_ep_index_begin(struct pp_task *task, const struct pp_request *request);
void pp_ep_asset_begin(struct pp_task *task, const struct pp_request *request);
void pp_ep_cmdline_begin(struct pp_task *task,
    const struct pp_request *request);
void pp_ep_symbol_begin(struct pp_task *task, const struct pp_request *request);

uint64_t pp_ep_profile_count(const struct pp_service *service);
void pp_ep_profile_begin(struct pp_task *task,
    const struct pp_request *request);
void pp_ep_profile_finish(struct pp_task *task);
void pp_ep_profile_cancel(struct pp_task *task);
/* since=: 1 when it was, and is answered. In ep_recorded.c. */
int pp_ep_recorded_begin(struct pp_task *task, const char *query);

/*
 * Look for the names of recorded addresses, some at a time. Returns when to
 * call again.
 */
int64_t pp_ep_recorded_tick(struct pp_service *service, int64_t now);

/* Returns when to call again. */
int64_t pp_ep_profile_tick(struct pp_service *service, int64_t now);

uint64_t pp_ep_trace_count(const struct pp_service *service);
void pp_ep_trace_begin(struct pp_task *task, const struct pp_request *request);
void pp_ep_trace_finish(struct pp_task *task);
void pp_ep_trace_cancel(struct pp_task *task);

/*
 * Drain the rings of traces; traces that are full are due now. Returns when to
 * call again.
 */
int64_t pp_ep_trace_tick(struct pp_service *service, int64_t now);

void pp_ep_doctor_begin(struct pp_task *task, const struct pp_request *request);
void pp_ep_doctor_finish(struct pp_task *task);
void pp_ep_doctor_cancel(struct pp_task *task);
/* Returns when to call again. */
int64_t pp_ep_doctor_tick(struct pp_service *service, int64_t now);

extern const struct pp_named pp_ep_stalls;
uint64_t pp_ep_stalls_count(const struct pp_service *service);

extern const struct pp_named pp_ep_heap;
extern const struct pp_named pp_ep_allocs;
uint64_t pp_ep_heap_count(const struct pp_service *service);

extern const struct pp_named pp_ep_block;
extern const struct pp_named pp_ep_mutex;
extern const struct pp_named pp_ep_goroutine;
extern const struct pp_named pp_ep_threadcreate;
uint64_t pp_ep_block_count(const struct pp_service *service);
uint64_t pp_ep_mutex_count(const struct pp_service *service);
uint64_t pp_ep_goroutine_count(const struct pp_service *service);
uint64_t pp_ep_threadcreate_count(const struct pp_service *service);

/* The endpoint for custom profiles, of whatever name. */
extern const struct pp_endpoint pp_ep_own;

/* Whether the path ("/db.connections") names such a profile; then its name is
 * in the task. */
int pp_ep_own_find(struct pp_task *task, const char *path);

void pp_ep_routes_begin(struct pp_task *task, const struct pp_request *request);
void pp_ep_settings_begin(struct pp_task *task,
    const struct pp_request *request);

/* What a canonical address stands for: its frames, innermost first; 0: it has
 * no name. */
uint32_t pp_service_frames(struct pp_service *service, uint64_t address,
    struct pp_frame frame[PP_INLINES_MAX]);

#endif
