/*
 * See signals.h. All other functions that install a handler are built on
 * sigaction() here, as in the C library.
 *
 * In a child that is about to start another program, SIGPROF's action is set in
 * the kernel: if the child ignores SIGPROF, so does the program.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "capture/sampler.h"
#include "capture/signal.h"
#include "hook/masks.h"
#include "hook/signals.h"

static int (*real_sigaction)(int, const struct sigaction *, struct sigaction *);
static int (*real_profil)(unsigned short *, size_t, size_t, unsigned int);
static int (*real_sprofil)(void *, int, void *, unsigned int);
static void (*real_moncontrol)(int);
static int (
    *real___sigaction)(int, const struct sigaction *, struct sigaction *);
static sighandler_t (*real_signal)(int, sighandler_t);
static sighandler_t (*real_bsd_signal)(int, sighandler_t);
static sighandler_t (*real_ssignal)(int, sighandler_t);
static sighandler_t (*real_sysv_signal)(int, sighandler_t);
static sighandler_t (*real___sysv_signal)(int, sighandler_t);
static sighandler_t (*real_sigset)(int, sighandler_t);
static int (*real_sigignore)(int);
static int (*real_siginterrupt)(int, int);
static int (*real_raise)(int);
static int (*real_pthread_kill)(pthread_t, int);

/* The signals for which siginterrupt() was called, as bits, for signal(). No
 * other memory depends on this word. */
static _Atomic uint64_t interrupts;

/* The C library sets this flag itself, and shows it in actions, too. */
#if defined(__x86_64__)
#define FLAG_RESTORER 0x04000000
#else
#define FLAG_RESTORER 0
#endif

/* Returns 0 for a signal that the original refuses: the original is asked. */
static int
is_ours_to_keep(int signo)
{
	return (signo > 0 && signo <= 64 && signo != SIGKILL &&
	    signo != SIGSTOP && (signo < 32 || signo >= SIGRTMIN));
}

static int
has_function(const struct sigaction *action)
{
	return (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN);
}

static void
as_kept(const struct sigaction *action, struct pp_signal_action *kept)
{
	kept->handler = (void *)action->sa_sigaction;
	kept->flags = action->sa_flags | FLAG_RESTORER;
	memcpy(&kept->mask, &action->sa_mask, sizeof(kept->mask));
	/* As the kernel does. */
	kept->mask &= ~(1ULL << (SIGKILL - 1) | 1ULL << (SIGSTOP - 1));
}

static void
as_given(const struct pp_signal_action *kept, struct sigaction *action)
{
	memset(action, 0, sizeof(*action));
	*(void **)&action->sa_sigaction = kept->handler;
	action->sa_flags = kept->flags;
	memcpy(&action->sa_mask, &kept->mask, sizeof(kept->mask));
}

/* Returns 1 if SIGPROF is also ours in this process: the process has no slot
 * yet (the pid is 0), or the pid is its own. A child that was forked has its
 * parent's pid here. */
static int
prof_is_shared(void)
{
	return (pp_self.pid == 0 || pp_self.pid == getpid());
}

static int
action_of_prof(const struct sigaction *action, struct sigaction *old)
{
	struct pp_signal_action kept, was;
	struct sigaction kernel;
	int result = 0;

	if (action != NULL)
		as_kept(action, &kept);
	/* Ours, as the system call itself has told: there was no other. */
	if (action != NULL && action->sa_sigaction == pp_sampler_signal)
		kept.handler = (void *)SIG_DFL;
	if (prof_is_shared()) {
		pp_signal_keep(action != NULL ? &kept : NULL, &was);
	} else {
		pp_signal_keep(NULL, &was);
		result = real_sigaction(SIGPROF, action, &kernel);
		if (result == 0 && kernel.sa_sigaction != pp_sampler_signal)
			as_kept(&kernel, &was);
	}
	if (result == 0 && old != NULL)
		as_given(&was, old);
	return (result);
}

/* Makes *action what the kernel gets. The handler does not block SIGPROF, so
 * that the handler's own work is sampled. */
static void
as_installed(struct sigaction *action)
{
	action->sa_sigaction = pp_signal_guest;
	action->sa_flags |= SA_SIGINFO;
	(void)sigdelset(&action->sa_mask, SIGPROF);
}

static int
hook_sigaction(int signo, const struct sigaction *action, struct sigaction *old)
{
	struct pp_signal_action kept, was;
	struct sigaction ours, before;
	int result;

	if (!is_ours_to_keep(signo))
		return (real_sigaction(signo, action, old));
	if (signo == SIGPROF)
		return (action_of_prof(action, old));
	if (action != NULL && has_function(action)) {
		ours = *action;
		as_kept(action, &kept);
		pp_signal_guest_set(signo, &kept, &was);
		as_installed(&ours);
		action = &ours;
	} else {
		pp_signal_guest_set(signo, NULL, &was);
	}
	result = real_sigaction(signo, action, &before);
	if (result == 0 && before.sa_sigaction == pp_signal_guest)
		as_given(&was, &before);
	if (result == 0 && old != NULL)
		*old = before;
	return (result);
}

static sighandler_t
set_handler(int signo, sighandler_t handler, int flags, int blocked)
{
	struct sigaction action, old;

	if (handler == SIG_ERR || !is_ours_to_keep(signo)) {
		errno = EINVAL;
		return (SIG_ERR);
	}
	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	action.sa_flags = flags;
	if (blocked)
		(void)sigaddset(&action.sa_mask, signo);
	if (hook_sigaction(signo, &action, &old) == -1)
		return (SIG_ERR);
	return (old.sa_handler);
}

static sighandler_t
hook_signal(int signo, sighandler_t handler)
{
	uint64_t ends = atomic_load(&interrupts);
	int flags = SA_RESTART;

	if (is_ours_to_keep(signo) && (ends >> (signo - 1) & 1) != 0)
		flags = 0;
	return (set_handler(signo, handler, flags, 1));
}

static sighandler_t
hook_sysv_signal(int signo, sighandler_t handler)
{
	return (set_handler(signo, handler, (int)SA_RESETHAND | SA_NODEFER, 0));
}

static sighandler_t
hook_sigset(int signo, sighandler_t handler)
{
	struct sigaction before;
	sigset_t set, was;

	if (handler == SIG_ERR || !is_ours_to_keep(signo)) {
		errno = EINVAL;
		return (SIG_ERR);
	}
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signo);
	if (hook_sigaction(signo, NULL, &before) == -1 ||
	    (handler != SIG_HOLD &&
		set_handler(signo, handler, 0, 0) == SIG_ERR) ||
	    pp_masks_change(handler == SIG_HOLD ? SIG_BLOCK : SIG_UNBLOCK, &set,
		&was) == -1)
		return (SIG_ERR);
	return (sigismember(&was, signo) == 1 ? SIG_HOLD : before.sa_handler);
}

static int
hook_sigignore(int signo)
{
	return (set_handler(signo, SIG_IGN, 0, 0) == SIG_ERR ? -1 : 0);
}

static int
hook_siginterrupt(int signo, int ends)
{
	struct sigaction action;
	uint64_t bit;

	if (hook_sigaction(signo, NULL, &action) == -1)
		return (-1);
	bit = UINT64_C(1) << (signo - 1);
	if (ends) {
		atomic_fetch_or(&interrupts, bit);
		action.sa_flags &= ~SA_RESTART;
	} else {
		atomic_fetch_and(&interrupts, ~bit);
		action.sa_flags |= SA_RESTART;
	}
	return (hook_sigaction(signo, &action, NULL));
}

static int
hook_raise(int signo)
{
	if (signo == SIGPROF && pp_self.worker != 0)
		pp_signal_owe((uintptr_t)pthread_self());
	return (real_raise(signo));
}

static int
hook_pthread_kill(pthread_t thread, int signo)
{
	if (signo == SIGPROF && pp_self.worker != 0)
		pp_signal_owe((uintptr_t)thread);
	return (real_pthread_kill(thread, signo));
}

void
pp_signals_adopt(void)
{
	struct sigaction action;
	int signo;

	real_sigaction = sigaction;
	for (signo = 1; signo <= 64; signo++) {
		if (signo != SIGPROF && is_ours_to_keep(signo) &&
		    sigaction(signo, NULL, &action) == 0 &&
		    has_function(&action) &&
		    action.sa_sigaction != pp_signal_guest)
			(void)hook_sigaction(signo, &action, NULL);
	}
}

void
pp_signals_look(void)
{
	static struct pp_signal_action before;
	static _Atomic int replaced;
	struct sigaction kernel;

	if (!prof_is_shared() || sigaction(SIGPROF, NULL, &kernel) == -1)
		return;
	if (kernel.sa_sigaction != pp_sampler_signal) {
		if (atomic_exchange(&replaced, 1) == 0)
			pp_signal_keep(NULL, &before);
		(void)pp_signal_install();
	} else if (atomic_exchange(&replaced, 0) != 0) {
		pp_signal_keep(&before, NULL);
	}
}

/* The C library's own profiler, of gcc -pg, installs its handler within the C
 * library, and puts back what it has found. */
static int
hook_profil(unsigned short *buffer, size_t size, size_t offset,
    unsigned int scale)
{
	int result = real_profil(buffer, size, offset, scale);

	pp_signals_look();
	return (result);
}

static int
hook_sprofil(void *ranges, int count, void *rate, unsigned int flags)
{
	int result = real_sprofil(ranges, count, rate, flags);

	pp_signals_look();
	return (result);
}

static void
hook_moncontrol(int mode)
{
	real_moncontrol(mode);
	pp_signals_look();
}

#define SIGNAL_HOOK(name, hook)                                                \
	{                                                                      \
#name, (void *)hook_##hook, (void **)&real_##name, PP_GOT_ALL  \
	}

const struct pp_got_hook pp_hook_signal[PP_SIGNAL_HOOKS] = {
	SIGNAL_HOOK(sigaction, sigaction),
	SIGNAL_HOOK(__sigaction, sigaction),
	SIGNAL_HOOK(signal, signal),
	SIGNAL_HOOK(bsd_signal, signal),
	SIGNAL_HOOK(ssignal, signal),
	SIGNAL_HOOK(sysv_signal, sysv_signal),
	SIGNAL_HOOK(__sysv_signal, sysv_signal),
	SIGNAL_HOOK(sigset, sigset),
	SIGNAL_HOOK(sigignore, sigignore),
	SIGNAL_HOOK(siginterrupt, siginterrupt),
	SIGNAL_HOOK(raise, raise),
	SIGNAL_HOOK(pthread_kill, pthread_kill),
	SIGNAL_HOOK(profil, profil),
	SIGNAL_HOOK(sprofil, sprofil),
	SIGNAL_HOOK(moncontrol, moncontrol),
};
