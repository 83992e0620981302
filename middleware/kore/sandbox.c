/*
 * What the module needs of Kore's seccomp sandbox, and why, call by call.
 *
 * Rules go in by kore_seccomp_filter() in the parent, before the first worker
 * is forked: no kore_seccomp_hook is defined, so the application keeps its
 * own. keymgr and acme drop all rules and are not touched.
 */
#include <kore/kore.h>
#include <kore/seccomp.h>

#include <sys/ioctl.h>

#include <errno.h>
#include <linux/perf_event.h>

#include "kore/adapter.h"

static struct sock_filter rules[] = {
	/* Timers, perf events and threads of the CPU profiler. */
	KORE_SYSCALL_ALLOW(timer_create),
	KORE_SYSCALL_ALLOW(timer_settime),
	KORE_SYSCALL_ALLOW(timer_delete),
	KORE_SYSCALL_ALLOW(gettid),
	KORE_SYSCALL_ALLOW(tgkill),
	KORE_SYSCALL_ALLOW(perf_event_open),
	KORE_SYSCALL_ALLOW_ARG(ioctl, 1, PERF_EVENT_IOC_REFRESH),

	/* What children of a worker have used. */
	KORE_SYSCALL_ALLOW(getrusage),

	/* libunwind asks whether a page is mapped, some versions by a pipe. */
	KORE_SYSCALL_ALLOW(mincore),
	KORE_SYSCALL_ALLOW(msync),
	KORE_SYSCALL_ALLOW(pipe2),

	/* Asking the collector. */
	KORE_SYSCALL_ALLOW(socketpair),
	KORE_SYSCALL_ALLOW(sendmsg),
	KORE_SYSCALL_ALLOW(recvmsg),
	KORE_SYSCALL_ALLOW(memfd_create),

	/* glibc 2.33 and later make fstat() and stat() of it: Kore 4.1.0
	 * itself dies of a SIGHUP without it. */
	KORE_SYSCALL_ALLOW(newfstatat),

	/* glibc grows a large block so; Kore's list forgot it. */
	KORE_SYSCALL_ALLOW(mremap),

	/* A sleep or poll() goes on by it when our signal was meant for the
	 * thread and another has taken it. */
	KORE_SYSCALL_ALLOW(restart_syscall),

	/* The ninth thread that allocates makes glibc count processors. */
	KORE_SYSCALL_ALLOW(sched_getaffinity),

	/* glibc 2.34 and later start threads so; Kore's list has clone().
	 * ENOSYS makes glibc go back to it, with its flags visible. */
	KORE_SYSCALL_DENY(clone3, ENOSYS),
#if defined(SYS_rseq)
	KORE_SYSCALL_ALLOW(rseq),
#endif

#ifdef PP_SANITIZED
	/* AddressSanitizer's: where the stack ends that an exception or a
	 * longjmp() leaves. Only in the builds of tests/sanitize.mk. */
	KORE_SYSCALL_ALLOW(sigaltstack),
	KORE_SYSCALL_ALLOW(getrlimit),
	KORE_SYSCALL_ALLOW(prlimit64),
#endif
};

int
pp_sandbox_rules(void)
{
	if (kore_seccomp_filter("pprof", rules, KORE_FILTER_LEN(rules)) !=
	    KORE_RESULT_OK) {
		pp_kore_log("the sandbox has rules named \"pprof\" already: "
			    "ours are left out");
		return (-1);
	}
	return (0);
}
