/*
 * A trace as ui.perfetto.dev reads it: track events in protobuf.
 *
 * Each thread of a worker is a row. Further rows are for sleeping requests, for
 * tasks of the application and for the heap; arrows join the runs of a request
 * and of its tasks.
 *
 * Not in this file: stacks and CPU samples, which are in the file for Go
 * (trace_go.h).
 *
 * Rule: cold; memory is bounded by what is in progress, not by time.
 */
#ifndef PP_ENCODE_TRACE_TRACE_PERFETTO_H
#define PP_ENCODE_TRACE_TRACE_PERFETTO_H

#include <stdint.h>

#include "trace/event.h"

struct pp_perfetto;

/* As pp_go_new(); `tracer` gives the names, and must outlive the
 * trace. */
struct pp_perfetto *pp_perfetto_new(const struct pp_tracer *tracer,
    int64_t begin, uint64_t max);
void pp_perfetto_free(struct pp_perfetto *pf);

/* Take an event; this is the reader for pp_tracer_begin(). */
void pp_perfetto_event(void *pf, const struct pp_tracer_event *event);

int pp_perfetto_full(const struct pp_perfetto *pf);

/* Finish the trace. Returns the file, which the caller closes, and its length;
 * -1: out of memory. */
int pp_perfetto_finish(struct pp_perfetto *pf, uint64_t *len);

#endif
