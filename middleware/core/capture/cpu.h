/*
 * CPU samples: arming the clocks, and what happens at a tick.
 *
 * One signal for all: SIGPROF from a timer or a perf event is a tick, SIGPROF
 * sent by kill() means "read the control words".
 *
 * Rule: everything here may run in a signal handler of any thread.
 */
#ifndef PP_CAPTURE_CPU_H
#define PP_CAPTURE_CPU_H

#include <signal.h>

#include "capture/self.h"

/* Bring every live thread to the rate that the control words ask for. Never
 * waits: if another thread is at it, that one goes round again. */
void pp_cpu_apply(void);

/* Clocks of one thread: set its mode and period, or take them away. */
void pp_cpu_arm(struct pp_thread *thread, uint64_t period_ns);
void pp_cpu_disarm(struct pp_thread *thread);

/*
 * Set the calling thread's CPU timer to its next tick: a period after the last
 * one was due, give or take up to half of one at random, so that a program
 * that repeats itself is not always found at the same place
 * (docs/sampling.md). `now` is the thread's CPU clock.
 */
void pp_cpu_next(struct pp_thread *thread, int64_t now);

/* The handler of SIGPROF. */
void pp_cpu_signal(int signo, siginfo_t *info, void *context);

#endif
