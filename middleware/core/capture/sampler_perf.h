/*
 * The perf_event clock, which an operator may ask for (PPROF_PERF_EVENT=1). Not
 * the default clock: a perf_event takes a descriptor for each thread, and the
 * sandbox must allow perf_event_open() with any arguments.
 *
 * Rule: a signal handler of the thread itself calls these; _close() may be
 * called by any thread. The thread that exchanges perf_fd for -1 closes the
 * descriptor.
 */
#ifndef PP_CAPTURE_SAMPLER_PERF_H
#define PP_CAPTURE_SAMPLER_PERF_H

#include "capture/self.h"

/* Ask for one SIGPROF after `period` ns of CPU time of the calling thread.
 * Returns 1, or 0: the kernel refuses. */
int pp_sampler_perf_open(struct pp_thread *thread, uint64_t period);

/* Ask for one more SIGPROF after the same period. */
void pp_sampler_perf_again(struct pp_thread *thread);

void pp_sampler_perf_close(struct pp_thread *thread);

#endif
