/*
 * A Kore application with uses of its own for SIGPROF, and with signals that
 * must end its calls: /case?name=... does one and says what came of it.
 *
 * Rule: nothing here knows of the profiler.
 */
#define _GNU_SOURCE
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/seccomp.h>

#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define A(call) KORE_SYSCALL_ALLOW(call)
KORE_SECCOMP_FILTER("guest", A(clone3), A(clone), A(rseq), A(set_robust_list),
    A(rt_sigprocmask), A(rt_sigaction), A(rt_sigsuspend), A(rt_sigtimedwait),
    A(rt_sigpending), A(pause), A(rt_sigqueueinfo), A(rt_tgsigqueueinfo),
    A(tgkill), A(kill), A(gettid), A(getpid), A(getuid), A(setitimer),
    A(timer_create), A(timer_settime), A(timer_delete), A(signalfd4), A(pipe2),
    A(socketpair), A(setsockopt), A(clock_nanosleep), A(wait4), A(exit_group),
    A(mprotect), A(madvise), A(munmap), A(mmap), A(prlimit64), A(sched_yield),
    A(getrusage))

int page_case(struct http_request *);

static volatile int ran, code, value, inside;
static volatile double ran_at; /* the first time */
static volatile long ran_aside;
static pthread_t first;

static double
now_ms(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return ((double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
}

static void
burn(double ms)
{
	double end = now_ms(CLOCK_THREAD_CPUTIME_ID) + ms;

	while (now_ms(CLOCK_THREAD_CPUTIME_ID) < end)
		continue;
}

static void
nap(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&time, &time) == -1 && errno == EINTR)
		continue;
}

/* How often the thread was put aside for another one. */
static long
put_aside(void)
{
	struct rusage used;

	(void)getrusage(RUSAGE_THREAD, &used);
	return (used.ru_nivcsw);
}

static void
counts(int signo)
{
	(void)signo;
	if (ran_at == 0) {
		ran_at = now_ms(CLOCK_MONOTONIC);
		ran_aside = put_aside();
	}
	ran++;
}

static void
tells(int signo, siginfo_t *info, void *context)
{
	(void)context;
	counts(signo);
	code = info->si_code;
	value = info->si_value.sival_int;
}

static void
install(int signo, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	(void)sigaction(signo, &action, NULL);
	ran = code = value = 0;
}

static sigset_t
set_of(int signo)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, signo);
	return (set);
}

static const char *
named(void (*handler)(int))
{
	return (handler == SIG_DFL		  ? "default"
		: handler == SIG_IGN		  ? "ignored"
		: handler == counts		  ? "counts"
		: handler == (void (*)(int))tells ? "tells"
						  : "another");
}

typedef int tell_fn(char *to, size_t room);
#define TELL(...) snprintf(to, room, __VA_ARGS__)

/* --- Whose SIGPROF it is. */

static int
case_raise(char *to, size_t room)
{
	int i;

	install(SIGPROF, counts, SA_RESTART);
	for (i = 0; i < 20000; i++)
		(void)raise(SIGPROF);
	return (TELL("%d", ran));
}

static int
case_kill(char *to, size_t room)
{
	int i, wanted;
	double end;

	install(SIGPROF, counts, SA_RESTART);
	for (i = 0; i < 100; i++) {
		wanted = ran + 1;
		(void)kill(getpid(), SIGPROF);
		end = now_ms(CLOCK_MONOTONIC) + 200;
		while (ran < wanted && now_ms(CLOCK_MONOTONIC) < end)
			continue;
	}
	return (TELL("%d", ran));
}

static void *
idles(void *unused)
{
	nap(400);
	return (unused);
}

static int
case_pthread_kill(char *to, size_t room)
{
	pthread_t thread;
	int i;

	install(SIGPROF, counts, SA_RESTART);
	(void)pthread_create(&thread, NULL, idles, NULL);
	for (i = 0; i < 20; i++) {
		nap(10);
		(void)pthread_kill(thread, SIGPROF);
	}
	(void)pthread_join(thread, NULL);
	return (TELL("%d", ran));
}

static int
case_itimer(char *to, size_t room)
{
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } }, off;

	memset(&off, 0, sizeof(off));
	install(SIGPROF, (void (*)(int))tells, SA_SIGINFO | SA_RESTART);
	(void)setitimer(ITIMER_PROF, &often, NULL);
	burn(600);
	(void)setitimer(ITIMER_PROF, &off, NULL);
	return (
	    TELL("%s, code %d", ran >= 15 && ran <= 40 ? "many" : "few", code));
}

static int
case_timer(char *to, size_t room)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGPROF,
		.sigev_value.sival_int = 4711 };
	struct itimerspec often = { { 0, 10000000 }, { 0, 10000000 } };
	timer_t timer;

	install(SIGPROF, (void (*)(int))tells, SA_SIGINFO | SA_RESTART);
	(void)timer_create(CLOCK_MONOTONIC, &event, &timer);
	(void)timer_settime(timer, 0, &often, NULL);
	nap(305);
	(void)timer_delete(timer);
	return (TELL("%s, code %d, value %d",
	    ran >= 25 && ran <= 35 ? "many" : "few", code, value));
}

static int
case_queue(char *to, size_t room)
{
	install(SIGPROF, (void (*)(int))tells, SA_SIGINFO | SA_RESTART);
	(void)sigqueue(getpid(), SIGPROF, (union sigval){ .sival_int = 12 });
	return (TELL("%d, code %d, value %d", ran, code, value));
}

static int
case_actions(char *to, size_t room)
{
	struct sigaction action = { .sa_sigaction = tells,
		.sa_flags = SA_SIGINFO | SA_NODEFER },
			 old, now;
	void (*was[5])(int);

	(void)sigaddset(&action.sa_mask, SIGUSR1);
	was[0] = signal(SIGPROF, counts);
	was[1] = signal(SIGPROF, SIG_IGN);
	(void)raise(SIGPROF);
	(void)sigaction(SIGPROF, &action, &old);
	(void)sigaction(SIGPROF, NULL, &now);
	was[2] = sysv_signal(SIGPROF, counts);
	(void)raise(SIGPROF);
	was[3] = signal(SIGPROF, counts);
	was[4] = ssignal(SIGPROF, SIG_IGN);
	return (TELL("%s %s %s %s %s; %s %x; %s %x %d %d; %d", named(was[0]),
	    named(was[1]), named(was[2]), named(was[3]), named(was[4]),
	    named(old.sa_handler), (unsigned int)old.sa_flags,
	    named(now.sa_handler), (unsigned int)now.sa_flags,
	    sigismember(&now.sa_mask, SIGUSR1),
	    sigismember(&now.sa_mask, SIGPROF), ran));
}

/* Those of any other signal are told as they were given. */
static int
case_others(char *to, size_t room)
{
	struct sigaction action = { .sa_handler = counts,
		.sa_flags = SA_RESETHAND },
			 old, now;
	void (*was[4])(int);

	(void)sigaddset(&action.sa_mask, SIGPROF);
	ran = 0;
	was[0] = signal(SIGUSR1, counts);
	(void)sigaction(SIGUSR1, &action, &old);
	(void)sigaction(SIGUSR1, NULL, &now);
	(void)raise(SIGUSR1);
	was[1] = signal(SIGUSR1, SIG_IGN);
	(void)siginterrupt(SIGUSR1, 1);
	was[2] = signal(SIGUSR1, counts);
	(void)raise(SIGUSR1);
	was[3] = sigset(SIGUSR1, SIG_DFL);
	(void)siginterrupt(SIGUSR1, 0);
	(void)signal(SIGUSR1, was[0]);
	return (TELL("%s %s %s %s; %s %x; %s %x %d; %d", named(was[0]),
	    named(was[1]), named(was[2]), named(was[3]), named(old.sa_handler),
	    (unsigned int)old.sa_flags, named(now.sa_handler),
	    (unsigned int)now.sa_flags, sigismember(&now.sa_mask, SIGPROF),
	    ran));
}

static int
blocked_now(void)
{
	sigset_t now;

	(void)pthread_sigmask(SIG_BLOCK, NULL, &now);
	return (sigismember(&now, SIGPROF));
}

static void *
tells_mask(void *to)
{
	*(int *)to = blocked_now();
	return (NULL);
}

static int
case_masks(char *to, size_t room)
{
	sigset_t prof = set_of(SIGPROF), all, old, pending;
	pthread_t thread;
	int said[5], held;

	install(SIGPROF, counts, SA_RESTART);
	said[0] = blocked_now();
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	said[1] = sigismember(&old, SIGPROF);
	said[2] = blocked_now();
	(void)pthread_create(&thread, NULL, tells_mask, &said[3]);
	(void)pthread_join(thread, NULL);
	(void)raise(SIGPROF);
	(void)raise(SIGPROF);
	nap(50);
	held = ran;
	(void)sigpending(&pending);
	(void)sigprocmask(SIG_UNBLOCK, &prof, NULL);
	said[4] = blocked_now();
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return (TELL("%d %d %d %d %d; %d held back, %d pending, %d let through",
	    said[0], said[1], said[2], said[3], said[4], held,
	    sigismember(&pending, SIGPROF), ran));
}

static int
case_taken(char *to, size_t room)
{
	struct timespec second = { 1, 0 };
	sigset_t all, old;
	siginfo_t info;
	int taken, again, signo = 0;

	install(SIGPROF, counts, SA_RESTART);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	(void)raise(SIGPROF);
	taken = sigtimedwait(&all, &info, &second);
	(void)kill(getpid(), SIGPROF);
	(void)sigwait(&all, &signo);
	second.tv_sec = 0;
	again = sigtimedwait(&all, NULL, &second);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return (TELL("%d code %d, then %d, then %d; %d", taken, info.si_code,
	    signo, again, ran));
}

/* All signals are waited for; in the end one is sent. */
static void *
waits_for_all(void *to)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, NULL);
	(void)sigwait(&all, to);
	return (NULL);
}

static int
case_waits(char *to, size_t room)
{
	pthread_t thread;
	int signo = 0;

	(void)pthread_create(&thread, NULL, waits_for_all, &signo);
	nap(1500);
	(void)pthread_kill(thread, SIGUSR1);
	(void)pthread_join(thread, NULL);
	return (TELL("%d", signo));
}

static int
case_signalfd(char *to, size_t room)
{
	struct signalfd_siginfo info;
	struct pollfd poll_it;
	sigset_t all, old;
	int ready;

	memset(&info, 0, sizeof(info));
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	poll_it.fd = signalfd(-1, &all, 0);
	poll_it.events = POLLIN;
	ready = poll(&poll_it, 1, 1500);
	(void)raise(SIGUSR1);
	(void)read(poll_it.fd, &info, sizeof(info));
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)close(poll_it.fd);
	return (TELL("%d, then %u", ready, info.ssi_signo));
}

static sigjmp_buf jump;

static void
leaves(int signo)
{
	siglongjmp(jump, signo);
}

static int
case_longjmp(char *to, size_t room)
{
	volatile int left = 0, i;

	install(SIGPROF, leaves, 0);
	for (i = 0; i < 1000; i++) {
		if (sigsetjmp(jump, 1) == 0)
			(void)raise(SIGPROF);
		else
			left++;
	}
	return (TELL("%d, blocked %d", left, blocked_now()));
}

static void
looks_around(int signo)
{
	sigset_t now;

	(void)pthread_sigmask(SIG_BLOCK, NULL, &now);
	counts(signo);
	inside = sigismember(&now, SIGUSR1) * 2 + sigismember(&now, SIGUSR2);
}

static int
case_inside(char *to, size_t room)
{
	struct sigaction action = { .sa_handler = looks_around };

	(void)sigaddset(&action.sa_mask, SIGUSR1);
	ran = 0;
	(void)sigaction(SIGPROF, &action, NULL);
	(void)raise(SIGPROF);
	return (TELL("%d %d", ran, inside));
}

static int
case_ignored(char *to, size_t room)
{
	double began;
	pthread_t thread;

	(void)signal(SIGPROF, SIG_IGN);
	began = now_ms(CLOCK_MONOTONIC);
	(void)pthread_create(&thread, NULL, idles, NULL);
	nap(50);
	(void)pthread_kill(thread, SIGPROF);
	(void)kill(getpid(), SIGPROF);
	(void)pthread_join(thread, NULL);
	began = now_ms(CLOCK_MONOTONIC) - began;
	return (TELL("%s", began >= 400 ? "slept" : "woken"));
}

/* Children of its own: what ended them, in waits that SIGCHLD may end. */
static int
case_child(char *to, size_t room)
{
	int status = 0, i, so_many = 0;
	pid_t child;

	(void)signal(SIGPROF, SIG_DFL);
	for (i = 0; i < 200; i++) {
		if ((child = fork()) == 0) {
			(void)raise(SIGPROF);
			_exit(3);
		}
		if ((i % 2 == 0 ? waitpid(child, &status, 0)
				: syscall(SYS_wait4, child, &status, 0,
				      NULL)) != child)
			break;
		so_many += status == SIGPROF;
	}
	return (TELL("%d of %d, errno %d", so_many, i, i < 200 ? errno : 0));
}

static int
case_default(char *to, size_t room)
{
	(void)signal(SIGPROF, SIG_DFL);
	burn(500);
	return (TELL("lives"));
}

static int
case_dies(char *to, size_t room)
{
	(void)signal(SIGPROF, SIG_DFL);
	(void)raise(SIGPROF);
	return (TELL("lives"));
}

/* Of a library that was loaded before: modules/early.c. */
static int
case_early(char *to, size_t room)
{
	int *early = dlsym(RTLD_DEFAULT, "early_ran"), before;
	struct sigaction now;

	if (early == NULL)
		return (TELL("not loaded"));
	before = *early;
	(void)sigaction(SIGPROF, NULL, &now);
	(void)raise(SIGPROF);
	return (TELL("%d, its handler %d", *early - before,
	    (void *)now.sa_handler == dlsym(RTLD_DEFAULT, "early_caught")));
}

/* --- Signals that end calls: each time. */

#define ENDS 3000

static int pipes[2], pair[2];

static int
by_poll(void)
{
	return (poll(NULL, 0, 1000));
}

static int
by_nanosleep(void)
{
	struct timespec second = { 1, 0 };

	return (nanosleep(&second, NULL));
}

static int
by_read(void)
{
	char c;

	return ((int)read(pipes[0], &c, 1));
}

static int
by_recv(void)
{
	char c;

	return ((int)recv(pair[0], &c, 1, 0));
}

static int
by_pause(void)
{
	return (pause());
}

/* SIGUSR2 comes 150 microseconds later. A handler that has run before the
 * call began could end nothing; then another one ends the call. */
static int
ends(char *to, size_t room, int (*call)(void), int signo)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = signo };
	struct itimerspec soon = { { 0, 200000000 }, { 0, 150000 } }, off;
	int i, missed = 0, other = 0;
	long aside;
	struct timeval limit = { 1, 0 };
	double began, took;
	timer_t timer;

	memset(&off, 0, sizeof(off));
	(void)pipe2(pipes, 0);
	(void)socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	(void)setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit,
	    sizeof(limit));
	install(signo, counts, 0);
	event._sigev_un._tid = gettid();
	(void)timer_create(CLOCK_MONOTONIC, &event, &timer);
	for (i = 0; i < ENDS; i++) {
		(void)timer_settime(timer, 0, &soon, NULL);
		ran_at = 0;
		aside = put_aside();
		began = now_ms(CLOCK_MONOTONIC);
		if (call() != -1 || errno != EINTR)
			other++;
		took = now_ms(CLOCK_MONOTONIC) - began;
		(void)timer_settime(timer, 0, &off, NULL);
		/* The thread did not run between the two lines above. */
		if (took >= 100 && ran_at > began + 0.05 && ran_aside == aside)
			missed++;
	}
	(void)timer_delete(timer);
	(void)signal(signo, SIG_DFL);
	return (TELL("%d of %d missed, %d with another result", missed, ENDS,
	    other));
}

#define ENDS_CASE(name, call, signo)                                           \
	static int case_##name(char *to, size_t room)                          \
	{                                                                      \
		return (ends(to, room, call, signo));                          \
	}
ENDS_CASE(ends_poll, by_poll, SIGUSR2)
ENDS_CASE(ends_nanosleep, by_nanosleep, SIGALRM)
ENDS_CASE(ends_read, by_read, SIGUSR2)
ENDS_CASE(ends_recv, by_recv, SIGALRM)
ENDS_CASE(ends_pause, by_pause, SIGUSR2)
ENDS_CASE(ends_by_prof, by_read, SIGPROF)

/* 300 ms of CPU in the module itself, as the C library's own profiler counts
 * them: 30 times, give or take the kernel's ticks. */
static __attribute__((noinline)) void
profiled(void)
{
	volatile unsigned int i;
	struct timespec now;
	long end = 0;

	do {
		for (i = 0; i < 100000; i++)
			;
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
		if (end == 0)
			end = now.tv_nsec / 1000000 + now.tv_sec * 1000 + 300;
	} while (now.tv_nsec / 1000000 + now.tv_sec * 1000 < end);
}

static int
case_profil(char *to, size_t room)
{
	static unsigned short count[65536], *volatile none;
	unsigned int i, sum = 0;
	int during, after;

	install(SIGPROF, counts, SA_RESTART);
	memset(count, 0, sizeof(count));
	(void)profil(count, sizeof(count), (size_t)profiled - 65536, 65536);
	profiled();
	during = ran;
	(void)profil(none, 0, 0, 0);
	for (i = 0; i < 65536; i++)
		sum += count[i];
	(void)raise(SIGPROF);
	after = ran;
	if (sum >= 12 && sum <= 48)
		sum = 30;
	return (TELL("%d, %u in 300 ms, then %d", during, sum, after));
}

/* The kernel is asked without the C library. */
static int
case_kernels(char *to, size_t room)
{
	struct sigaction action;
	struct {
		void (*handler)(int);
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} raw;
	int once;

	/* The way back is the C library's, with its flag. */
	install(SIGUSR2, counts, SA_RESTART);
	(void)syscall(SYS_rt_sigaction, SIGUSR2, NULL, &raw, 8);
	raw.handler = counts;
	raw.flags = (raw.flags & 0x04000000) | SA_RESTART;
	raw.mask = 0;
	(void)syscall(SYS_rt_sigaction, SIGPROF, &raw, NULL, 8);
	(void)raise(SIGPROF);
	once = ran;
	(void)sigaction(SIGPROF, NULL, &action);
	once += 10 * (action.sa_handler == counts);
	(void)sigfillset(&action.sa_mask);
	(void)sigaction(SIGPROF, &action, NULL);
	(void)sigaction(SIGPROF, NULL, &action);
	install(SIGUSR2, SIG_DFL, 0);
	return (TELL("%d; kill in the mask %d, term %d", once,
	    sigismember(&action.sa_mask, SIGKILL),
	    sigismember(&action.sa_mask, SIGTERM)));
}

#define CASE(name)                                                             \
	{                                                                      \
#name, case_##name                                             \
	}
static const struct {
	const char *name;
	tell_fn *tell;
} cases[] = { CASE(raise), CASE(kill), CASE(pthread_kill), CASE(itimer),
	CASE(timer), CASE(queue), CASE(actions), CASE(others), CASE(masks),
	CASE(taken), CASE(waits), CASE(signalfd), CASE(longjmp), CASE(inside),
	CASE(ignored), CASE(child), CASE(profil), CASE(kernels), CASE(default),
	CASE(dies), CASE(early), CASE(ends_poll), CASE(ends_nanosleep),
	CASE(ends_read), CASE(ends_recv), CASE(ends_pause),
	CASE(ends_by_prof) };

int
page_case(struct http_request *req)
{
	const char *name = req->query_string;
	char text[512] = "ready";
	size_t i;

	first = pthread_self();
	for (i = 0; name != NULL && i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(name, cases[i].name) == 0)
			(void)cases[i].tell(text, sizeof(text));
	}
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}
