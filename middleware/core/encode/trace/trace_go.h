/*
 * A trace as the file that `go tool trace` reads. The format is that of Go 1.11
 * to 1.21 (header "go 1.19 trace"), which newer Go reads, too.
 *
 * Not the history: the tracer makes that (trace/event.h), and this is one of
 * its readers. docs/formats.md says what must hold for the events, and which
 * versions of Go insist on it.
 *
 *     pp_go_new; the tracer calls pp_go_event
 *     pp_go_stacks_of: have these symbolized
 *     pp_go_finish
 *
 * Rule: cold; memory is bounded by the number of threads and of distinct
 * stacks, not by time: everything else goes to the file.
 */
#ifndef PP_ENCODE_TRACE_TRACE_GO_H
#define PP_ENCODE_TRACE_TRACE_GO_H

#include <stdint.h>

#include "profile/profile.h"
#include "trace/event.h"

struct pp_go;

/* Make a trace that begins at `begin` (CLOCK_MONOTONIC, ns) and ends itself
 * before it has `max` bytes. NULL: out of memory, or no file. */
struct pp_go *pp_go_new(int64_t begin, uint64_t max);
void pp_go_free(struct pp_go *go);

/* Take an event; this is the reader for pp_tracer_begin(). */
void pp_go_event(void *go, const struct pp_tracer_event *event);

/* Whether the trace has ended itself. */
int pp_go_full(const struct pp_go *go);

/* Return the number of events written. */
uint64_t pp_go_events(const struct pp_go *go);

/* Return the words of all stacks in the trace, for pp_tracer_profile(); they
 * stay the trace's. NULL: out of memory. */
const uint32_t *pp_go_stacks_of(struct pp_go *go, uint32_t *count);

/* Write a last line of the log, and then what the events refer to: `stacks` has
 * one sample, with names, for each of the words. Returns the file, which the
 * caller closes, and its length; -1: out of memory. */
int pp_go_finish(struct pp_go *go, const struct pp_tracer *tracer,
    const struct pp_profile *stacks, uint64_t *len);

#endif
