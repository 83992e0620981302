/*
 * The collector's own HTTP server (PPROF_LISTEN). It gives the same answers as
 * the Kore routes, also while no worker can answer anything.
 *
 * libmicrohttpd speaks the protocol, without threads: its epoll descriptor lies
 * in the collector's loop. The service makes the answers.
 *
 * Rule: a client costs one place of PP_CLIENTS_MAX and a bounded time. A
 * request has LISTENER_READ_NS to arrive, and an answer LISTENER_SEND_NS to be
 * taken, however busily single bytes go. If all places are taken, the slowest
 * client is closed. A client that waits for a profile is not closed, so such
 * clients cannot take all places.
 */
#ifndef PP_COLLECTOR_LISTENER_H
#define PP_COLLECTOR_LISTENER_H

#include "base/allow.h"
#include "collector/collector.h"

/*
 * Serve on a listening socket, which belongs to the listener from now on.
 * Returns NULL if out of memory; then the socket is still the caller's. Called
 * before the sandbox.
 */
struct pp_listener *pp_listener_open(struct pp_collector *c, int listen,
    const struct pp_allow *allow);

/* Ends the listener; NULL does nothing. No request may be waiting. */
void pp_listener_close(struct pp_listener *listener);

/* Returns a descriptor that is readable if there is something to do. */
int pp_listener_fd(const struct pp_listener *listener);

/*
 * Serve what has come, and close clients that are too slow. `now` is
 * CLOCK_MONOTONIC. A NULL listener does nothing.
 */
void pp_listener_run(struct pp_listener *listener, int64_t now);

/*
 * Returns when to call pp_listener_run() again; INT64_MAX: not before the
 * descriptor is readable. Call this after everything that may answer.
 */
int64_t pp_listener_next(const struct pp_listener *listener, int64_t now);

/* Send the answer of a request that was kept; takes what the answer holds. */
void pp_listener_answer(struct pp_client *client, struct pp_answer *answer);

/*
 * The client has stopped sending. Returns whether it may still read the answer
 * that is due at `deadline`; if not, the client has gone, otherwise the end of
 * the connection will tell.
 */
int pp_listener_reads(const struct pp_client *client, int64_t deadline);

/* The client of a request that was kept has gone. */
void pp_listener_hangup(struct pp_client *client);

#endif
