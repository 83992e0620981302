/*
 * A trace as the file that `go tool trace` reads: the format of Go 1.11 to
 * 1.21, "go 1.19 trace", which newer Go reads, too.
 *
 * Not what happened: that is the tracer's (trace/event.h), whose reader
 * this is. What must hold for the events, and which versions of Go insist on
 * it, is in docs/formats.md.
 *
 *     pp_trace_go_new; the tracer calls pp_trace_go_event
 *     pp_trace_go_stacks: have these symbolized
 *     pp_trace_go_finish
 *
 * Rule: memory is bounded by the number of threads and of distinct stacks, not
 * by time: the rest goes to the file.
 */
#ifndef PP_ENCODE_TRACE_TRACE_GO_H
#define PP_ENCODE_TRACE_TRACE_GO_H

#include <stdint.h>

#include "profile/profile.h"
#include "trace/event.h"

struct pp_trace_go;

/* A trace that begins at `begin` (CLOCK_MONOTONIC) and ends itself before it
 * has `max` bytes. NULL: out of memory, or no file. */
struct pp_trace_go *pp_trace_go_new(int64_t begin, uint64_t max);
void pp_trace_go_free(struct pp_trace_go *go);

/* The reader for pp_tracer_begin(). */
void pp_trace_go_event(void *go, const struct pp_tracer_event *event);

/* Whether it has ended by itself. */
int pp_trace_go_full(const struct pp_trace_go *go);

/* Events written, for the curious. */
uint64_t pp_trace_go_events(const struct pp_trace_go *go);

/* The words of all stacks in it, for pp_tracer_profile(). NULL: out of
 * memory. */
const uint32_t *pp_trace_go_stacks(struct pp_trace_go *go, uint32_t *count);

/* Write a line of the log at the end, then what the events refer to: `stacks`
 * has a sample for each of the words, with names. Returns the file, the
 * caller's, and its length; -1: out of memory. */
int pp_trace_go_finish(struct pp_trace_go *go, const struct pp_tracer *tracer,
    const struct pp_profile *stacks, uint64_t *len);

#endif
