/*
 * CPU samples: setting the clocks, and what happens at a tick. Not the walk of
 * a stack, which is in unwind.h.
 *
 * There is one signal: a SIGPROF from a timer (or a perf event) is a tick, and
 * a SIGPROF that was sent means "read the control words".
 *
 * A thread makes and deletes its own timers; any thread may set them. The
 * thread that turns sampling on or changes the rate sets the CPU timers of all
 * threads, which wakes nobody. A thread learns of the change, and of the end of
 * sampling, at its next tick.
 *
 * Rule: everything here may run in a signal handler of any thread.
 */
#ifndef PP_CAPTURE_SAMPLER_H
#define PP_CAPTURE_SAMPLER_H

#include <signal.h>

#include "capture/self.h"

/* Bring every live thread to the rate that the control words ask for. Never
 * waits: if another thread is doing so, that thread does it once more. */
void pp_sampler_apply(void);

/* The period, ns, that the control words ask for, from 100 us to one second; 0:
 * CPU sampling is off. */
uint64_t pp_sampler_wanted(void);

/* If control.clocks has moved: write down the CPU time of each thread since its
 * last sample. */
void pp_sampler_clocks(void);

/* Make the calling thread's clocks when it registers, and delete them before it
 * ends. _leave() returns its CPU time since its last sample, ns; 0 when nobody
 * measures. */
void pp_sampler_enter(struct pp_thread *thread);
uint64_t pp_sampler_leave(struct pp_thread *thread);

/* Record CPU time, ns, that belongs to no sample: the thread ends. `function`
 * is the thread's first function; 0: not known. */
void pp_sampler_left(const struct pp_thread *thread, uint64_t ns,
    uintptr_t function);

/* A timer or a perf event of the calling thread has come: sets the next one.
 * Returns the weight, CPU ns, of the sample to take; 0: take none. */
uint64_t pp_sampler_weight(struct pp_thread *thread, const siginfo_t *info);

/* The handler of SIGPROF. */
void pp_sampler_signal(int signo, siginfo_t *info, void *context);

#endif
