/*
 * What the application itself writes into a trace: its tasks, regions and logs,
 * in the sense of Go's runtime/trace. pprof.h says what each function promises.
 *
 * A region or a log belongs to the task that its thread began last and has not
 * ended, else to the request that the thread serves, which is a task of its
 * own.
 *
 * Rule: the thread itself calls these functions, outside of signal handlers,
 * and only if pp_trace_active(); no lock, no allocation.
 */
#ifndef PP_CAPTURE_TRACE_USER_H
#define PP_CAPTURE_TRACE_USER_H

#include <stdint.h>

/* Regions and tasks of one thread that may be open at the same time. A deeper
 * region is not written; what lies in a deeper task belongs to another one. */
#define PP_TRACE_REGIONS_MAX 64
#define PP_TRACE_TASKS_MAX   16

/* No task had this `id` before. Returns 0, or -1: not written. */
int pp_trace_user_task(uint64_t id, const char *type);
void pp_trace_user_task_end(uint64_t id);

void pp_trace_user_region(const char *type);
void pp_trace_user_region_end(void);

void pp_trace_user_log(const char *category, const char *message);

/* A handler or a task has returned: its regions end, and what follows does
 * not belong to its tasks. */
void pp_trace_user_returned(void);

#endif
