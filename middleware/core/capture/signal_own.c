/* Hot: signal handlers run what is in this file. */
/*
 * The application's own SIGPROF: this file decides which signals are the
 * application's, and does what the application has chosen for these, as far as
 * that is possible from within our handler. See signal.h.
 */
#include <sys/syscall.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "capture/signal_private.h"

#define ACTIONS_MAX 16 /* as many threads may change it at once */

/* The action is entry `kept`. An entry is written before the exchange of
 * `kept`, whose release pairs with the acquire load of `kept` by a handler. An
 * entry is written again after ACTIONS_MAX - 1 changes: so many would have to
 * pass while a handler copies. */
static struct pp_signal_action actions[ACTIONS_MAX];
static _Atomic uint32_t kept, action_next;

void
pp_signal_keep(const struct pp_signal_action *action,
    struct pp_signal_action *old)
{
	uint32_t place;

	if (action == NULL) {
		place = atomic_load(&kept);
	} else {
		place =
		    1 + atomic_fetch_add(&action_next, 1) % (ACTIONS_MAX - 1);
		actions[place] = *action;
		place = atomic_exchange(&kept, place);
		if (action->handler != (void *)SIG_DFL)
			pp_signal_used(PP_SIGPROF_HANDLED);
	}
	if (old != NULL)
		*old = actions[place];
}

/*
 * While a SIGPROF of ours waits to be delivered to a thread, the kernel throws
 * every further SIGPROF for this thread away. So a sender within this process
 * sets `owed` before it sends, and the thread acts upon `owed` whichever signal
 * arrives. `who` is stored last (a release) and pairs with the sender's load.
 */
static struct {
	_Atomic uintptr_t who;
	_Atomic int owed;
	_Atomic int ahead; /* the signal itself has not come, and may */
} ear[PP_THREADS_MAX];

void
pp_signal_known(uintptr_t who)
{
	size_t place;

	if (pp_thread_self == NULL)
		return;
	place = (size_t)(pp_thread_self - pp_self.thread);
	atomic_store(&ear[place].owed, 0);
	atomic_store(&ear[place].ahead, 0);
	atomic_store(&ear[place].who, who);
}

void
pp_signal_taken(void)
{
	if (pp_thread_self != NULL)
		atomic_store(&ear[pp_thread_self - pp_self.thread].owed, 0);
}

void
pp_signal_owe(uintptr_t who)
{
	unsigned int i;

	for (i = 0; i < PP_THREADS_MAX; i++) {
		if (atomic_load(&ear[i].who) == who &&
		    atomic_load(&pp_self.thread[i].state) == PP_THREAD_LIVE) {
			atomic_store(&ear[i].ahead, 0);
			atomic_store(&ear[i].owed, 1);
			return;
		}
	}
}

/* The signal waits in the kernel, as it would without us: SIGPROF stays blocked
 * in the thread until the application unblocks the signal or takes it by a
 * wait. */
static void
own_waits(siginfo_t *info, ucontext_t *uc)
{
	pid_t pid = (pid_t)syscall(SYS_getpid);
	uint64_t mask;

	memcpy(&mask, &uc->uc_sigmask, sizeof(mask));
	mask |= PP_PROF_BIT;
	memcpy(&uc->uc_sigmask, &mask, sizeof(mask));
	pp_signal_waited++;
	pp_signal_note(uc);
	if (info->si_code == SI_TKILL) {
		(void)syscall(SYS_rt_tgsigqueueinfo, pid, syscall(SYS_gettid),
		    SIGPROF, info);
		return;
	}
	/* Only from the first thread the kernel takes an *info that names
	 * another sender; any other thread sends the signal as its own. */
	if (syscall(SYS_rt_sigqueueinfo, pid, SIGPROF, info) == -1)
		(void)syscall(SYS_kill, pid, SIGPROF);
}

/* The action is SIG_DFL: the signal ends the process when our handler returns.
 */
static void
own_ends_process(siginfo_t *info)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} action;

	memset(&action, 0, sizeof(action));
	(void)syscall(SYS_rt_sigaction, SIGPROF, &action, NULL, PP_MASK_SIZE);
	(void)syscall(SYS_rt_tgsigqueueinfo, syscall(SYS_getpid),
	    syscall(SYS_gettid), SIGPROF, info);
}

static void
own_runs(siginfo_t *info, ucontext_t *uc, const struct pp_signal_action *action)
{
	const struct pp_signal_action none = { (void *)SIG_DFL, 0, 0 };
	void (*handler)(int, siginfo_t *, void *);
	uint64_t mask, ours;

	*(void **)&handler = action->handler;
	if ((action->flags & (int)SA_RESETHAND) != 0)
		pp_signal_keep(&none, NULL);
	pp_signal_own_begins(uc, action->flags);
	memcpy(&mask, &uc->uc_sigmask, sizeof(mask));
	mask |= action->mask;
	if ((action->flags & SA_NODEFER) == 0)
		mask |= PP_PROF_BIT;
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &ours,
	    PP_MASK_SIZE);
	handler(SIGPROF, info, uc);
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &ours, NULL,
	    PP_MASK_SIZE);
}

/* A SIGPROF has come that is not ours. */
static void
own_came(siginfo_t *info, ucontext_t *uc)
{
	struct pp_signal_action action;
	size_t place;

	if (pp_thread_self != NULL && info->si_code == SI_TKILL &&
	    info->si_pid == pp_self.pid) {
		place = (size_t)(pp_thread_self - pp_self.thread);
		if (atomic_exchange(&ear[place].owed, 0) == 0 &&
		    atomic_exchange(&ear[place].ahead, 0) != 0) {
			pp_signal_note(uc);
			return;
		}
	}
	pp_signal_used(PP_SIGPROF_CAME);
	if (pp_signal_blocked) {
		own_waits(info, uc);
		return;
	}
	pp_signal_keep(NULL, &action);
	if (action.handler == (void *)SIG_IGN)
		pp_signal_note(uc);
	else if (action.handler == (void *)SIG_DFL)
		own_ends_process(info);
	else
		own_runs(info, uc, &action);
}

/* If a sender has set `owed` while a signal of ours waited to be delivered, the
 * application's signal comes now. */
static void
own_owed(ucontext_t *uc)
{
	siginfo_t info;
	size_t place;

	if (pp_thread_self == NULL)
		return;
	place = (size_t)(pp_thread_self - pp_self.thread);
	if (atomic_load_explicit(&ear[place].owed, memory_order_relaxed) == 0)
		return;
	memset(&info, 0, sizeof(info));
	info.si_signo = SIGPROF;
	info.si_code = SI_TKILL;
	info.si_pid = pp_self.pid;
	info.si_uid = (uid_t)syscall(SYS_getuid);
	own_came(&info, uc);
	if (!pp_signal_blocked)
		atomic_store(&ear[place].ahead, 1);
}

int
pp_signal_arrived(siginfo_t *info, void *context)
{
	int saved = errno;

	if (!pp_signal_is_ours(info)) {
		own_came(info, context);
		errno = saved;
		return (0);
	}
	if (info->si_code == SI_TIMER &&
	    info->si_value.sival_ptr == (char *)&pp_self + 1) {
		pp_signal_kicked(info, context);
		own_owed(context);
		errno = saved;
		return (0);
	}
	pp_signal_note(context);
	own_owed(context);
	return (1);
}
