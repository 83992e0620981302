/*
 * A Kore application that looks for what docs/design.md says an application may
 * still notice of the profiler: /case?name does one and says what came of it.
 *
 * Rule: nothing here knows of the profiler. In TEST_PROBE is a program that ends
 * with what it found of SIGPROF: 1, ignored, and 2, blocked.
 */
#define _GNU_SOURCE
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/seccomp.h>

#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define A(call) KORE_SYSCALL_ALLOW(call)
KORE_SECCOMP_FILTER("notices", A(clone3), A(clone), A(vfork), A(rseq),
    A(set_robust_list), A(rt_sigprocmask), A(rt_sigaction), A(tgkill), A(kill),
    A(gettid), A(getpid), A(signalfd4), A(socketpair), A(setsockopt),
    A(getsockopt), A(sigaltstack), A(wait4), A(execve), A(exit_group), A(exit),
    A(prlimit64), A(sched_yield), A(mprotect), A(madvise), A(newfstatat))

int page_case(struct http_request *);
void *blocks_and_burns(void *);

static volatile int ran, inside, was_inside, on_stack;
static char other_stack[65536];
static sigjmp_buf back;

static void
burn(long ms)
{
	struct timespec time;
	long end = 0, now;

	do {
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
		now = time.tv_sec * 1000 + time.tv_nsec / 1000000;
		if (end == 0)
			end = now + ms;
	} while (now < end);
}

static void
counts(int signo)
{
	char here;

	(void)signo;
	ran++;
	was_inside |= inside;
	on_stack =
	    &here >= other_stack && &here < other_stack + sizeof(other_stack);
}

static void
handles(int signo, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	(void)sigaction(signo, &action, NULL);
	ran = inside = was_inside = on_stack = 0;
}

static sigset_t
prof(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGPROF);
	return (set);
}

static int
believes_blocked(void)
{
	sigset_t now;

	(void)pthread_sigmask(SIG_BLOCK, NULL, &now);
	return (sigismember(&now, SIGPROF));
}

static int
by_signalfd(void)
{
	sigset_t set = prof();
	struct pollfd fd = { .events = POLLIN };
	int ready;

	handles(SIGPROF, counts);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	fd.fd = signalfd(-1, &set, 0);
	(void)raise(SIGPROF);
	ready = poll(&fd, 1, 100);
	(void)close(fd.fd);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return (ready);
}

static void
raises(int signo)
{
	(void)signo;
	inside = 1;
	(void)raise(SIGPROF);
	inside = 0;
}

/* 1: a handler whose sa_mask has SIGPROF was interrupted by one. */
static int
by_action_mask(void)
{
	struct sigaction action = { .sa_handler = raises, .sa_mask = prof() };

	handles(SIGPROF, counts);
	(void)sigaction(SIGURG, &action, NULL);
	(void)raise(SIGURG);
	return (was_inside);
}

static void
raw_mask(int how)
{
	unsigned long set = 1UL << (SIGPROF - 1);

	(void)syscall(SYS_rt_sigprocmask, how, &set, NULL, sizeof(set));
}

/* How many arrive of one that is sent while another one waits. */
static int
by_tgkill(void)
{
	handles(SIGPROF, counts);
	raw_mask(SIG_BLOCK);
	burn(600);
	(void)syscall(SYS_tgkill, getpid(), gettid(), SIGPROF);
	raw_mask(SIG_UNBLOCK);
	return (ran);
}

static int
ended(pid_t pid)
{
	int status = -1;

	(void)waitpid(pid, &status, 0);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static int
by_exec(void)
{
	char *argv[] = { getenv("TEST_PROBE"), NULL };
	pid_t pid;
	int found;

	(void)signal(SIGPROF, SIG_IGN);
	pid = fork();
	if (pid == 0) {
		(void)execv(argv[0], argv);
		_exit(99);
	}
	found = ended(pid);
	(void)signal(SIGPROF, SIG_DFL);
	return (found);
}

static int
by_spawn(void)
{
	char *argv[] = { getenv("TEST_PROBE"), NULL }, *env[] = { NULL };
	sigset_t set = prof();
	pid_t pid = -1;

	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)posix_spawn(&pid, argv[0], NULL, NULL, argv, env);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return (ended(pid));
}

/* 1: a handler without SA_ONSTACK ran on the alternate stack. */
static int
by_stack(void)
{
	stack_t stack = { .ss_sp = other_stack,
		.ss_size = sizeof(other_stack) };
	stack_t none = { .ss_flags = SS_DISABLE };

	handles(SIGPROF, counts);
	(void)sigaltstack(&stack, NULL);
	(void)raise(SIGPROF);
	(void)sigaltstack(&none, NULL);
	return (on_stack);
}

/* The errno of a wait with a limit of 2 s that is set by `set`. */
static int
limited(int (*set)(int), int stdio)
{
	char line[8];
	int ends[2], error;
	FILE *from;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
		return (-1);
	(void)set(ends[0]);
	from = fdopen(ends[0], "r");
	errno = 0;
	if (stdio)
		(void)!fgets(line, sizeof(line), from);
	else
		(void)!recv(ends[0], line, 1, 0);
	error = errno;
	(void)fclose(from);
	(void)close(ends[1]);
	return (error);
}

static const struct timeval limit = { 2, 0 };

static int
set_by_libc(int fd)
{
	return (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
}

static int
set_by_call(int fd)
{
	return ((int)syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO,
	    &limit, sizeof(limit)));
}

static void
blocks(int signo)
{
	sigset_t set = prof();

	(void)signo;
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* 1: SIGPROF is believed to be blocked behind a handler that did so. */
static int
by_handler_mask(void)
{
	sigset_t set = prof();
	int found;

	handles(SIGURG, blocks);
	(void)raise(SIGURG);
	found = believes_blocked();
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return (found);
}

static void
jumps(int signo)
{
	(void)signo;
	siglongjmp(back, 1);
}

/* The same behind siglongjmp() to where it was not blocked. */
static int
by_longjmp(void)
{
	sigset_t set = prof();
	int found;

	handles(SIGURG, jumps);
	if (sigsetjmp(back, 1) == 0) {
		(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
		(void)raise(SIGURG);
	}
	found = believes_blocked();
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return (found);
}

__attribute__((noinline)) void *
blocks_and_burns(void *arg)
{
	raw_mask(SIG_BLOCK);
	burn(500);
	return (arg);
}

static int
by_blocked_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, blocks_and_burns, NULL) != 0)
		return (-1);
	return (pthread_join(thread, NULL));
}

/* 1: one of many reads was short. */
static int
by_device(void)
{
	static char bytes[1 << 24];
	int fd = open("/dev/zero", O_RDONLY), i, is_short = 0;

	for (i = 0; i < 400 && !is_short; i++)
		is_short = read(fd, bytes, sizeof(bytes)) != sizeof(bytes);
	(void)close(fd);
	return (is_short);
}

static int
by_stdio(void)
{
	return (limited(set_by_libc, 1));
}

static int
by_raw_limit(void)
{
	return (limited(set_by_call, 0));
}

#define PAINT 0xa5
#define NEAR  512 /* so much below the painter is its own */

/* Half a second of CPU in few bytes of a painted stack. Returns whether more of
 * it has been touched below. */
static void *
computes(void *lowest)
{
	volatile unsigned char *stack = lowest, *near, *at;
	struct timespec now;

	near = (unsigned char *)__builtin_frame_address(0) - NEAR;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	for (at = stack; at < near; at++)
		*at = PAINT;
	do
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	while (now.tv_sec == 0 && now.tv_nsec < 500000000);
	for (at = stack; at < near && *at == PAINT; at++)
		;
	return (at < near - NEAR ? lowest : NULL);
}

static int
by_frame(void)
{
	static unsigned char stack[65536] __attribute__((aligned(4096)));
	pthread_attr_t attr;
	pthread_t thread;
	void *touched = NULL;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstack(&attr, stack, sizeof(stack));
	if (pthread_create(&thread, &attr, computes, stack) != 0)
		return (-1);
	(void)pthread_join(thread, &touched);
	(void)pthread_attr_destroy(&attr);
	return (touched != NULL);
}

static const struct {
	const char *name;
	int (*look)(void);
} cases[] = {
	{ "signalfd", by_signalfd },
	{ "action_mask", by_action_mask },
	{ "tgkill", by_tgkill },
	{ "exec", by_exec },
	{ "spawn", by_spawn },
	{ "stack", by_stack },
	{ "frame", by_frame },
	{ "raw_limit", by_raw_limit },
	{ "stdio", by_stdio },
	{ "handler_mask", by_handler_mask },
	{ "longjmp", by_longjmp },
	{ "device", by_device },
	{ "blocked_thread", by_blocked_thread },
};

int
page_case(struct http_request *req)
{
	char text[32] = "unknown";
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (req->query_string != NULL &&
		    strcmp(req->query_string, cases[i].name) == 0)
			snprintf(text, sizeof(text), "%d", cases[i].look());
	}
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}
