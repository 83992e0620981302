/*
 * CPU samples: setting the clocks, and what happens at a tick.
 *
 * One signal for all: SIGPROF from a timer (or a perf event) is a tick, SIGPROF
 * that was sent means "read the control words".
 *
 * A thread's timers are made and deleted by the thread itself; any thread may
 * set them. Whoever turns sampling on or changes the rate sets the CPU timers of
 * all threads, which wakes nobody; a thread learns of the change, and of the end
 * of sampling, at its next tick.
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

/* The period that the control words ask for, 0: none. One second is the longest
 * that hz= can ask for. */
uint64_t pp_cpu_wanted(void);

/* If control.clocks has moved: write down what each thread has used since its
 * last sample. */
void pp_cpu_clocks(void);

/* The calling thread's clocks, when it registers and before it ends; _leave()
 * returns what it has used since its last sample, 0 when nobody measures. */
void pp_cpu_enter(struct pp_thread *thread);
uint64_t pp_cpu_leave(struct pp_thread *thread);

/* CPU time that is no sample: of the calling thread, which ends and whose first
 * function this was. */
void pp_cpu_left(const struct pp_thread *thread, uint64_t ns,
    uintptr_t function);

/* A timer or a perf event of the calling thread has come: sets the next one.
 * Returns the weight of the sample that is to be taken, 0: none. */
uint64_t pp_cpu_ticked(struct pp_thread *thread, const siginfo_t *info);

/* The handler of SIGPROF. */
void pp_cpu_signal(int signo, siginfo_t *info, void *context);

#endif
