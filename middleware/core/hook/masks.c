/*
 * See masks.h. In a process that is no worker, and so in a child that is about
 * to start another program, the originals do all of the work.
 */
#include <sys/signalfd.h>

#include <errno.h>
#include <stddef.h>

#include "hook/calls_private.h"
#include "hook/masks.h"
#include "hook/through.h"

static int (*real_sigprocmask)(int, const sigset_t *, sigset_t *);
static int (*real_pthread_sigmask)(int, const sigset_t *, sigset_t *);
static int (*real_sigblock)(int);
static int (*real_sigsetmask)(int);
static int (*real_siggetmask)(void);
static int (*real_sighold)(int);
static int (*real_sigrelse)(int);
static int (*real_sigpause)(int);
static int (*real_xpg_sigpause)(int);
static int (*real_sigsuspend)(const sigset_t *);
static int (*real_pause)(void);
static int (*real_sigwait)(const sigset_t *, int *);
static int (*real_sigwaitinfo)(const sigset_t *, siginfo_t *);
static int (
    *real_sigtimedwait)(const sigset_t *, siginfo_t *, const struct timespec *);
static int (*real_signalfd)(int, const sigset_t *, int);

/* The belief is set before the original is called, since the original may
 * deliver a signal that waits. */
static void
mask_believe(int how, const sigset_t *set)
{
	int has = sigismember(set, SIGPROF) == 1;

	if (how == SIG_SETMASK || (how == SIG_BLOCK && has))
		pp_signal_blocked = has;
	else if (how == SIG_UNBLOCK && has)
		pp_signal_blocked = 0;
	if (pp_signal_blocked)
		pp_signal_used(PP_SIGPROF_BLOCKED);
}

static int
mask_change(int (*real)(int, const sigset_t *, sigset_t *), int how,
    const sigset_t *set, sigset_t *old)
{
	int believed = pp_signal_blocked, result;
	sigset_t ours;

	if (pp_self.worker == 0)
		return (real(how, set, old));
	if (set != NULL) {
		ours = *set;
		if (how != SIG_UNBLOCK)
			(void)sigdelset(&ours, SIGPROF);
		mask_believe(how, set);
		set = &ours;
	}
	result = real(how, set, old);
	if (result != 0)
		pp_signal_blocked = believed;
	else if (old != NULL && believed)
		(void)sigaddset(old, SIGPROF);
	else if (old != NULL)
		(void)sigdelset(old, SIGPROF);
	return (result);
}

int
pp_masks_change(int how, const sigset_t *set, sigset_t *old)
{
	return (mask_change(real_sigprocmask, how, set, old));
}

static int
hook_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return (mask_change(real_pthread_sigmask, how, set, old));
}

int
pp_masks_inherited(const pthread_attr_t *attr)
{
	sigset_t mask;

	return (pp_signal_blocked &&
	    (attr == NULL ||
		pthread_attr_getsigmask_np(attr, &mask) ==
		    PTHREAD_ATTR_NO_SIGMASK_NP));
}

/* The functions of BSD, in which a mask is an int, call this. */
static int
mask_bsd(int how, const int *mask)
{
	sigset_t set, old;
	int signo, was = 0;

	(void)sigemptyset(&set);
	(void)sigemptyset(&old);
	for (signo = 1; mask != NULL && signo <= 32; signo++) {
		if (((unsigned int)*mask >> (signo - 1) & 1) != 0)
			(void)sigaddset(&set, signo);
	}
	(void)pp_masks_change(how, mask != NULL ? &set : NULL, &old);
	for (signo = 1; signo <= 32; signo++) {
		if (sigismember(&old, signo) == 1)
			was |= (int)(1u << (signo - 1));
	}
	return (was);
}

static int
hook_sigblock(int mask)
{
	return (mask_bsd(SIG_BLOCK, &mask));
}

static int
hook_sigsetmask(int mask)
{
	return (mask_bsd(SIG_SETMASK, &mask));
}

static int
hook_siggetmask(void)
{
	return (mask_bsd(SIG_BLOCK, NULL));
}

static int
hook_sighold(int signo)
{
	sigset_t set;

	if (signo != SIGPROF)
		return (real_sighold(signo));
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signo);
	return (pp_masks_change(SIG_BLOCK, &set, NULL));
}

static int
hook_sigrelse(int signo)
{
	sigset_t set;

	if (signo != SIGPROF)
		return (real_sigrelse(signo));
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signo);
	return (pp_masks_change(SIG_UNBLOCK, &set, NULL));
}

static int
through_sigsuspend(const sigset_t *mask)
{
	struct pp_masked masked;
	int result;

	mask = pp_masked_begin(&masked, mask);
	PP_SLEEP_THROUGH(result, real_sigsuspend(pp_masked_now(&masked, mask)));
	pp_masked_end(&masked);
	return (result);
}

static int
through_pause(void)
{
	int result;

	PP_SLEEP_THROUGH(result, real_pause());
	return (result);
}

/* BSD's sigpause() waits with the given mask. X/Open's, the next function,
 * waits with the present mask without one signal. */
static int
through_sigpause(int mask)
{
	sigset_t set;
	int signo;

	if (pp_self.worker == 0)
		return (real_sigpause(mask));
	(void)sigemptyset(&set);
	for (signo = 1; signo <= 32; signo++) {
		if (((unsigned int)mask >> (signo - 1) & 1) != 0)
			(void)sigaddset(&set, signo);
	}
	return (through_sigsuspend(&set));
}

static int
through_xpg_sigpause(int signo)
{
	sigset_t set;

	if (pp_self.worker == 0)
		return (real_xpg_sigpause(signo));
	if (pp_masks_change(SIG_BLOCK, NULL, &set) == -1 ||
	    sigdelset(&set, signo) == -1)
		return (-1);
	return (through_sigsuspend(&set));
}

static int
wait_through(const sigset_t *set, siginfo_t *info, const struct timespec *time)
{
	struct pp_left left = pp_left_of(time);
	int result;

	PP_SLEEP_THROUGH(result,
	    real_sigtimedwait(set, info, pp_left_time(&left, time)));
	return (result);
}

/*
 * SIGPROF is blocked during the wait, so that a SIGPROF of the application's
 * own stays in the kernel until the wait takes it. If the wait takes a SIGPROF
 * of ours, that signal is sent again, to be handled.
 */
static int
wait_for_prof(const sigset_t *set, siginfo_t *info, const struct timespec *time)
{
	struct pp_left left = pp_left_of(time);
	siginfo_t taken;
	int result;

	pp_signal_used(PP_SIGPROF_AWAITED);
	pp_signal_block(SIG_BLOCK);
	for (;;) {
		result =
		    real_sigtimedwait(set, &taken, pp_left_time(&left, time));
		if (result != SIGPROF || !pp_signal_is_ours(&taken))
			break;
		pp_signal_again(&taken);
		pp_signal_block(SIG_UNBLOCK);
		pp_signal_block(SIG_BLOCK);
	}
	if (result == SIGPROF)
		pp_signal_taken();
	pp_signal_block(SIG_UNBLOCK);
	if (result > 0 && info != NULL)
		*info = taken;
	return (result);
}

static int
through_sigtimedwait(const sigset_t *set, siginfo_t *info,
    const struct timespec *time)
{
	if (pp_self.worker == 0 || sigismember(set, SIGPROF) != 1)
		return (wait_through(set, info, time));
	return (wait_for_prof(set, info, time));
}

static int
through_sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
	return (through_sigtimedwait(set, info, NULL));
}

/* As in the original, no handler ends the wait. */
static int
through_sigwait(const sigset_t *set, int *signo)
{
	siginfo_t info;
	int result;

	if (pp_self.worker == 0 || sigismember(set, SIGPROF) != 1)
		return (real_sigwait(set, signo));
	do
		result = through_sigtimedwait(set, &info, NULL);
	while (result == -1 && errno == EINTR);
	if (result == -1)
		return (errno);
	*signo = result;
	return (0);
}

PP_CALL_WRAPPER(int, sigsuspend, sigsuspend, through_sigsuspend,
    (const sigset_t *mask), (mask))
PP_CALL_WRAPPER(int, pause, pause, through_pause, (void), ())
PP_CALL_WRAPPER(int, sigpause, sigsuspend, through_sigpause, (int mask), (mask))
PP_CALL_WRAPPER(int, xpg_sigpause, sigsuspend, through_xpg_sigpause,
    (int signo), (signo))
PP_CALL_WRAPPER(int, sigtimedwait, sigtimedwait, through_sigtimedwait,
    (const sigset_t *set, siginfo_t *info, const struct timespec *time),
    (set, info, time))
PP_CALL_WRAPPER(int, sigwaitinfo, sigwaitinfo, through_sigwaitinfo,
    (const sigset_t *set, siginfo_t *info), (set, info))
PP_CALL_WRAPPER(int, sigwait, sigwait, through_sigwait,
    (const sigset_t *set, int *signo), (set, signo))

/* SIGPROF is taken out of the mask: a signal of ours would make the descriptor
 * readable for a moment, and a read would then find nothing. */
static int
hook_signalfd(int fd, const sigset_t *mask, int flags)
{
	sigset_t ours;

	if (mask != NULL && sigismember(mask, SIGPROF) == 1) {
		pp_signal_used(PP_SIGPROF_AWAITED);
		ours = *mask;
		(void)sigdelset(&ours, SIGPROF);
		mask = &ours;
	}
	return (real_signalfd(fd, mask, flags));
}

/* The unwinder is left out: its masks are not set at all
 * (capture/unwind_list.h). */
#define MASK_SCOPE (PP_GOT_EXECUTABLE | PP_GOT_BUT_UNWINDER)
#define MASK_HOOK(name)                                                        \
	{                                                                      \
#name, (void *)hook_##name, (void **)&real_##name, MASK_SCOPE  \
	}

const struct pp_got_hook pp_hook_mask[PP_MASK_HOOKS] = {
	{ "sigprocmask", (void *)pp_masks_change, (void **)&real_sigprocmask,
	    MASK_SCOPE },
	MASK_HOOK(pthread_sigmask),
	MASK_HOOK(sigblock),
	MASK_HOOK(sigsetmask),
	MASK_HOOK(siggetmask),
	MASK_HOOK(sighold),
	MASK_HOOK(sigrelse),
	MASK_HOOK(sigsuspend),
	MASK_HOOK(pause),
	MASK_HOOK(sigpause),
	{ "__xpg_sigpause", (void *)hook_xpg_sigpause,
	    (void **)&real_xpg_sigpause, MASK_SCOPE },
	MASK_HOOK(sigwait),
	MASK_HOOK(sigwaitinfo),
	MASK_HOOK(sigtimedwait),
	MASK_HOOK(signalfd),
};
