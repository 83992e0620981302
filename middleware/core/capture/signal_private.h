/*
 * What signal.c and signal_own.c share. Nobody else includes this.
 */
#ifndef PP_CAPTURE_SIGNAL_PRIVATE_H
#define PP_CAPTURE_SIGNAL_PRIVATE_H

#include <ucontext.h>

#include "capture/signal.h"

#define PP_PROF_BIT  (UINT64_C(1) << (SIGPROF - 1))
#define PP_MASK_SIZE sizeof(uint64_t) /* the kernel's */

/* No handler of the application runs for this signal: notes what the signal has
 * done to a system call of the thread. */
void pp_signal_note(const ucontext_t *uc);

/* A handler of the application with these flags is about to run: after a
 * handler of ours, or in its place. */
void pp_signal_guest_begins(ucontext_t *uc, int flags);
void pp_signal_own_begins(ucontext_t *uc, int flags);

/* A signal of the timer that pp_signal_kick() has set has come. */
void pp_signal_kicked(const siginfo_t *info, ucontext_t *uc);

#endif
