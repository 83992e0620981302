/*
 * The seccomp filter: what the collector may still ask of the kernel.
 *
 * Files are read through descriptors that are open already, so there is no open
 * here, no socket but those that the listening socket accepts, no exec and no
 * new code: mappings may be anything but executable.
 *
 * Rule: one table; a call that is not on it fails with EPERM and the program
 * goes on. A call of another architecture kills it.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "collector/collector.h"

#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#else
#error "name this architecture in sandbox.c"
#endif

/* A call, and bits that its third argument may not have. */
struct allowed {
	unsigned int call;
	unsigned int not_in_third;
};

static const struct allowed sandbox_allowed[] = {
	/* Calls of the loop. */
	{ SYS_epoll_ctl, 0 },
	{ SYS_epoll_pwait, 0 },
#ifdef SYS_epoll_wait
	{ SYS_epoll_wait, 0 },
#endif
	{ SYS_recvmsg, 0 },
	{ SYS_sendmsg, 0 },
	{ SYS_clock_gettime, 0 },
	/* Calls that send SIGPROF: "read the control words". */
	{ SYS_rt_tgsigqueueinfo, 0 },
	/* Calls on descriptors that are open. */
	{ SYS_close, 0 },
	{ SYS_dup, 0 },
	{ SYS_fcntl, 0 },
	{ SYS_fstat, 0 },
	{ SYS_newfstatat, 0 }, /* what glibc makes of fstat() */
	{ SYS_fstatfs, 0 },    /* whether a descriptor is of /proc */
	{ SYS_lseek, 0 },
	{ SYS_read, 0 },
	{ SYS_pread64, 0 },
	{ SYS_write, 0 },
	{ SYS_writev, 0 },
	/* Calls for answers: a memfd is made, written and sealed. */
	{ SYS_memfd_create, 0 },
	{ SYS_ftruncate, 0 },
	{ SYS_fallocate, 0 }, /* also gives ring memory back */
	/* Calls for memory. */
	{ SYS_mmap, PROT_EXEC },
	{ SYS_mprotect, PROT_EXEC },
	{ SYS_munmap, 0 },
	{ SYS_mremap, 0 },
	{ SYS_madvise, 0 },
	{ SYS_brk, 0 },
	{ SYS_getrandom, 0 }, /* by malloc() at its first use */
	{ SYS_sysinfo, 0 },   /* qsort() asks how much memory there is */
	{ SYS_futex, 0 },
	/* Calls at the end, also by abort(). */
	{ SYS_exit, 0 },
	{ SYS_exit_group, 0 },
	{ SYS_getpid, 0 },
	{ SYS_gettid, 0 },
	{ SYS_tgkill, 0 },
	{ SYS_rt_sigaction, 0 },
	{ SYS_rt_sigprocmask, 0 },
	{ SYS_rt_sigreturn, 0 },
	{ SYS_restart_syscall, 0 },
#ifdef PP_SANITIZED
	/*
	 * The sanitizer needs these calls at the end, when a thread of its own
	 * looks for leaks. Only in the builds of tests/sanitize.mk.
	 */
	{ SYS_clone, 0 },
	{ SYS_ptrace, 0 },
	{ SYS_wait4, 0 },
	{ SYS_prctl, 0 },
	{ SYS_getppid, 0 },
	{ SYS_sched_yield, 0 },
	{ SYS_sigaltstack, 0 },
	{ SYS_openat, 0 },
	{ SYS_open, 0 },
	{ SYS_readlink, 0 },
	{ SYS_readlinkat, 0 },
	{ SYS_access, 0 },
	{ SYS_getdents, 0 },
	{ SYS_getdents64, 0 },
	{ SYS_process_vm_readv, 0 },
	{ SYS_process_vm_writev, 0 },
	{ SYS_getrlimit, 0 },
	{ SYS_setrlimit, 0 },
	{ SYS_prlimit64, 0 },
#endif
};

/* Calls for the listener only. */
static const struct allowed sandbox_listener[] = {
	{ SYS_accept4, 0 },
	{ SYS_recvfrom, 0 },
	{ SYS_sendto, 0 },
	{ SYS_sendfile, 0 }, /* an answer that is a memfd */
	{ SYS_shutdown, 0 },
	{ SYS_setsockopt, 0 }, /* TCP_NODELAY, TCP_CORK */
	{ SYS_getsockopt, 0 },
	{ SYS_getsockname, 0 },
};

#define LISTENER (sizeof(sandbox_listener) / sizeof(sandbox_listener[0]))
#define ALLOWED	 (sizeof(sandbox_allowed) / sizeof(sandbox_allowed[0]))
#define PROGRAM	 (4 + 5 * (ALLOWED + LISTENER) + 1) /* at most */
#define WORD(at) ((unsigned int)offsetof(struct seccomp_data, at))
#define REFUSE	 (SECCOMP_RET_ERRNO | EPERM)

/* The low half of an argument stands first on both architectures. */
#define THIRD WORD(args[2])

static unsigned short
sandbox_add(struct sock_filter *out, const struct allowed *row, size_t rows)
{
	const struct sock_filter allow =
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, REFUSE);
	const struct sock_filter third =
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, THIRD);
	unsigned short n = 0;
	unsigned char skip;

	for (; rows > 0; row++, rows--) {
		skip = row->not_in_third == 0 ? 1 : 4;
		out[n++] =
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			row->call, 0, skip);
		if (row->not_in_third != 0) {
			out[n++] = third;
			out[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP |
				BPF_JSET | BPF_K,
			    row->not_in_third, 0, 1);
			out[n++] = refuse;
		}
		out[n++] = allow;
	}
	return (n);
}

static unsigned short
sandbox_build(struct sock_filter *out, int listener)
{
	const struct sock_filter head[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(nr)),
	};
	unsigned short n = 4;

	memcpy(out, head, sizeof(head));
	n += sandbox_add(out + n, sandbox_allowed, ALLOWED);
	if (listener)
		n += sandbox_add(out + n, sandbox_listener, LISTENER);
	out[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, REFUSE);
	return (n);
}

int
pp_collector_sandbox(int listener)
{
	struct sock_filter filter[PROGRAM];
	struct sock_fprog program = { .filter = filter };

	program.len = sandbox_build(filter, listener);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) {
		pp_collector_log("seccomp: %s", strerror(errno));
		return (-1);
	}
	return (0);
}
