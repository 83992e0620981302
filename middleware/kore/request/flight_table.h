/*
 * The table of requests and tasks in progress: which entries are free, which
 * one a request has, and what flight.c and flight_task.c both write into one.
 *
 * Rule: claiming and releasing from any thread, without a lock; finding and
 * putting in the event loop's thread.
 */
#ifndef PP_KORE_REQUEST_FLIGHT_TABLE_H
#define PP_KORE_REQUEST_FLIGHT_TABLE_H

#include <stdint.h>

#include "base/waits.h"
#include "capture/self.h"

struct http_request;

/* This worker's. */
static inline struct pp_flights *
pp_flight_table(void)
{
	return (&pp_self.slot->flights);
}

/* A new id, never given out before in the service. */
uint64_t pp_flight_request_id(void); /* in the event loop's thread */
uint64_t pp_flight_task_id(void);

/* A free entry, or 0: none (counted). Whoever claims it gives it an id when
 * it is filled. */
uint32_t pp_flight_claim(void);
void pp_flight_release_entry(uint32_t entry);

/* Requests that have an entry of their own: those that have slept. */
extern uint32_t pp_flights_known;

uint32_t pp_flight_look_up(const struct http_request *req, int take);

/* The request's entry, or 0; with `take` it is forgotten. While no request
 * sleeps, as in most services, that is one load for each that ends. */
static inline uint32_t
pp_flight_find(const struct http_request *req, int take)
{
	return (__builtin_expect(pp_flights_known == 0, 1)
		? 0
		: pp_flight_look_up(req, take));
}

/* Remember it. 0, or -1: no room (counted). */
int pp_flight_put(const struct http_request *req, uint32_t entry);

/* Its path, cut. */
void pp_flight_path(struct pp_flight *flight, const char *path);

/* It is in that state since then; `stack` is where it went into it. */
static inline void
pp_flight_set(struct pp_flight *flight, enum pp_wait state, uint32_t stack,
    int64_t since)
{
	atomic_store_explicit(&flight->stack, stack, memory_order_relaxed);
	atomic_store_explicit(&flight->since_ns, since, memory_order_relaxed);
	atomic_store_explicit(&flight->state, state, memory_order_release);
}

/* Of the request's body, as far as it has come. */
uint32_t pp_flight_in(const struct http_request *req);

/* It sleeps no longer; nothing, if it has no entry. */
void pp_flight_awakes(const struct http_request *req);

/* Its wait is over, and counts. */
void pp_flight_waited(struct pp_flight *flight);

#endif
