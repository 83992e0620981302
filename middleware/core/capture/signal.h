/*
 * SIGPROF has two users: the profiler, and the application, which uses it as if
 * there were no profiler. Signals of the profiler ("ours") carry a value that
 * nobody else sends: the signal of a timer carries &pp_self, a question carries
 * a value of base/ask.h. For every other SIGPROF the application's own action
 * is taken, which is kept here.
 *
 * The application's handlers of all signals begin in pp_signal_guest(), which
 * counts them: if a signal of ours has ended a call, the call goes on only if
 * no handler of the application has run meanwhile (hook/through.h).
 *
 * Rule: async-signal-safe. Only the thread itself writes its thread-local
 * variables.
 */
#ifndef PP_CAPTURE_SIGNAL_H
#define PP_CAPTURE_SIGNAL_H

#include <signal.h>
#include <stdint.h>

#include "base/ask.h"
#include "capture/self.h"

/* The number of system calls of the calling thread that our signal has ended
 * with EINTR. */
extern __thread volatile uint32_t pp_signal_interrupted;

/* The number of the application's handlers that have begun in the calling
 * thread. */
extern __thread volatile uint32_t pp_signal_handled;

/* 1: the calling thread goes on with a call that our signal has ended. */
extern __thread volatile int pp_signal_continues;

/* 1: the application believes that SIGPROF is blocked in the calling thread. In
 * fact SIGPROF is blocked only while a SIGPROF of the application waits to be
 * let through. */
extern __thread volatile int pp_signal_blocked;

/* The number of SIGPROF signals of the application that had to wait in the
 * calling thread until the application let SIGPROF through. */
extern __thread volatile uint32_t pp_signal_waited;

/* The result of the last system call at whose end our signal came, and the
 * stack pointer at that moment. */
extern __thread volatile long pp_signal_result;
extern __thread volatile uintptr_t pp_signal_sp;

static inline int
pp_signal_is_ours(const siginfo_t *info)
{
	const char *value = info->si_value.sival_ptr;

	switch (info->si_code) {
	case SI_TIMER:
		return (
		    value == (char *)&pp_self || value == (char *)&pp_self + 1);
	case SI_QUEUE:
		return (info->si_value.sival_int == PP_ASK_CONTROL ||
		    info->si_value.sival_int == PP_ASK_ONE);
	case SI_USER:
		/* If the user has as many signals queued as the limit allows, a
		 * question arrives without its value, like this. */
		return (info->si_pid == 0);
	}
	/* A perf event sends these codes; the event may be gone by now. */
	return (info->si_code > 0 && info->si_code <= POLL_HUP);
}

/* Returns what the signal asks (enum pp_ask); PP_ASK_NONE: it is a clock's. */
static inline int
pp_signal_asks(const siginfo_t *info)
{
	if (info->si_code == SI_USER)
		return (PP_ASK_CONTROL);
	return (
	    info->si_code == SI_QUEUE ? info->si_value.sival_int : PP_ASK_NONE);
}

/*
 * The handler of SIGPROF calls this first, on the interrupted stack, since the
 * application's handler runs in it. Returns 1 if the signal is ours and is no
 * kick. Keeps errno.
 */
int pp_signal_arrived(siginfo_t *info, void *context);

/* The handler of all signals, except SIGPROF, that the application handles. */
void pp_signal_guest(int signo, siginfo_t *info, void *context);

/* An action as the application gave it. */
struct pp_signal_action {
	void *handler;
	int flags;
	uint64_t mask;
};

/* Sets, and gives in *old, the application's action for a signal whose handler
 * is pp_signal_guest(). `action` may be NULL. */
void pp_signal_guest_set(int signo, const struct pp_signal_action *action,
    struct pp_signal_action *old);

/* The same for SIGPROF. `action` or `old` may be NULL. */
void pp_signal_keep(const struct pp_signal_action *action,
    struct pp_signal_action *old);

/* Install our handler, and keep the action that was there. Returns 0, or -1. */
int pp_signal_install(void);

/* The calling thread begins, in a worker. `blocked` 1: its creator believed
 * that SIGPROF was blocked. */
void pp_signal_enter(int blocked);

/* pp_signal_known(): the calling thread, whose pthread_t is `who`, has its
 * entry. pp_signal_owe(): the caller is about to send SIGPROF to thread `who`.
 */
void pp_signal_known(uintptr_t who);
void pp_signal_owe(uintptr_t who);
/* A wait of the calling thread has taken a SIGPROF of the application. */
void pp_signal_taken(void);

/* In a child after a fork: if the thread believes that SIGPROF is blocked,
 * SIGPROF is blocked now. */
void pp_signal_forked(void);

/* Blocks SIGPROF in the kernel, or unblocks it: SIG_BLOCK, SIG_UNBLOCK. */
void pp_signal_block(int how);

/* A wait has taken a signal of ours: it is sent to the calling thread once
 * more. */
void pp_signal_again(siginfo_t *info);

/* Notes for the doctor page how the application uses SIGPROF. */
void pp_signal_used(enum pp_clock_seen how);

/* From now on signals of ours come to the calling thread, the first one after
 * so many nanoseconds, until pp_signal_continued(). */
void pp_signal_kick(int64_t after);

/* End what pp_signal_continues and pp_signal_kick() have begun. */
void pp_signal_continued(void);

#endif
