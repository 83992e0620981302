/*
 * From a request to an answer, for every front: the Kore routes and the
 * collector's own listener. The service knows HTTP's words (method, status,
 * headers) but no socket, no Kore and no event loop.
 *
 * A request is begun, and either answered at once or pending until its
 * deadline; the front then asks again. Any number may be pending.
 *
 *     struct pp_task *task = pp_service_begin(service, &request);
 *     while (pp_task_deadline(task) > now) wait, or pp_task_cancel(task)
 *     pp_task_finish(task, &answer); ... pp_answer_free(&answer)
 *
 * Rule: one thread. Bad input is answered by a status and one sentence, as
 * Go's net/http/pprof words it where it has words for it.
 */
#ifndef PP_SERVICE_SERVICE_H
#define PP_SERVICE_SERVICE_H

#include <stdint.h>

#include "service/http/message.h"

struct pp_service;
struct pp_task;
struct pp_arena;
struct pp_symbols;

/* Makes the service. Arena and symbols stay the caller's. NULL: out of memory.
 */
struct pp_service *pp_service_new(struct pp_arena *arena, int arena_fd,
    struct pp_symbols *symbols);
void pp_service_free(struct pp_service *service);

/* Sets the function that gets the lines for the operator: stalls and deaths. */
void pp_service_log(struct pp_service *service, void (*log)(const char *line));

/* From now on requests change no rates (PPROF_SETTINGS=0). */
void pp_service_lock_settings(struct pp_service *service);

/* Takes this process's /proc/self/statm, open for reading; -1: not known. */
void pp_service_own(struct pp_service *service, int statm);

/* A worker has started, and hands over its smaps_rollup, open for reading,
 * which is kept as long as the worker lives. Takes `fd`. */
void pp_service_take_proc(struct pp_service *service, uint32_t worker,
    int32_t pid, int fd);

/* Begin a request; its texts need to live only during this call. Returns NULL
 * when out of memory (answer 503). */
struct pp_task *pp_service_begin(struct pp_service *service,
    const struct pp_request *request);

/* Returns when to call pp_task_finish(), on CLOCK_MONOTONIC; 0: now. */
int64_t pp_task_deadline(const struct pp_task *task);

/* Write the answer and free the task. */
void pp_task_finish(struct pp_task *task, struct pp_answer *answer);

/* The client has gone: stop the work for the task and free it. */
void pp_task_cancel(struct pp_task *task);

/*
 * The work between requests: drains the rings, follows workers that start and
 * die, gives memory back. Returns when to call it next, on CLOCK_MONOTONIC
 * (INT64_MAX: not before the next request).
 */
int64_t pp_service_tick(struct pp_service *service, int64_t now);

#endif
