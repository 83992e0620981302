/*
 * Counting requests by route as they begin, run and end. What a request is,
 * and which one, is the adapter's.
 *
 * Rule: in the event loop's thread of a worker; no lock, no allocation, one
 * reading of the clock at each end of a handler's call.
 */
#ifndef PP_CAPTURE_ROUTE_COUNT_H
#define PP_CAPTURE_ROUTE_COUNT_H

#include <stdint.h>

/* A new process in this slot: what its predecessor had in progress is over. */
void pp_route_count_start(void);

/* A request begins. */
void pp_route_count_begin(uint32_t label);

/* A call of its handler, begun at `called_ns`, is over. `ended` 1: and the
 * request with it, which had begun at `begun_ns`. Returns the time. */
int64_t pp_route_count_ran(uint32_t label, int64_t called_ns, int ended,
    int64_t begun_ns);

/* It is over, but not by its handler. */
void pp_route_count_abandon(uint32_t label);

#endif
