/* Hot: signal handlers run what is in this file. */
/*
 * See trace.h. When control.trace has changed, a thread begins with its next
 * record. It remembers the value with which it began.
 */
#include <sys/resource.h>
#include <sys/syscall.h>

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hot_path.h"
#include "capture/trace.h"
#include "capture/unwind_lib.h"
#include "capture/wait.h"

PP_HOT_PATH_DATA _Atomic uint32_t pp_trace_on;

static __thread struct {
	uint32_t began;		  /* control.trace at the begin; 0: never */
	uint32_t inside;	  /* the same, between a call and its end */
	volatile uint32_t busy;	  /* a record is being written */
	_Atomic uint64_t dropped; /* dropped records, not reported yet */
	uint64_t last;		  /* time of the last record */
	int runs;		  /* 1: a handler, a task or a thread runs */
	struct {		  /* the kernel's last answers, and when */
		uint64_t at;
		int64_t cpu;
		long switches;
	} asked;
} trace;

/* The store is repeated until the word is unchanged, as in pp_wait_apply(), but
 * not for ever. */
void
pp_trace_apply(void)
{
	uint32_t on;
	int tries = 0;

	do {
		on = pp_self.worker != 0
		    ? atomic_load(&pp_self.arena->control.trace)
		    : 0;
		atomic_store(&pp_trace_on, on);
	} while (pp_self.worker != 0 && ++tries < PP_PROBES_MAX &&
	    on != atomic_load(&pp_self.arena->control.trace));
}

static void
trace_lose(void)
{
	atomic_fetch_add_explicit(&trace.dropped, 1, memory_order_relaxed);
	pp_slot_lose(pp_self.slot, PP_LOSS_TRACE_DROPPED, 1);
}

/* If records are missing, the reader must know before it reads on: nothing else
 * is written until a record says how many are missing. */
PP_HOT_PATH static int
trace_put(uint32_t place, uint64_t *record)
{
	uint64_t missing[3], dropped;

	dropped = atomic_load_explicit(&trace.dropped, memory_order_relaxed);
	if (__builtin_expect(dropped != 0, 0)) {
		missing[0] = pp_trace_head(PP_TRACE_DROPPED, 3, 0, 0);
		missing[1] = record[1];
		missing[2] = dropped;
		if (pp_record_put(pp_self.slot, place, missing) == 0)
			atomic_fetch_sub_explicit(&trace.dropped, dropped,
			    memory_order_relaxed);
		else
			dropped = UINT64_MAX;
	}
	if (dropped != UINT64_MAX &&
	    pp_record_put(pp_self.slot, place, record) == 0)
		return (0);
	trace_lose();
	return (-1);
}

static int
trace_begin(uint32_t place, uint32_t on, int64_t now)
{
	uint64_t record[4];

	record[0] = pp_trace_head(PP_TRACE_BEGIN, 4, pp_self_inflight != 0,
	    pp_self_inflight != 0 ? pp_label_now : 0);
	record[1] = (uint64_t)now;
	record[2] = (uint64_t)(uint32_t)pp_self.pid << 32 |
	    (uint32_t)pp_thread_self->tid;
	record[3] = pp_self_inflight;
	trace.inside = 0;
	trace.asked.at = 0;
	if (trace_put(place, record) == -1)
		return (-1);
	trace.began = on;
	trace.last = (uint64_t)now;
	trace.runs = place != 0 || pp_self_inflight != 0;
	return (0);
}

/* Returns the calling thread's index if it may write now, else -1. */
static int
trace_enter(void)
{
	if (pp_thread_self == NULL)
		return (-1);
	if (trace.busy) {
		trace_lose();
		return (-1);
	}
	trace.busy = 1;
	atomic_signal_fence(memory_order_seq_cst);
	return ((int)(pp_thread_self - pp_self.thread));
}

static void
trace_leave(void)
{
	atomic_signal_fence(memory_order_seq_cst);
	trace.busy = 0;
}

long
pp_trace_switches(void)
{
	struct rusage used;
	int saved = errno;

	if (syscall(SYS_getrusage, RUSAGE_THREAD, &used) == 0)
		return (used.ru_nvcsw);
	/* A sandbox refuses the call. */
	errno = saved;
	return (0);
}

static void
trace_put_call(uint32_t place, enum pp_call call, uint64_t from, uint64_t to)
{
	uint64_t record[3];

	record[0] = pp_trace_head(PP_TRACE_CALL, 2, call, 0);
	record[1] = from;
	if (trace_put(place, record) == -1)
		return;
	record[0] = pp_trace_head(PP_TRACE_CALL_END, 3, call, 0);
	record[1] = to;
	record[2] = 0;
	(void)trace_put(place, record);
}

/*
 * Tells of a wait that no function of ours has seen. The kernel knows of it:
 * the thread has given its processor up, and has not used all the time since.
 * Nobody knows where the wait lies between the last record and this one; the
 * trace shows it at the end.
 */
static __attribute__((noinline)) void
trace_ask(uint32_t place, uint64_t now, int runs)
{
	int64_t cpu = pp_clock_read(CLOCK_THREAD_CPUTIME_ID), away, since;
	long switches = pp_trace_switches();

	since = (int64_t)(now - trace.last);
	away = (int64_t)(now - trace.asked.at) - (cpu - trace.asked.cpu);
	if (away > since)
		away = since;
	if (runs && trace.asked.at != 0 && switches != trace.asked.switches &&
	    away >= PP_TRACE_AWAY_NS)
		trace_put_call(place, PP_CALL_system_call, now - (uint64_t)away,
		    now);
	trace.asked.at = now;
	trace.asked.cpu = cpu;
	trace.asked.switches = switches;
}

/* Whether the kernel is to be asked now. After a wait that has a record, the
 * kernel is asked so that its next answer is only about waits without a record.
 * Otherwise it is asked if there may have been a wait without a record. */
PP_HOT_PATH static inline int
trace_asks(enum pp_trace_kind kind, uint64_t now)
{
	uint64_t since = now - trace.last;

	if (kind == PP_TRACE_POLL_OUT || kind == PP_TRACE_CALL_END ||
	    kind == PP_TRACE_WAIT_END)
		return (since >= PP_TRACE_BLOCKED_NS);
	return (kind == PP_TRACE_TASK_RUN || since >= PP_TRACE_AWAY_NS ||
	    trace.asked.at == 0);
}

/* Notes what the thread does after a record of that kind. */
PP_HOT_PATH static inline void
trace_runs(enum pp_trace_kind kind, uint64_t now)
{
	if (kind == PP_TRACE_RUN || kind == PP_TRACE_TASK_RUN)
		trace.runs = 1;
	else if (kind == PP_TRACE_RAN || kind == PP_TRACE_TASK_END ||
	    kind == PP_TRACE_POLL)
		trace.runs = 0;
	trace.last = now;
}

PP_HOT_PATH static inline int
trace_write(enum pp_trace_kind kind, uint32_t n, uint32_t m, uint64_t *record,
    uint32_t words, int timed)
{
	uint32_t on = atomic_load_explicit(&pp_trace_on, memory_order_relaxed);
	int place, result = -1;

	if (kind == PP_TRACE_RUN || kind == PP_TRACE_TASK_RUN)
		trace.inside = 0;
	/* The loop's thread begins at a safe point: pp_trace_begin_loop(). */
	if (on == 0 || (trace.began != on && pp_thread_self == pp_self.thread))
		return (-1);
	place = trace_enter();
	if (place == -1)
		return (-1);
	record[0] = pp_trace_head(kind, words, n, m);
	if (!timed)
		record[1] = (uint64_t)pp_clock_mono();
	if (trace.began == on ||
	    trace_begin((uint32_t)place, on, (int64_t)record[1]) == 0) {
		if (__builtin_expect(trace_asks(kind, record[1]), 0))
			trace_ask((uint32_t)place, record[1],
			    trace.runs && trace.inside == 0);
		result = trace_put((uint32_t)place, record);
		trace_runs(kind, record[1]);
	}
	trace_leave();
	return (result);
}

PP_HOT_PATH int
pp_trace_write(enum pp_trace_kind kind, uint32_t n, uint32_t m,
    uint64_t *record, uint32_t words)
{
	return (trace_write(kind, n, m, record, words, 0));
}

PP_HOT_PATH int
pp_trace_write_at(enum pp_trace_kind kind, uint32_t n, uint32_t m,
    uint64_t *record, uint32_t words)
{
	return (trace_write(kind, n, m, record, words, 1));
}

/*
 * All snapshots have the time at which the thread began, which was read before
 * any entry of the table. So what is found in the table ends after that time,
 * on whatever thread.
 */
static void
trace_snapshot(const struct pp_inflight *inflight, int64_t now)
{
	uint64_t record[7], id;
	uint32_t state, n;

	id = atomic_load(&inflight->id);
	if (id == 0)
		return;
	state = atomic_load(&inflight->state);
	n = (state < PP_WAIT_COUNT ? state : PP_WAIT_NONE) |
	    (atomic_load(&inflight->task) != 0 ? 1U << 15 : 0);
	record[0] = pp_trace_head(PP_TRACE_SNAPSHOT, 7, n,
	    atomic_load(&inflight->label));
	record[1] = (uint64_t)now;
	record[2] = id;
	record[3] = atomic_load(&inflight->stack);
	record[4] = (uint64_t)atomic_load(&inflight->since_ns);
	record[5] = atomic_load(&inflight->request);
	record[6] = atomic_load(&inflight->tid);
	/* If the id is another one now, a task has ended meanwhile, and another
	 * task has taken the entry. */
	if (atomic_load(&inflight->id) == id)
		(void)trace_put(0, record);
}

void
pp_trace_begin_loop(void)
{
	uint32_t on = atomic_load_explicit(&pp_trace_on, memory_order_relaxed);
	const struct pp_inflights *inflights;
	uint32_t used, i;
	int64_t now;

	if (on == 0 || trace.began == on || pp_thread_self != pp_self.thread ||
	    trace_enter() == -1)
		return;
	now = pp_clock_mono();
	if (trace_begin(0, on, now) == 0) {
		inflights = &pp_self.slot->inflights;
		used = atomic_load(&inflights->used);
		for (i = 0; i < used && i < PP_INFLIGHT_MAX; i++)
			trace_snapshot(&inflights->inflight[i], now);
	}
	trace_leave();
}

/* A handler of the application may interrupt a wait and leave it by longjmp():
 * the begin of the next request or task clears trace.inside. If the unwinder
 * waits for its lock on our behalf, no record is written: a thread that sleeps
 * would seem to have left its call. */
static uint64_t
trace_span_begin(enum pp_trace_kind kind, uint32_t n)
{
	uint64_t record[2];

	if (trace.inside != 0 || pp_unwind_ours ||
	    pp_trace_write(kind, n, 0, record, 2) == -1)
		return (0);
	trace.inside = trace.began;
	return (record[1]);
}

static void
trace_span_end(enum pp_trace_kind kind, uint32_t n, uint64_t began,
    uint64_t shortest)
{
	uint64_t record[3] = { 0 };
	int saved = errno;

	if (began == 0)
		return;
	if (trace.inside ==
	    atomic_load_explicit(&pp_trace_on, memory_order_relaxed)) {
		if (shortest == 0 ||
		    (uint64_t)pp_clock_mono() - began >= shortest)
			record[2] = pp_wait_stack();
		(void)pp_trace_write(kind, n, 0, record, 3);
	}
	trace.inside = 0;
	errno = saved;
}

uint64_t
pp_trace_call(enum pp_call call)
{
	return (trace_span_begin(PP_TRACE_CALL, call));
}

void
pp_trace_called(enum pp_call call, uint64_t began)
{
	trace_span_end(PP_TRACE_CALL_END, call, began, PP_TRACE_SHORT_NS);
}

uint64_t
pp_trace_wait(enum pp_wait wait)
{
	return (trace_span_begin(PP_TRACE_WAIT, wait));
}

void
pp_trace_waited(enum pp_wait wait, uint64_t began)
{
	trace_span_end(PP_TRACE_WAIT_END, wait, began, 0);
}

void
pp_trace_call_past(enum pp_call call, int64_t began, int64_t ended)
{
	uint32_t on = atomic_load_explicit(&pp_trace_on, memory_order_relaxed);
	uint64_t from = (uint64_t)began;
	int place;

	if (on == 0 || trace.began != on || trace.inside != 0 ||
	    (uint64_t)ended < trace.last || (place = trace_enter()) == -1)
		return;
	if (from < trace.last)
		from = trace.last;
	trace_put_call((uint32_t)place, call, from, (uint64_t)ended);
	trace.last = (uint64_t)ended;
	trace.asked.at = 0;
	trace_leave();
}

void
pp_trace_leave(void)
{
	uint32_t on = atomic_load_explicit(&pp_trace_on, memory_order_relaxed);

	if (on != 0 && (trace.began == on || pp_self_inflight != 0))
		pp_trace(PP_TRACE_LEAVE, 0, 0);
}
