/*
 * Everything that is in progress in all workers: requests, running or asleep,
 * tasks, and threads that do neither. What goroutine shows.
 *
 * Threads write their stacks into the arena when they are asked; requests and
 * tasks stand there always. What runs is counted once: the request whose
 * handler runs takes the place of the event loop's thread, a task that of its
 * thread.
 *
 *     pp_progress_ask, wait for pp_progress_answered (or no longer)
 *     pp_progress_read, then _profile or _stacks, then _free
 *
 * Rule: cold; the only writer of control.dump. Entries change while they are
 * read: one that did is left out, and nothing in one is believed.
 */
#ifndef PP_LIVE_PROGRESS_H
#define PP_LIVE_PROGRESS_H

#include <stdint.h>

#include "live/progress_list.h"
#include "merge/resolve.h"
#include "profile/profile.h"

/* The name of the function at a canonical address, or NULL; valid until the
 * next call. */
typedef const char *pp_progress_name_fn(void *arg, uint64_t address);

/* Ask every thread of every worker for its stack. `parent` is the parent's
 * pid. Returns the number of the question. */
uint32_t pp_progress_ask(const struct pp_resolver *resolver, int32_t parent);

/* Ask that thread only: no other one is disturbed. */
uint32_t pp_progress_ask_thread(const struct pp_resolver *resolver,
    int32_t parent, uint32_t slot, int32_t tid);

/* Whether the thread has answered the question, or a later one; and then the
 * stack that it wrote down: how many frames. */
int pp_progress_heard(const struct pp_thread_facts *facts, uint32_t question);
uint32_t pp_progress_pcs(const struct pp_thread_facts *facts,
    uint64_t pc[PP_FRAMES_MAX]);

/* Make one line of printable ASCII of a path from the arena. */
void pp_progress_path(char path[PP_FLIGHT_PATH_MAX]);

/* Whether all known threads have answered it, or a later one. */
int pp_progress_answered(const struct pp_resolver *resolver, uint32_t question);

/* How many things are in progress, for the index page. */
uint64_t pp_progress_count(const struct pp_resolver *resolver);

/* How many requests are in progress in one worker, likewise. */
uint32_t pp_progress_requests(const struct pp_resolver *resolver,
    uint32_t slot);

/* Read all of it. Returns -1 when out of memory; _free is to be called all the
 * same. */
int pp_progress_read(struct pp_progress_list *list,
    struct pp_resolver *resolver, uint32_t question, pp_progress_name_fn *name,
    void *arg);
void pp_progress_free(struct pp_progress_list *list);

/* The list as a profile of counts without symbols, which the caller frees;
 * NULL: out of memory. */
struct pp_profile *pp_progress_profile(struct pp_progress_list *list);

/* Its distinct stacks, a sample each, without symbols; the items' `stack` is
 * the index of a sample then. Requests come first, the oldest of them first,
 * then tasks, then threads. Instead of _profile. */
struct pp_profile *pp_progress_stacks(struct pp_progress_list *list);

/* What a thread does, by the functions at the leaf of its stack: words of a
 * stack as pp_stacks_get() gives them. */
const char *pp_progress_state(const struct pp_canon *canon,
    const uint64_t *word, uint32_t count, pp_progress_name_fn *name, void *arg);

#endif
