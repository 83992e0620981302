/*
 * Counting requests by route as they begin, run and end. The adapter says what
 * a request is, and calls these functions.
 *
 * Rule: in the event loop's thread of a worker; no lock, no allocation. The end
 * of each call of a handler costs one reading of the clock.
 */
#ifndef PP_CAPTURE_ROUTE_COUNT_H
#define PP_CAPTURE_ROUTE_COUNT_H

#include <stdint.h>

/* A new process starts in this slot: the requests that its predecessor had in
 * progress are over. */
void pp_route_count_start(void);

/* A request begins. */
void pp_route_count_begin(uint32_t label);

/* A call of the request's handler, begun at `called_ns`, is over. `ended` 1:
 * the request, which began at `begun_ns`, is over, too. Returns the time. */
int64_t pp_route_count_ran(uint32_t label, int64_t called_ns, int ended,
    int64_t begun_ns);

/* A request is over, but its handler has not ended it. */
void pp_route_count_abandon(uint32_t label);

#endif
