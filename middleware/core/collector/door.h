/*
 * The collector's own HTTP server (PPROF_LISTEN): the same answers as the Kore
 * routes give, also while no worker can answer anything.
 *
 * libmicrohttpd speaks the protocol, without threads: its epoll descriptor lies
 * in the collector's loop. The service makes the answers.
 *
 * Rule: a client costs one place of PP_VISITS_MAX and a bounded time. A request
 * has DOOR_READ_NS to arrive and an answer DOOR_SEND_NS to be taken, however
 * busily single bytes go; when all places are taken, the slowest client is
 * closed. A client that waits for a profile is not closed, so such clients
 * cannot take all places.
 */
#ifndef PP_COLLECTOR_DOOR_H
#define PP_COLLECTOR_DOOR_H

#include "base/allow.h"
#include "collector/collector.h"

/*
 * Serve on a listening socket, which belongs to the listener from now on. NULL:
 * out of memory, and the socket is still the caller's. Before the sandbox.
 */
struct pp_door *pp_door_open(struct pp_collector *c, int listen,
    const struct pp_allow *allow);

/* NULL is allowed. No request may be waiting. */
void pp_door_close(struct pp_door *door);

/* Readable when there is something to do. */
int pp_door_fd(const struct pp_door *door);

/*
 * Serve what has come, and close clients that are too slow. `now` is
 * CLOCK_MONOTONIC. A NULL door does nothing.
 */
void pp_door_run(struct pp_door *door, int64_t now);

/*
 * When to call pp_door_run() again; INT64_MAX: not before the descriptor is
 * readable. Call this after everything that may answer.
 */
int64_t pp_door_next(const struct pp_door *door, int64_t now);

/* Send the answer of a request that was kept; takes what the answer holds. */
void pp_door_answer(struct pp_visit *visit, struct pp_answer *answer);

/*
 * The client has stopped sending. Returns whether it may still read the answer
 * that is due at `deadline`; if not, the client has gone, otherwise the end of
 * the connection will tell.
 */
int pp_door_reads(const struct pp_visit *visit, int64_t deadline);

/* The client of a request that was kept has gone. */
void pp_door_hangup(struct pp_visit *visit);

#endif
