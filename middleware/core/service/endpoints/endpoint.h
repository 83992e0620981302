/*
 * What an endpoint is, and what endpoints share: private to service/.
 *
 * One table (service/endpoints.c) says which there are; routing and the index
 * page iterate it. To add one, write its functions in a file ep_<name>.c and
 * add a row.
 *
 * Rule: `begin` either writes the answer at once, or sets a deadline and keeps
 * what it needs in the task's state; then `finish` writes the answer or
 * `cancel` ends the work. Each of the two frees all that the state keeps.
 */
#ifndef PP_SERVICE_ENDPOINTS_ENDPOINT_H
#define PP_SERVICE_ENDPOINTS_ENDPOINT_H

#include <sys/queue.h>

#include <stddef.h>

#include "counts/heap.h"
#include "counts/memory.h"
#include "counts/route_sums.h"
#include "cpu/cpu.h"
#include "cpu/recorder.h"
#include "live/stalls.h"
#include "merge/address_map.h"
#include "merge/resolve.h"
#include "service/endpoints/format.h"
#include "service/endpoints/named.h"
#include "service/http/message.h"
#include "store/arena.h"
#include "symbol/symbols.h"
#include "trace/tracer.h"

struct pp_service {
	const struct pp_endpoint *endpoints; /* the table, sorted by name */
	size_t endpoints_count;
	struct pp_arena *arena;
	struct pp_symbols *symbols;
	struct pp_address_map *map;
	struct pp_cpu *cpu;
	struct pp_heap_reader *heap;
	struct pp_memory *memory;
	struct pp_resolver *resolver; /* for all but CPU, heap and trace */
	struct pp_tracer *tracer;
	struct pp_counts_routes *routes;
	int64_t started_ns; /* CLOCK_MONOTONIC */
	struct pp_recorder *recorder;
	struct pp_stalls *stalls;
	void (*log)(const char *line); /* NULL: nobody listens */
	LIST_HEAD(, pp_task) tasks; /* begun, not yet finished or cancelled */
	int warm; /* 1: names were read since memory was given back */
	int settings_locked; /* 1: requests change no rates */
	int statm;	     /* open, of this process; -1: not known */
	/* The last profile above the kernel's tick: what was asked, and what
	 * came; 0: none. */
	unsigned int fast_asked;
	double fast_got;
	uint32_t kept;	       /* samples of deltas' first readings */
	int32_t parent_pid;    /* as it was at the start */
	uint32_t slots;	       /* checked at the start, never read again */
	uint32_t cpu_profiles; /* tasks of profile that run */
	uint32_t traces;       /* tasks of trace that run */
	int64_t heap_sent_ns;  /* when heap values were last sent to traces */
	int64_t idle_since;    /* CLOCK_MONOTONIC; of the last answer */
	int trimmed;	       /* 1: memory given back since then */
	uint32_t changes[PP_WORKERS_MAX + 1]; /* of each slot's objects, seen */
};

/* Bytes of an endpoint's own state. An endpoint that needs more keeps a pointer
 * there. */
#define PP_TASK_STATE_BYTES 512

struct pp_task {
	struct pp_service *service;
	const struct pp_endpoint *endpoint; /* NULL: answered by the routing */
	int64_t deadline;
	struct pp_answer answer;
	struct pp_format_asked asked; /* of profiles */
	LIST_ENTRY(pp_task) list;     /* of the service */
	/* The endpoint's own, zero at first; see PP_TASK_STATE(). */
	_Alignas(max_align_t) char state[PP_TASK_STATE_BYTES];
};

/*
 * Define a function that returns a task's state as the type that the endpoint
 * keeps there.
 */
#define PP_TASK_STATE(function, type)                                          \
	type *function(struct pp_task *task)                                   \
	{                                                                      \
		return ((type *)(void *)task->state);                          \
	}                                                                      \
	_Static_assert(sizeof(type) <= PP_TASK_STATE_BYTES,                    \
	    "a task has no room for this state")

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
	/* Looks after a task that has no answer yet, at each turn of the
	 * service; may move the task's deadline. Returns when to call it again.
	 * NULL: the task waits for its deadline only. */
	int64_t (*tick)(struct pp_task *, int64_t now);
	const struct pp_named *named; /* for those of named.h */
};

/* Give every object that a slot has loaded its mapping, so that addresses mean
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
int64_t pp_ep_profile_tick(struct pp_task *task, int64_t now);
/* Returns 1 if the request has since=; then it is answered. In ep_recorded.c.
 */
int pp_ep_recorded_begin(struct pp_task *task, const char *query);

uint64_t pp_ep_trace_count(const struct pp_service *service);
void pp_ep_trace_begin(struct pp_task *task, const struct pp_request *request);
void pp_ep_trace_finish(struct pp_task *task);
void pp_ep_trace_cancel(struct pp_task *task);
int64_t pp_ep_trace_tick(struct pp_task *task, int64_t now);

void pp_doctor_begin(struct pp_task *task, const struct pp_request *request);
void pp_doctor_finish(struct pp_task *task);
void pp_doctor_cancel(struct pp_task *task);
int64_t pp_doctor_tick(struct pp_task *task, int64_t now);

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
extern const struct pp_endpoint pp_ep_custom;

/* Whether the path ("/db.connections") names such a profile; then its name is
 * in the task. */
int pp_ep_custom_find(struct pp_task *task, const char *path);

void pp_ep_routes_begin(struct pp_task *task, const struct pp_request *request);
void pp_ep_settings_begin(struct pp_task *task,
    const struct pp_request *request);

/* Returns the frames that a canonical address stands for, innermost first; 0:
 * the address has no name. */
uint32_t pp_service_frames(struct pp_service *service, uint64_t address,
    struct pp_frame frame[PP_INLINES_MAX]);

/* Looks for the names of recorded addresses, a piece at a time. Returns when to
 * call it again. */
int64_t pp_service_name_recorded(struct pp_service *service, int64_t now);

/* If it is time, give the tracer the next value of the heap's line, which
 * belongs before what is drained next. In ep_trace.c. */
void pp_service_heap_line(struct pp_service *service, int64_t now);

#endif
