/* Hot: signal handlers run what is in this file. */
/*
 * See signal.h.
 *
 * If a signal ends a system call, the first signal that the kernel delivers
 * decides what becomes of the call. If that signal is ours, and a signal of the
 * application comes while our handler runs, the kernel has already decided to
 * make the call again (SA_RESTART), although the application's handler may
 * forbid that. In that case call_ends() does what the kernel would have done.
 */
#include <sys/syscall.h>

#include <errno.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/sampler.h"
#include "capture/signal_private.h"

#define SIGNALS 65

/* If a call of a thread should have ended, the thread gets a signal every
 * KICK_NS until the call has ended, at most KICKS_MAX times. */
#define KICK_NS	  PP_NS_PER_MS
#define KICKS_MAX 1000
#define KICK_NEAR 512 /* bytes of the stack */

__thread volatile uint32_t pp_signal_interrupted;
__thread volatile uint32_t pp_signal_handled;
__thread volatile int pp_signal_continues;
__thread volatile int pp_signal_blocked;
__thread volatile uint32_t pp_signal_waited;
__thread volatile long pp_signal_result = -1;
__thread volatile uintptr_t pp_signal_sp;

/* The address at which a call is made again after our handler; 0: no call is.
 */
static __thread volatile uintptr_t call_again_at;
static __thread volatile int kick_timer, kicks; /* timer + 1; 0: none */
/* The stack pointer of the code that a handler of the application interrupted
 * while pp_signal_continues was 1; 0: none. */
static __thread volatile uintptr_t kick_sp;

/* The application's handlers. If the action becomes SIG_DFL or SIG_IGN, the
 * entry keeps the last handler, since a signal may be on its way. */
static struct {
	void *_Atomic handler;
	_Atomic int flags;
	_Atomic uint64_t mask;
} guest[SIGNALS];

static _Atomic int uses;

void
pp_signal_used(enum pp_clock_seen how)
{
	atomic_fetch_or_explicit(&uses, (int)how, memory_order_relaxed);
	if (pp_self.slot != NULL)
		atomic_fetch_or_explicit(&pp_self.slot->clocks,
		    (uint32_t)atomic_load(&uses), memory_order_relaxed);
}

void
pp_signal_guest_set(int signo, const struct pp_signal_action *action,
    struct pp_signal_action *old)
{
	old->flags = atomic_load(&guest[signo].flags);
	old->mask = atomic_load(&guest[signo].mask);
	old->handler = atomic_load(&guest[signo].handler);
	if (action == NULL)
		return;
	atomic_store(&guest[signo].mask, action->mask);
	atomic_store(&guest[signo].flags, action->flags);
	atomic_store(&guest[signo].handler, action->handler);
}

void
pp_signal_block(int how)
{
	uint64_t set = PP_PROF_BIT;

	(void)syscall(SYS_rt_sigprocmask, how, &set, NULL, PP_MASK_SIZE);
}

void
pp_signal_again(siginfo_t *info)
{
	(void)syscall(SYS_rt_tgsigqueueinfo, pp_self.pid, syscall(SYS_gettid),
	    SIGPROF, info);
}

void
pp_signal_enter(int blocked)
{
	uint64_t set = PP_PROF_BIT, was = 0;

	(void)syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &set, &was,
	    PP_MASK_SIZE);
	pp_signal_blocked = blocked || (was & PP_PROF_BIT) != 0;
	if (pp_signal_blocked)
		pp_signal_used(PP_SIGPROF_BLOCKED);
}

void
pp_signal_forked(void)
{
	/* A child inherits no timer: in the child the number may mean another
	 * timer. */
	kick_timer = 0;
	kick_sp = 0;
	pp_signal_continues = 0;
	if (pp_signal_blocked)
		pp_signal_block(SIG_BLOCK);
}

#if defined(__x86_64__)
/* The kernel leaves the address to which a system call returns in rcx. */
#define CALL_LENGTH    2
#define REG_PC(uc)     ((uc)->uc_mcontext.gregs[REG_RIP])
#define REG_SP(uc)     ((uc)->uc_mcontext.gregs[REG_RSP])
#define REG_RESULT(uc) ((uc)->uc_mcontext.gregs[REG_RAX])
#define REG_NUMBER(uc) ((uc)->uc_mcontext.gregs[REG_RAX])
#define REG_SECOND(uc) ((uc)->uc_mcontext.gregs[REG_RSI])

static int
after_call(const ucontext_t *uc)
{
	return (uc->uc_mcontext.gregs[REG_RCX] == REG_PC(uc));
}

static int
before_call_again(const ucontext_t *uc)
{
	return (uc->uc_mcontext.gregs[REG_RCX] == REG_PC(uc) + CALL_LENGTH);
}
#else
#define CALL_LENGTH    4
#define CALL_CODE      0xd4000001u /* svc #0 */
#define REG_PC(uc)     ((uc)->uc_mcontext.pc)
#define REG_SP(uc)     ((uc)->uc_mcontext.sp)
#define REG_RESULT(uc) ((uc)->uc_mcontext.regs[0])
#define REG_NUMBER(uc) ((uc)->uc_mcontext.regs[8])
#define REG_SECOND(uc) ((uc)->uc_mcontext.regs[1])

/* The instruction before the pc is read only if it lies on the same page. */
static int
after_call(const ucontext_t *uc)
{
	return ((REG_PC(uc) & 4095) != 0 &&
	    ((const uint32_t *)(uintptr_t)REG_PC(uc))[-1] == CALL_CODE);
}

static int
before_call_again(const ucontext_t *uc)
{
	return (*(const uint32_t *)(uintptr_t)REG_PC(uc) == CALL_CODE);
}
#endif

/* Notes what our signal has done to a system call of the thread. A second
 * signal of ours may come before the first instruction of a handler of the
 * application. So a noted address stays: the handler must still see where the
 * call is made again. */
void
pp_signal_note(const ucontext_t *uc)
{
	if ((long)REG_RESULT(uc) == -EINTR) {
		pp_signal_interrupted++;
	} else if (after_call(uc)) {
		pp_signal_sp = (uintptr_t)REG_SP(uc);
		pp_signal_result = (long)REG_RESULT(uc);
	} else if (before_call_again(uc)) {
		call_again_at = (uintptr_t)REG_PC(uc);
	}
}

/* Whether the call is one that ends with EINTR after a handler without
 * SA_RESTART. */
static int
call_may_end(const ucontext_t *uc)
{
	switch (REG_NUMBER(uc)) {
	case SYS_futex: /* FUTEX_WAIT, FUTEX_WAIT_BITSET */
		return (
		    (REG_SECOND(uc) & 127) == 0 || (REG_SECOND(uc) & 127) == 9);
#ifdef SYS_open
	case SYS_open:
#endif
	case SYS_read:
	case SYS_readv:
	case SYS_write:
	case SYS_writev:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_recvmmsg:
	case SYS_sendto:
	case SYS_sendmsg:
	case SYS_sendmmsg:
	case SYS_accept:
	case SYS_accept4:
	case SYS_connect:
	case SYS_openat:
	case SYS_wait4:
	case SYS_waitid:
	case SYS_flock:
	case SYS_fcntl:
	case SYS_ioctl:
	case SYS_sendfile:
	case SYS_splice:
	case SYS_tee:
	case SYS_vmsplice:
	case SYS_getrandom:
	case SYS_mq_timedreceive:
	case SYS_mq_timedsend:
		return (1);
	}
	return (0);
}

/* A handler with these flags is about to run: if the flags forbid that the call
 * is made again, the call ends with EINTR. */
static void
call_ends(ucontext_t *uc, int flags)
{
	if ((flags & SA_RESTART) != 0 || !before_call_again(uc) ||
	    !call_may_end(uc))
		return;
	REG_RESULT(uc) = (__typeof__(REG_RESULT(uc)))-EINTR;
	REG_PC(uc) += CALL_LENGTH;
}

/* Returns the thread's timer, or -1. If a handler of the application has
 * interrupted this function and has made a timer, that timer is taken, and the
 * second one is deleted: otherwise nobody would ever delete it. */
static int
kick_new(void)
{
	struct sigevent event;
	int timer, none = 0;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIGPROF;
	event.sigev_value.sival_ptr = (char *)&pp_self + 1;
	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) == -1)
		return (-1);
	if (__atomic_compare_exchange_n(&kick_timer, &none, timer + 1, 0,
		__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return (timer);
	(void)syscall(SYS_timer_delete, timer);
	return (none - 1);
}

__attribute__((noinline)) void
pp_signal_kick(int64_t after)
{
	struct itimerspec when = { { 0, KICK_NS },
		{ after / PP_NS_PER_SEC, after % PP_NS_PER_SEC } };
	int saved = errno,
	    timer = kick_timer != 0 ? kick_timer - 1 : kick_new();

	if (timer != -1) {
		kicks = 0;
		(void)syscall(SYS_timer_settime, timer, 0, &when, NULL);
	}
	errno = saved;
}

void
pp_signal_continued(void)
{
	int saved = errno, timer;

	/* This store comes first: from here on no handler makes a timer. */
	pp_signal_continues = 0;
	kick_sp = 0;
	timer = __atomic_exchange_n(&kick_timer, 0, __ATOMIC_RELAXED);
	if (timer != 0)
		(void)syscall(SYS_timer_delete, timer - 1);
	errno = saved;
}

void
pp_signal_guest_begins(ucontext_t *uc, int flags)
{
	pp_signal_handled++;
	if (__builtin_expect(call_again_at != 0, 0)) {
		if (call_again_at == (uintptr_t)REG_PC(uc))
			call_ends(uc, flags);
		call_again_at = 0;
	}
	/* This handler may run between the comparison of the counters
	 * (hook/through.h) and the call that it should end. */
	if (__builtin_expect(pp_signal_continues, 0)) {
		kick_sp = (uintptr_t)REG_SP(uc);
		pp_signal_kick(KICK_NS);
	}
}

/* Takes the interrupted pc for the place where a call is made again, whatever
 * an earlier signal has noted. */
void
pp_signal_own_begins(ucontext_t *uc, int flags)
{
	call_again_at = (uintptr_t)REG_PC(uc);
	pp_signal_guest_begins(uc, flags);
}

void
pp_signal_guest(int signo, siginfo_t *info, void *context)
{
	void (*handler)(int, siginfo_t *, void *);
	int flags;

	flags = atomic_load_explicit(&guest[signo].flags, memory_order_relaxed);
	*(void **)&handler =
	    atomic_load_explicit(&guest[signo].handler, memory_order_acquire);
	pp_signal_guest_begins(context, flags);
	handler(signo, info, context);
}

/* A handler that leaves the call by longjmp() does not say so. Therefore a call
 * is ended only near the stack pointer that was noted: a call that the handler
 * itself makes lies deeper, by the signal frame of the kernel. */
void
pp_signal_kicked(const siginfo_t *info, ucontext_t *uc)
{
	uintptr_t away = (uintptr_t)REG_SP(uc) - (kick_sp - KICK_NEAR);

	/* The timer belongs to an earlier call, which was left by longjmp(). */
	if (info->si_timerid != kick_timer - 1)
		(void)syscall(SYS_timer_delete, info->si_timerid);
	else if (!pp_signal_continues || ++kicks >= KICKS_MAX)
		pp_signal_continued();
	else if (kick_sp != 0 && away < 2 * KICK_NEAR && before_call_again(uc))
		call_ends(uc, 0);
	pp_signal_note(uc);
}
