/*
 * The perf_event clock, which an operator may ask for (PPROF_PERF_EVENT=1). Not
 * the default: it takes a descriptor for each thread, and the sandbox must
 * allow perf_event_open() with any arguments.
 *
 * Rule: in a signal handler of the thread itself, but for _close(), which any
 * thread may call.
 */
#ifndef PP_CAPTURE_CPU_PERF_H
#define PP_CAPTURE_CPU_PERF_H

#include "capture/self.h"

/* 1: a SIGPROF comes after so much CPU time of the calling thread, once. */
int pp_cpu_perf_open(struct pp_thread *thread, uint64_t period);

/* And again. */
void pp_cpu_perf_again(struct pp_thread *thread);

void pp_cpu_perf_close(struct pp_thread *thread);

#endif
