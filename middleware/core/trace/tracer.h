/*
 * The execution trace of all workers: what their threads wrote into the trace
 * rings (store/trace.h), as events (event.h), for any number of readers.
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
#include "trace/event.h"

struct pp_tracer_session;

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
