/*
 * What the calling thread does, written into its trace ring while somebody
 * traces: the hooks call these functions. store/trace.h says what the records
 * mean; the collector reads them.
 *
 * While nobody traces, a hook costs one branch: if (pp_trace_active()).
 * Otherwise a record costs a reading of the clock and some words. A record is
 * dropped if it finds no room, or if a signal handler wants to write it in the
 * middle of another record. It is counted (PP_LOSS_TRACE_DROPPED), and the next
 * PP_TRACE_DROPPED says so.
 *
 * Rule: hot. The thread itself calls these functions; no lock, no allocation.
 * errno is kept.
 */
#ifndef PP_CAPTURE_TRACE_H
#define PP_CAPTURE_TRACE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/waits.h"
#include "capture/self.h"
#include "store/trace.h"

/* The value of control.trace that this process knows; 0 if it is no worker. */
extern _Atomic uint32_t pp_trace_on;

static inline int
pp_trace_active(void)
{
	return (__builtin_expect(atomic_load_explicit(&pp_trace_on,
				     memory_order_relaxed) != 0,
	    0));
}

/* The calling thread ends. If the thread has written nothing into this trace
 * and is in no request or task, nothing is written now either. */
void pp_trace_leave(void);

/* Read the control words again; async-signal-safe. */
void pp_trace_apply(void);

/*
 * The event loop's thread is between two handlers: only here it begins a trace,
 * with a SNAPSHOT of all that is in flight. If it has begun, nothing happens.
 */
void pp_trace_begin_loop(void);

/*
 * Write one record: words 0 and 1 of `record` are filled in here, the words
 * from 2 on by the caller. Returns 0, or -1: the thread has no entry, has not
 * begun, or the record was dropped.
 */
int pp_trace_write(enum pp_trace_kind kind, uint32_t n, uint32_t m,
    uint64_t *record, uint32_t words);

/* The same with a time that the caller has just read, in word 1. */
int pp_trace_write_at(enum pp_trace_kind kind, uint32_t n, uint32_t m,
    uint64_t *record, uint32_t words);

/* The same if somebody traces, with the words from 2 on as arguments. */
#define pp_trace(kind, n, m, ...)                                              \
	do {                                                                   \
		if (pp_trace_active()) {                                       \
			uint64_t record_[] = { 0, 0, __VA_ARGS__ };            \
                                                                               \
			(void)pp_trace_write((kind), (n), (m), record_,        \
			    sizeof(record_) / sizeof(record_[0]));             \
		}                                                              \
	} while (0)

/*
 * These pairs enclose a system call, and a wait for another thread. What
 * happens within (calls of a signal handler) is a part of it and is not
 * written. The first function returns what the second one needs.
 */
uint64_t pp_trace_call(enum pp_call call);
void pp_trace_called(enum pp_call call, uint64_t began);
uint64_t pp_trace_wait(enum pp_wait wait);
void pp_trace_waited(enum pp_wait wait, uint64_t began);

/* A call that has waited and has no record yet gets its two records now: from
 * when to when, by pp_clock_mono(). */
void pp_trace_call_past(enum pp_call call, int64_t began, int64_t ended);

/* Returns how often the calling thread has given its processor up by itself
 * since the thread began; 0 if a sandbox refuses to say. Async-signal-safe. */
long pp_trace_switches(void);

#endif
