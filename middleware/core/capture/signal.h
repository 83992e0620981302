/*
 * SIGPROF has two users: ourselves, and the application as if we were not
 * there. Ours carry a value that nobody else sends: of a timer &pp_self, of a
 * question that of base/ask.h. With every other one the application's own
 * action is taken, which is kept here.
 *
 * The application's handlers of all signals begin in pp_signal_guest(), which
 * counts them: a call that a signal of ours has ended goes on only if no
 * handler of the application has run meanwhile (hook/through.h).
 *
 * Rule: async-signal-safe; what is thread-local is written by the thread
 * itself.
 */
#ifndef PP_CAPTURE_SIGNAL_H
#define PP_CAPTURE_SIGNAL_H

#include <signal.h>
#include <stdint.h>

#include "base/ask.h"
#include "capture/self.h"

/* System calls of the calling thread that our signal has ended with EINTR. */
extern __thread volatile uint32_t pp_signal_interrupted;

/* Handlers of the application that have begun in it. */
extern __thread volatile uint32_t pp_signal_handled;

/* 1: it goes on with a call that our signal has ended. */
extern __thread volatile int pp_signal_continues;

/* 1: the application believes SIGPROF blocked in it. It is not, but while one
 * of the application's own waits to be let through. */
extern __thread volatile int pp_signal_blocked;

/* Those of the application's own that were made to wait for that. */
extern __thread volatile uint32_t pp_signal_waited;

/* The result of the last system call at whose end our signal came, and the
 * stack pointer then. */
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
		/* What is left of a question when the user has as many signals
		 * queued as it may. */
		return (info->si_pid == 0);
	}
	/* Of a perf event, which may be gone by now. */
	return (info->si_code > 0 && info->si_code <= POLL_HUP);
}

/* What it asks; PP_ASK_NONE: it is a clock's. */
static inline int
pp_signal_asks(const siginfo_t *info)
{
	if (info->si_code == SI_USER)
		return (PP_ASK_CONTROL);
	return (
	    info->si_code == SI_QUEUE ? info->si_value.sival_int : PP_ASK_NONE);
}

/*
 * At the head of the handler of SIGPROF, on the interrupted stack, since the
 * application's handler runs in it. Returns 1 when the signal is ours and
 * asks for something. Keeps errno.
 */
int pp_signal_arrived(siginfo_t *info, void *context);

/* Handler of all signals that the application handles, but SIGPROF. */
void pp_signal_guest(int signo, siginfo_t *info, void *context);

/* An action as the application gave it. */
struct pp_signal_action {
	void *handler;
	int flags;
	uint64_t mask;
};

/* Of a signal that begins in pp_signal_guest(): what it goes on with. */
void pp_signal_guest_set(int signo, const struct pp_signal_action *action,
    struct pp_signal_action *old);

/* Of SIGPROF. `action` or `old` may be NULL. */
void pp_signal_keep(const struct pp_signal_action *action,
    struct pp_signal_action *old);

/* Install our handler, and keep the one that was there. Returns 0, or -1. */
int pp_signal_install(void);

/* The calling thread begins, in a worker; 1: whoever made it believed SIGPROF
 * blocked. */
void pp_signal_enter(int blocked);

/* The calling thread, when it has its entry, and one that SIGPROF is sent to:
 * by its pthread_t. */
void pp_signal_known(uintptr_t who);
void pp_signal_owe(uintptr_t who);
/* A wait of the calling thread has taken it. */
void pp_signal_taken(void);

/* In a child that was forked: what the thread believes becomes true. */
void pp_signal_forked(void);

/* SIGPROF is (not) to be blocked in fact. */
void pp_signal_block(int how);

/* One of ours that a wait has taken, once more to the calling thread. */
void pp_signal_again(siginfo_t *info);

/* How the application uses SIGPROF, for the doctor. */
void pp_signal_used(enum pp_clock_seen how);

/* Signals of ours come to the calling thread, the first after so many
 * nanoseconds, until pp_signal_continued(). */
void pp_signal_kick(int64_t after);

/* End what pp_signal_continues and pp_signal_kick() have begun. */
void pp_signal_continued(void);

#endif
