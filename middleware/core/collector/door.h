/*
 * The collector's own HTTP server (PPROF_LISTEN): the same answers as the Kore
 * routes give, also while no worker can answer anything.
 *
 * The protocol is libmicrohttpd's, without threads: it has an epoll descriptor
 * of its own, which lies in the collector's loop. What a request is answered
 * is the service's.
 *
 * Rule: a client costs one place of PP_VISITS_MAX and a bounded time. A request
 * has DOOR_READ_NS to arrive and an answer DOOR_SEND_NS to be taken, however
 * busily single bytes go; when all places are taken the slowest client goes.
 * One that waits for a profile stays, so not all places are theirs.
 */
#ifndef PP_COLLECTOR_DOOR_H
#define PP_COLLECTOR_DOOR_H

#include "base/allow.h"
#include "collector/collector.h"

/* Serve on a listening socket, which is the door's from now on. NULL: out of
 * memory, and the socket is still the caller's. Before the sandbox. */
struct pp_door *pp_door_open(struct pp_collector *c, int listen,
    const struct pp_allow *allow);

/* NULL is allowed. No request may be waiting. */
void pp_door_close(struct pp_door *door);

/* Readable when there is something to do. */
int pp_door_fd(const struct pp_door *door);

/* Serve what is there, end who is too slow. `now` is CLOCK_MONOTONIC. A NULL
 * door does nothing. */
void pp_door_run(struct pp_door *door, int64_t now);

/* When to call it again; INT64_MAX: not before the descriptor says. After all
 * that may answer. */
int64_t pp_door_next(const struct pp_door *door, int64_t now);

/* The answer of a request that was kept; takes what is in it. */
void pp_door_answer(struct pp_visit *visit, struct pp_answer *answer);

/* The client has stopped sending. Whether it may still read what is due at
 * `deadline`; if not it has gone, otherwise its end will tell. */
int pp_door_reads(const struct pp_visit *visit, int64_t deadline);

/* The client of a request that was kept has gone. */
void pp_door_hangup(struct pp_visit *visit);

#endif
