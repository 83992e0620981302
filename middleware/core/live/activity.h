/*
 * Activity: everything that is in progress in all workers, as the endpoint
 * goroutine shows it. These are requests, running or asleep, tasks, and threads
 * that do neither.
 *
 * Threads write their stacks into the arena when they are asked; requests and
 * tasks are always in the arena. Each activity is counted once: a request whose
 * handler runs is counted instead of the event loop's thread, and a task
 * instead of the thread that runs it. Not a history: trace/tracer.h has that.
 *
 *     pp_activity_ask, wait for pp_activity_answered (or no longer)
 *     pp_activity_read, then _profile or _stacks, then _free
 *
 * Rule: cold; the only writer of control.dump and control.dump_one. Entries
 * change while they are read: an entry that has changed is left out, and
 * nothing in an entry is believed.
 */
#ifndef PP_LIVE_ACTIVITY_H
#define PP_LIVE_ACTIVITY_H

#include <stdint.h>

#include "live/activity_list.h"
#include "merge/resolve.h"
#include "profile/profile.h"

/* Returns the name of the function at a canonical address, or NULL; the name is
 * valid until the next call. */
typedef const char *pp_activity_name_fn(void *arg, uint64_t address);

/* Ask every thread of every worker for its stack. `parent` is the parent's
 * pid. Returns the number of the question. */
uint32_t pp_activity_ask(const struct pp_resolver *resolver, int32_t parent);

/* Ask one thread only: no other thread is disturbed. Returns the number of the
 * question. */
uint32_t pp_activity_ask_thread(const struct pp_resolver *resolver,
    int32_t parent, uint32_t slot, int32_t tid);

/* _heard(): whether the thread has answered the question, or a later one.
 * _pcs(): the stack that the thread has written then, first an exact pc, then
 * return addresses; returns how many. */
int pp_activity_heard(const struct pp_thread_facts *facts, uint32_t question);
uint32_t pp_activity_pcs(const struct pp_thread_facts *facts,
    uint64_t pc[PP_FRAMES_MAX]);

/* Make one line of printable ASCII of a path from the arena, and terminate
 * it. */
void pp_activity_path(char path[PP_INFLIGHT_PATH_MAX]);

/* Whether all known threads have answered the question, or a later one. */
int pp_activity_answered(const struct pp_resolver *resolver, uint32_t question);

/* Return how many activities there are, for the index page. */
uint64_t pp_activity_count(const struct pp_resolver *resolver);

/* Return how many requests are in progress in one worker, likewise. */
uint32_t pp_activity_requests(const struct pp_resolver *resolver,
    uint32_t slot);

/* Read all activities into an empty list. `question` is a number that _ask has
 * returned, `name` gives the names of functions. Returns -1 when out of memory;
 * the caller calls _free in both cases. */
int pp_activity_read(struct pp_activity_list *list,
    struct pp_resolver *resolver, uint32_t question, pp_activity_name_fn *name,
    void *arg);
void pp_activity_free(struct pp_activity_list *list);

/* Return the list as a profile of counts without symbols, which the caller
 * frees; NULL: out of memory. */
struct pp_profile *pp_activity_profile(struct pp_activity_list *list);

/* Instead of _profile: return the distinct stacks of the list as a profile with
 * one sample for each, without symbols, which the caller frees; NULL: out of
 * memory. Afterwards an item's `stack` is the index of its sample, and the
 * items are sorted: requests, the oldest first, then tasks, then threads. */
struct pp_profile *pp_activity_stacks(struct pp_activity_list *list);

/* Return what a thread does, a constant text, from the functions at the leaf of
 * its stack: words of a stack as pp_stacks_get() gives them. */
const char *pp_activity_state(const struct pp_address_map *map,
    const uint64_t *word, uint32_t count, pp_activity_name_fn *name, void *arg);

#endif
