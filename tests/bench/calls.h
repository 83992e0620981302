/*
 * Counting the malloc and system calls of a piece of code, from inside the
 * process. Included by one program only: it defines malloc().
 *
 *     inside = 1; dispatch = ..._BLOCK;   code   dispatch = ..._ALLOW; inside = 0;
 *
 * Rule: `inside` and `dispatch` are set only around the code that is counted.
 */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>
#include <unistd.h>

static volatile int inside;
static volatile uint64_t mallocs, syscalls;
static volatile char dispatch; /* the kernel reads it at each system call */
static int dispatch_works;

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);

/* The program's malloc comes before libc's for every library: count. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void *
malloc(size_t size)
{
	mallocs += (uint64_t)inside;
	return (__libc_malloc(size));
}

void *
calloc(size_t count, size_t size)
{
	mallocs += (uint64_t)inside;
	return (__libc_calloc(count, size));
}

void *
realloc(void *old, size_t size)
{
	mallocs += (uint64_t)inside;
	return (__libc_realloc(old, size));
}

/*
 * System calls are counted by the kernel's own dispatch to the user: while
 * `dispatch` says BLOCK each one arrives here as SIGSYS, is counted, made and
 * answered. The way back from a signal is a system call too, so this handler
 * has a restorer of its own, in the range that is never dispatched.
 */
#if defined(__x86_64__) && defined(PR_SET_SYSCALL_USER_DISPATCH)
void restorer(void);
__asm__(".text\n.globl restorer\nrestorer:\n"
	"mov $15, %eax\nsyscall\n"
	".fill 16, 1, 0x90\n");

static void
on_syscall(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	greg_t *r = uc->uc_mcontext.gregs;
	long result;
	int saved = errno;

	(void)signo;
	(void)info;
	dispatch = SYSCALL_DISPATCH_FILTER_ALLOW;
	syscalls++;
	result = syscall(r[REG_RAX], r[REG_RDI], r[REG_RSI], r[REG_RDX],
	    r[REG_R10], r[REG_R8], r[REG_R9]);
	r[REG_RAX] = result == -1 ? -errno : result;
	errno = saved;
	dispatch = SYSCALL_DISPATCH_FILTER_BLOCK;
}

static int
dispatch_prepare(void)
{
	struct {
		void (*handler)(int, siginfo_t *, void *);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} action = { on_syscall, SA_SIGINFO | SA_NODEFER | 0x04000000, restorer,
		0 };

	dispatch = SYSCALL_DISPATCH_FILTER_ALLOW;
	if (syscall(SYS_rt_sigaction, SIGSYS, &action, NULL, 8) == -1)
		return (0);
	return (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON,
		    (unsigned long)(uintptr_t)restorer, 32UL, &dispatch) == 0);
}
#else
#define SYSCALL_DISPATCH_FILTER_ALLOW 0
#define SYSCALL_DISPATCH_FILTER_BLOCK 1
static int
dispatch_prepare(void)
{
	return (0);
}
#endif

#endif
