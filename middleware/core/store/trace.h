/*
 * What a worker's threads write down while somebody traces: the records, and
 * each thread's ring, from which the collector takes them. Not when a record is
 * written, which is in capture/trace.h.
 *
 * Each thread has a ring of its own (struct pp_trace_ring in arena.h), so one
 * thread writes and one process reads. A record is written completely before
 * `head` moves over it; records may wrap. A full ring takes nothing: the
 * records that are missing are counted, and the next PP_TRACE_DROPPED says how
 * many.
 *
 * The release store of `head` pairs with the acquire load in
 * pp_record_reached(): the records below are complete. The release store of
 * `tail` pairs with the acquire load in pp_record_put(): the words have been
 * read. Both are 64-bit counts of words that never go back, and differ by at
 * most the ring's size. When a thread ends, the next thread with its index goes
 * on where it stopped; the thread table's state orders the two
 * (capture/thread.h).
 *
 *     word 0  words of the record, this one included    bits 0..7
 *             enum pp_trace_kind                        bits 8..15
 *             a small number, "n" below                 bits 16..31
 *             a larger one, "m" below                   bits 32..63
 *     word 1  CLOCK_MONOTONIC, ns; never earlier than the record before it
 *     word 2  and more: as the table below says
 *
 * Records name a request or a task by its id (struct pp_inflight in arena.h),
 * which stays the same for its life; no other request or task of any worker has
 * that id.
 *
 * A reader may rely on this order if nothing was dropped:
 * - The event loop's thread (index 0) begins between two handlers, with BEGIN
 *   and then a SNAPSHOT for each request and task in flight. Before that it
 *   writes nothing. Every other thread begins with its first record.
 * - BEGIN and its SNAPSHOTs have one time, and whatever they name ends later. A
 *   task may have written on its own thread before: if the id of a SNAPSHOT is
 *   known already, the SNAPSHOT says nothing new.
 * - RUN and RAN, TASK_RUN and TASK_END enclose what a request or a task does on
 *   a thread. CALL_END directly follows its CALL, and WAIT_END its WAIT.
 * - A record that causes something on another thread is stamped and published
 *   before the effect: TASK_QUEUED before its TASK_RUN. A reader that reads the
 *   heads of the other threads before the loop's head has read every cause.
 * - A request may be put to sleep while its handler runs; the request is asleep
 *   when the handler has returned (RAN).
 *
 * Rule: putting is hot: no lock, no allocation, no system call but the clock.
 * Taking is cold and believes nothing.
 */
#ifndef PP_STORE_TRACE_H
#define PP_STORE_TRACE_H

#include "base/calls.h"
#include "base/limits.h"
#include "store/arena.h"

/*
 * The kinds, with the words from 2 on (after the colon), n and m.
 *
 * label, stack: ids of the slot's tables, 0: none. text: len bytes, NUL padded
 * to whole words.
 */
enum pp_trace_kind {
	PP_TRACE_NONE, /* damage */
	/* The thread begins to record, and runs the request or task with this
	   id: pid << 32 | tid, id or 0. n: 1, there is an id. m: label of the
	   id */
	PP_TRACE_BEGIN,
	/* A request or task was in flight when recording began: id, stack,
	   since (ns), id of the request that a task works for, tid of the
	   thread that a task runs on or 0. n: enum pp_wait, 0: runnable, with
	   bit 15 set for a task; m: label */
	PP_TRACE_SNAPSHOT,
	/* So many records did not fit since the last record: the number */
	PP_TRACE_DROPPED,
	/* A request was read from its connection: id. m: label, 0: not known
	   yet. Optional: a RUN of an unknown id creates the request */
	PP_TRACE_CREATE,
	/* The request's handler is entered: id. m: label */
	PP_TRACE_RUN,
	/* The handler has returned: id. n: 1, the request has ended; 0: the
	   request is asleep, or its handler will be called again */
	PP_TRACE_RAN,
	/* A request is put to sleep: id, stack. n: enum pp_wait. If a second
	   SLEEP comes before the handler has returned, the second is right */
	PP_TRACE_SLEEP,
	/* The code on this thread has woken a request: id, stack of the waker.
	   n: enum pp_wait, the reason of the sleep */
	PP_TRACE_WAKE,
	/* A request has ended without running (client gone, timeout): id */
	PP_TRACE_END,
	/* A task is handed to the task threads: id of the task, id of its
	   request or 0, stack. m: label */
	PP_TRACE_TASK_QUEUED,
	/* A thread has taken the task: id. m: label */
	PP_TRACE_TASK_RUN,
	/* The task has returned: id */
	PP_TRACE_TASK_END,
	/* The event loop goes into epoll_wait(), and comes out. n of OUT:
	   number of events */
	PP_TRACE_POLL,
	PP_TRACE_POLL_OUT,
	/* A system call that may block, and its end. n: enum pp_call;
	   word 2 of END: stack, 0 if the call took less than
	   PP_TRACE_SHORT_NS */
	PP_TRACE_CALL,
	PP_TRACE_CALL_END,
	/* A wait for another thread, and its end. n: enum pp_wait;
	   word 2 of END: stack */
	PP_TRACE_WAIT,
	PP_TRACE_WAIT_END,
	/* Something happened to the server. n: enum pp_trace_instant; word 2: a
	   number whose meaning the table of instants tells */
	PP_TRACE_INSTANT,
	/* The thread ends and writes nothing more. Optional: a BEGIN with
	   another tid ends the thread, too */
	PP_TRACE_LEAVE,
	/* The application begins a task of its own: task, parent or 0, text.
	   n: len. The id of the task is unique in the service, and no
	   request's. A parent, like the task of a region or a log, is such a
	   task or a request. */
	PP_TRACE_USER_TASK,
	PP_TRACE_USER_TASK_END, /* task */
	PP_TRACE_USER_REGION,	/* task or 0, text. n: len */
	PP_TRACE_USER_REGION_END,
	/* task or 0, then two texts, category and message, each beginning at
	   a word. n: len of the first, m: len of the second */
	PP_TRACE_USER_LOG,
	PP_TRACE_COUNT
};

/* X(enum suffix, text for people, meaning of the number; "" for none) */
#define PP_TRACE_INSTANT_TABLE(X)                                              \
	X(ACCEPT_TAKEN, "accept lock taken", "")                               \
	X(ACCEPT_GIVEN, "accept lock given back", "")                          \
	X(MESSAGE_SENT, "worker message sent", "message id")                   \
	X(MESSAGE_GOT, "worker message received", "message id")                \
	X(RELOAD, "modules reloaded", "")                                      \
	X(TIMER, "timer ran", "")                                              \
	X(CONNECTION, "connection accepted", "")

enum pp_trace_instant {
#define PP_TRACE_INSTANT_ENUM(name, text, number) PP_TRACE_INSTANT_##name,
	PP_TRACE_INSTANT_TABLE(PP_TRACE_INSTANT_ENUM)
#undef PP_TRACE_INSTANT_ENUM
	    PP_TRACE_INSTANT_COUNT
};

/* A call shorter than this did not block, and no stack is taken. */
#define PP_TRACE_SHORT_NS 20000

/* A call shorter than this cannot have given its processor up. */
#define PP_TRACE_BLOCKED_NS 5000

/* A wait that only the kernel has seen is recorded if it lasted this long. */
#define PP_TRACE_AWAY_NS 1000000

/* Words of the longest record: a log with two texts. */
#define PP_TRACE_RECORD_MAX (3 + 2 * ((PP_TRACE_TEXT_MAX + 7) / 8))

static inline uint64_t
pp_trace_head(enum pp_trace_kind kind, uint32_t words, uint32_t n, uint32_t m)
{
	return ((uint64_t)m << 32 | (uint64_t)(n & 0xffff) << 16 |
	    (uint64_t)kind << 8 | words);
}

/* The words of a thread's ring, and in *count their number (a power of two).
 * `place` < PP_THREADS_MAX is the thread's index. */
static inline _Atomic uint64_t *
pp_trace_words(struct pp_slot *slot, uint32_t place, uint32_t *count)
{
	if (place == 0) {
		*count = PP_TRACE_LOOP_WORDS;
		return (slot->trace_loop);
	}
	*count = PP_TRACE_THREAD_WORDS;
	return (slot->trace_thread[place]);
}

/*
 * Append the record in `record`, whose word 0 says how long it is. Only the
 * thread with the index `place` may call this, and a signal handler in the
 * middle of a call may not. Returns 0, or -1 when the ring is full (nothing is
 * written). Hot.
 */
int pp_record_put(struct pp_slot *slot, uint32_t place, const uint64_t *record);

/* The head of a thread's ring: pp_record_take() may read up to there. */
uint64_t pp_record_reached(struct pp_slot *slot, uint32_t place);

/*
 * Take the oldest record below `reached`, into `record`, which has room for
 * PP_TRACE_RECORD_MAX words. Returns the number of its words, at least 2; 0
 * when there is none; -1 when the ring was damaged and has been skipped to its
 * head (count PP_LOSS_RINGS_REPAIRED). The contents are not checked. The
 * collector's one thread only.
 */
int pp_record_take(struct pp_slot *slot, uint32_t place, uint64_t reached,
    uint64_t *record);

/* Drop all records of a thread's ring. The collector's one thread only. */
void pp_record_skip(struct pp_slot *slot, uint32_t place);

#endif
