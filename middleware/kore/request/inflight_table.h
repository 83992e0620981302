/*
 * The table of requests and tasks in flight: which entries are free, which
 * entry a request has, and how inflight.c and inflight_task.c write into an
 * entry.
 *
 * It does not read Kore's requests: inflight.c does.
 *
 * The collector reads an entry without a lock (live/activity_copy.c). The store
 * of an id releases the fields before it, and the reader's first load of the id
 * acquires them. Before the fields change, the id is 0: in entry 0 a fence
 * keeps the order of both, in other entries the exchange of the free list does.
 * The reader drops its copy if it finds another id afterwards. An id is a count
 * of 64 bits and is never given out twice, so two requests cannot be taken for
 * one.
 *
 * Rule: any thread may claim and release entries, without a lock. Only the
 * event loop's thread looks requests up and puts them into the map.
 */
#ifndef PP_KORE_REQUEST_INFLIGHT_TABLE_H
#define PP_KORE_REQUEST_INFLIGHT_TABLE_H

#include <stdint.h>

#include "base/waits.h"
#include "capture/self.h"

struct http_request;

/* The table of this worker. */
static inline struct pp_inflights *
pp_inflight_table(void)
{
	return (&pp_self.slot->inflights);
}

/* A new id, which was never given out before in the service: 64 bits count the
 * requests and the tasks of a slot, over all of its workers. */
uint64_t pp_inflight_request_id(void); /* in the event loop's thread */
uint64_t pp_inflight_task_id(void);

/* A free entry, or 0 if there is none (counted). The caller fills the entry and
 * then gives it an id. */
uint32_t pp_inflight_claim(void);
void pp_inflight_release_entry(uint32_t entry);

/* How many requests have an entry of their own: those that have slept or were
 * created early. */
extern uint32_t pp_inflight_known;

uint32_t pp_inflight_lookup(const struct http_request *req, int take);

/* The request's entry, or 0; with `take` the map forgets the request. While no
 * request has an entry, as in most services, a look-up costs one load. */
static inline uint32_t
pp_inflight_find(const struct http_request *req, int take)
{
	return (__builtin_expect(pp_inflight_known == 0, 1)
		? 0
		: pp_inflight_lookup(req, take));
}

/* Remember which entry the request has. Returns 0, or -1 if there is no room
 * (counted). */
int pp_inflight_put(const struct http_request *req, uint32_t entry);

/* Store the path, cut to PP_INFLIGHT_PATH_MAX. */
void pp_inflight_path(struct pp_inflight *inflight, const char *path);

/* The entry is in `state` since `since` (ns, CLOCK_MONOTONIC); `stack` is the
 * id of the stack that brought it there. */
static inline void
pp_inflight_set(struct pp_inflight *inflight, enum pp_wait state,
    uint32_t stack, int64_t since)
{
	atomic_store_explicit(&inflight->stack, stack, memory_order_relaxed);
	atomic_store_explicit(&inflight->since_ns, since, memory_order_relaxed);
	atomic_store_explicit(&inflight->state, state, memory_order_release);
}

/* How many bytes of the request's body have come. */
uint32_t pp_inflight_bytes_in(const struct http_request *req);

/* The request sleeps no longer. Without an entry nothing is done. */
void pp_inflight_awakes(const struct http_request *req);

/* The entry's wait is over and is counted. */
void pp_inflight_waited(struct pp_inflight *inflight);

#endif
