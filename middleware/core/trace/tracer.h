/*
 * The execution trace of all workers: what their threads wrote into the trace
 * rings (store/trace.h), as events (event.h), for any number of readers.
 *
 * Not the formats: those of encode/ get the events one by one and write bytes.
 *
 * Rule: cold; the only reader of the rings and the only writer of
 * control.trace. Whatever is in a ring, a reader gets a valid history: each
 * event fits the state that the events before it made, and the time of a P or a
 * G never goes back.
 */
#ifndef PP_TRACE_TRACER_H
#define PP_TRACE_TRACER_H

#include <stdint.h>

#include "merge/address_map.h"
#include "profile/profile.h"
#include "store/arena.h"
#include "trace/event.h"

struct pp_tracer_session;

/* `slots` has been checked against the arena's size. Recording that an earlier
 * collector has left on is turned off. NULL: out of memory. */
struct pp_tracer *pp_tracer_new(struct pp_arena *arena, uint32_t slots,
    struct pp_address_map *map);
void pp_tracer_free(struct pp_tracer *tracer);

/* Begin a session. `reader` is called now for what is there, and later by
 * pp_tracer_tick() for what happens. NULL with errno: EAGAIN when PP_TRACES_MAX
 * run already, ENOMEM. */
struct pp_tracer_session *pp_tracer_begin(struct pp_tracer *tracer,
    pp_tracer_reader *reader, void *arg);

/* Hand what has happened until now to the reader, and the end of all that runs.
 * After it, the caller calls pp_tracer_end(). */
void pp_tracer_stop(struct pp_tracer_session *session);

/* Forget the session. Names and stacks are valid until then. */
void pp_tracer_end(struct pp_tracer_session *session);

/* Return how many events this session has missed, as far as that is known. */
uint64_t pp_tracer_lost(const struct pp_tracer_session *session);

/* Drain the rings and follow workers. `now` is of CLOCK_MONOTONIC, in
 * nanoseconds, and so is the result: when to call again, INT64_MAX if not
 * before the next session. */
int64_t pp_tracer_tick(struct pp_tracer *tracer, int64_t now);

/* Return the stacks of these `words`, none of them 0, as the samples of a
 * profile without symbols, in that order; the caller frees it. NULL: out of
 * memory. */
struct pp_profile *pp_tracer_profile(const struct pp_tracer *tracer,
    const uint32_t *words, uint32_t count);

/* _heap(): set the bytes in use of all workers; the caller calls it before each
 * begin and stop, and when the time of _heap_due() has come (CLOCK_MONOTONIC,
 * ns; INT64_MAX: no session runs). */
int64_t pp_tracer_heap_due(const struct pp_tracer *tracer);
void pp_tracer_heap(struct pp_tracer *tracer, uint64_t bytes);

/* Take a CPU sample; this is the listener for pp_cpu_listen(). */
void pp_tracer_sample(void *tracer, uint32_t slot, uint32_t tid, int64_t ts,
    uint64_t inflight, const uint64_t *word, uint32_t words);

#endif
