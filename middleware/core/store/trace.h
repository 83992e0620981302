/*
 * What a worker's threads write down while somebody traces: the records, and
 * the queue of each thread in which the collector finds them.
 *
 * Each thread has a ring of its own (struct pp_trace_ring in arena.h), so one
 * thread writes and one process reads. A record is written whole, then `head`
 * moves over it; records may wrap. A full ring takes nothing: what is not
 * written is counted, and told by the next PP_TRACE_DROPPED.
 *
 *     word 0  words of the record, this one included    bits 0..7
 *             enum pp_trace_kind                        bits 8..15
 *             a small number, "n" below                 bits 16..31
 *             a larger one, "m" below                   bits 32..63
 *     word 1  CLOCK_MONOTONIC, ns; never earlier than the record before it
 *     word 2  what the table says; always there when it says so
 *
 * A request or a task is called by its id in the slot's flights (arena.h),
 * which it keeps for life and which no other has in any worker.
 *
 * The order that may be relied on, if nothing was dropped:
 * - the event loop's thread (place 0) begins between two handlers, with
 *   BEGIN, then a SNAPSHOT for each request and task in progress. Before that
 *   it writes nothing. Every other thread begins with its first record.
 * - BEGIN and its SNAPSHOTs have one time, and what they tell of ends later.
 *   A task may have written on its own thread before: of an id that is known
 *   a SNAPSHOT says nothing new.
 * - RUN, RAN and TASK_RUN, TASK_END enclose what a request or a task does on
 *   a thread; CALL, CALL_END and WAIT, WAIT_END follow each other directly.
 * - what causes something on another thread is stamped and published before:
 *   TASK_QUEUED before its TASK_RUN. A reader that looks at the heads of the
 *   threads before it looks at the loop's has read every cause.
 * - a request may be put to sleep while its handler runs; it is asleep when
 *   the handler has returned (RAN).
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
 * n and m, and the words from 2 on.
 *
 * label, stack: ids of the slot's tables, 0: none. text: len bytes, NUL padded
 * to whole words.
 */
enum pp_trace_kind {
	PP_TRACE_NONE, /* damage */
	/* The thread is here, and what it does: pid << 32 | tid, id or 0.
	   n: 1, the id is a task. m: label of the id */
	PP_TRACE_BEGIN,
	/* In progress when recording began: id, stack, since (ns), id of the
	   request that a task is for, tid of the thread that a task runs on
	   or 0. n: enum pp_wait, 0: runnable, with bit 15 set for a task; m:
	   label */
	PP_TRACE_SNAPSHOT,
	/* How many records did not fit since the last one. word 2 */
	PP_TRACE_DROPPED,
	/* A request was read from its connection: id. m: label, 0: not known
	   yet. Optional: a RUN of an unknown id creates it */
	PP_TRACE_CREATE,
	/* Its handler is entered: id. m: label */
	PP_TRACE_RUN,
	/* The handler has returned: id. n: 1, the request has ended; 0: it
	   is asleep, or will be called again */
	PP_TRACE_RAN,
	/* Put to sleep: id, stack. n: enum pp_wait. One more before its
	   handler has returned knows better than the one before */
	PP_TRACE_SLEEP,
	/* Woken by what runs on this thread: id, stack of the waker.
	   n: enum pp_wait, what it slept for */
	PP_TRACE_WAKE,
	/* Ended without running: id (client gone, timeout) */
	PP_TRACE_END,
	/* Handed to the task threads: id of the task, id of its request or 0,
	   stack. m: label */
	PP_TRACE_TASK_QUEUED,
	/* Its thread has taken it: id. m: label */
	PP_TRACE_TASK_RUN,
	/* It has returned: id */
	PP_TRACE_TASK_END,
	/* The event loop goes into epoll_wait(), and comes out. n of OUT:
	   events it got */
	PP_TRACE_POLL,
	PP_TRACE_POLL_OUT,
	/* A system call that may block, and its end. n: enum pp_call;
	   word 2 of END: stack, 0 if it took less than
	   PP_TRACE_SHORT_NS */
	PP_TRACE_CALL,
	PP_TRACE_CALL_END,
	/* A wait for another thread, and its end. n: enum pp_wait;
	   word 2 of END: stack */
	PP_TRACE_WAIT,
	PP_TRACE_WAIT_END,
	/* What happened to the server. n: enum pp_trace_mark; word 2: a
	   number whose meaning the mark tells */
	PP_TRACE_MARK,
	/* The thread ends; nothing comes from it any more. Optional: a BEGIN
	   with another tid ends it, too */
	PP_TRACE_LEAVE,
	/* The application's own. Ids of tasks are given by the thread, unique
	   in the service, and no request's: task, parent or 0, text. n: len.
	   A parent, and what a region or log belongs to, is such a task or a
	   request. */
	PP_TRACE_USER_TASK,
	PP_TRACE_USER_TASK_END, /* task */
	PP_TRACE_USER_REGION,	/* task or 0, text. n: len */
	PP_TRACE_USER_REGION_END,
	/* task or 0, then two texts, category and message, each beginning at
	   a word. n: len of the first, m: len of the second */
	PP_TRACE_USER_LOG,
	PP_TRACE_COUNT
};

/* X(enum suffix, what a person reads, what the number is; "" for none) */
#define PP_TRACE_MARK_TABLE(X)                                                 \
	X(ACCEPT_TAKEN, "accept lock taken", "")                               \
	X(ACCEPT_GIVEN, "accept lock given back", "")                          \
	X(MESSAGE_SENT, "worker message sent", "message id")                   \
	X(MESSAGE_GOT, "worker message received", "message id")                \
	X(RELOAD, "modules reloaded", "")                                      \
	X(TIMER, "timer ran", "")                                              \
	X(CONNECTION, "connection accepted", "")

enum pp_trace_mark {
#define PP_TRACE_MARK_ENUM(name, text, number) PP_TRACE_MARK_##name,
	PP_TRACE_MARK_TABLE(PP_TRACE_MARK_ENUM)
#undef PP_TRACE_MARK_ENUM
	    PP_TRACE_MARK_COUNT
};

/* A call shorter than this did not block: no stack is taken of it. */
#define PP_TRACE_SHORT_NS 20000

/* Nor has one that is shorter than this given its processor up. */
#define PP_TRACE_BLOCKED_NS 5000

/* What the kernel says to have been waited is told from here on. */
#define PP_TRACE_AWAY_NS 1000000

/* The longest record: a log with two texts. */
#define PP_TRACE_RECORD_MAX (3 + 2 * ((PP_TRACE_TEXT_MAX + 7) / 8))

static inline uint64_t
pp_trace_head(enum pp_trace_kind kind, uint32_t words, uint32_t n, uint32_t m)
{
	return ((uint64_t)m << 32 | (uint64_t)(n & 0xffff) << 16 |
	    (uint64_t)kind << 8 | words);
}

/* Where the ring of a thread lies: the words, and how many (a power of two).
 * `place` < PP_THREADS_MAX. */
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
 * Append one record, as it stands in `record`. Only by the thread that has
 * the place, which must not be interrupted by another put of its own. Returns
 * 0, or -1 when the ring is full (nothing is written). Hot.
 */
int pp_trace_put(struct pp_slot *slot, uint32_t place, const uint64_t *record);

/* Where the place's thread has got to: what pp_trace_take() may read up to. */
uint64_t pp_trace_reached(struct pp_slot *slot, uint32_t place);

/*
 * Take the oldest record below `reached`, into `record`, which has room for
 * PP_TRACE_RECORD_MAX words. Returns its words, at least 2; 0 when there is
 * none; -1 when the ring was damaged and has been skipped to its head (count
 * PP_LOSS_RINGS_REPAIRED). What it means is not checked. Collector only.
 */
int pp_trace_take(struct pp_slot *slot, uint32_t place, uint64_t reached,
    uint64_t *record);

/* Forget what a place's ring holds. Collector only. */
void pp_trace_skip(struct pp_slot *slot, uint32_t place);

#endif
