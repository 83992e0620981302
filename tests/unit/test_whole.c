/*
 * needs: sleeps, 12 s
 *
 * Calls that a signal of ours cuts short or makes differ in another way than by
 * EINTR (hook/lasting.c, hook/transfers.c, hook/masks.h): a thread makes each
 * while it is sent two a hundred times a second, and gets what it would have
 * got without; and its own signals end its calls while ours come much more
 * often.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/ask.h"
#include "base/clock.h"
#include "wait_fixture.h"

#define EVERY_NS      (10 * PP_NS_PER_MS)
#define VERY_OFTEN_NS 130000

/* Each returns 0, or something of what was wrong. Helpers have all signals
 * blocked: only the thread of the call is disturbed. */
static const char calls[] =
    "#include <errno.h>\n"
    "#include <fcntl.h>\n"
    "#include <netinet/in.h>\n"
    "#include <poll.h>\n"
    "#include <pthread.h>\n"
    "#include <semaphore.h>\n"
    "#include <signal.h>\n"
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "#include <sys/mman.h>\n"
    "#include <sys/random.h>\n"
    "#include <sys/resource.h>\n"
    "#include <sys/socket.h>\n"
    "#include <sys/syscall.h>\n"
    "#include <sys/uio.h>\n"
    "#include <time.h>\n"
    "#include <unistd.h>\n"
    "#define LARGE (1 << 20)\n"
    "static int s[2];\n"
    "static char bytes[LARGE];\n"
    "static volatile int ran;\n"
    "static pthread_t waiter;\n"
    "static long ms(void) { struct timespec t;\n"
    "	clock_gettime(CLOCK_MONOTONIC, &t);\n"
    "	return t.tv_sec * 1000 + t.tv_nsec / 1000000; }\n"
    "static void rest(int ms) { struct timespec t = { 0, ms * 1000000L };\n"
    "	nanosleep(&t, NULL); }\n"
    "static void *quiet(void *(*work)(void)) { sigset_t all;\n"
    "	sigfillset(&all); pthread_sigmask(SIG_BLOCK, &all, NULL);\n"
    "	return work(); }\n"
    "static pthread_t helper(void *(*work)(void)) { pthread_t t;\n"
    "	waiter = pthread_self();\n"
    "	pthread_create(&t, NULL, (void *(*)(void *))quiet, work); return t; }\n"
    "static void tcp(void) { struct sockaddr_in a = { AF_INET };\n"
    "	socklen_t n = sizeof a; int l = socket(AF_INET, SOCK_STREAM, 0);\n"
    "	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);\n"
    "	bind(l, (void *)&a, n); listen(l, 1); getsockname(l, (void *)&a, &n);\n"
    "	s[1] = socket(AF_INET, SOCK_STREAM, 0); connect(s[1], (void *)&a, n);\n"
    "	s[0] = accept(l, NULL, NULL); close(l); }\n"
    /* A message is no part of another one. */
    "static void *sends(void) { int i; for (i = 0; i < 50000; i++)\n"
    "	send(s[1], bytes, 100, 0); return NULL; }\n"
    "static int joined(int type) { char to[2000]; int i, bad = 0;\n"
    "	pthread_t t; socketpair(AF_UNIX, type, 0, s); t = helper(sends);\n"
    "	for (i = 0; i < 50000 && !bad; i++)\n"
    "		bad = recv(s[0], to, sizeof to, MSG_WAITALL) != 100;\n"
    "	if (!bad) pthread_join(t, NULL); return bad ? i : 0; }\n"
    "int packets(void) { return joined(SOCK_SEQPACKET); }\n"
    "int datagrams(void) { return joined(SOCK_DGRAM); }\n"
    /* What is looked at begins with the first byte. */
    "static void *adds(void) { rest(200); write(s[1], \"ABCDEFGH\", 8);\n"
    "	return NULL; }\n"
    "int peeks(void) { char to[16]; pthread_t t; tcp();\n"
    "	write(s[1], \"01234567\", 8); rest(20); t = helper(adds);\n"
    "	if (recv(s[0], to, 16, MSG_PEEK | MSG_WAITALL) != 16 ||\n"
    "	    memcmp(to, \"01234567ABCDEFGH\", 16) != 0) return 1;\n"
    "	pthread_join(t, NULL); return 0; }\n"
    /* An error is the next call's. */
    "static void *resets(void) { struct linger g = { 1, 0 }; rest(200);\n"
    "	setsockopt(s[1], SOL_SOCKET, SO_LINGER, &g, sizeof g);\n"
    "	close(s[1]); return NULL; }\n"
    "int reset(void) { char to[16]; pthread_t t; tcp();\n"
    "	write(s[1], \"01234567\", 8); rest(20); t = helper(resets);\n"
    "	if (recv(s[0], to, 16, MSG_WAITALL) != 8) return 1;\n"
    "	if (recv(s[0], to, 16, 0) != -1 || errno != ECONNRESET) return 2;\n"
    "	pthread_join(t, NULL); return 0; }\n"
    /* All of what is asked for. */
    "static struct mmsghdr m[10];\n"
    "static struct iovec v[10];\n"
    "static void messages(size_t size) { int i; memset(m, 0, sizeof m);\n"
    "	for (i = 0; i < 10; i++) { v[i].iov_base = bytes;\n"
    "		v[i].iov_len = size; m[i].msg_hdr.msg_iov = v + i;\n"
    "		m[i].msg_hdr.msg_iovlen = 1; } }\n"
    "static void *drips(void) { int i; for (i = 0; i < 10; i++) { rest(20);\n"
    "	send(s[1], bytes, 1, 0); } return NULL; }\n"
    "int receives_many(void) { pthread_t t; int got; messages(10);\n"
    "	socketpair(AF_UNIX, SOCK_DGRAM, 0, s); t = helper(drips);\n"
    "	got = recvmmsg(s[0], m, 10, 0, NULL); pthread_join(t, NULL);\n"
    "	return got == 10 ? 0 : 100 + got; }\n"
    "static void *drains(void) { static char to[65536]; for (;;) { rest(5);\n"
    "	if (read(s[0], to, sizeof to) <= 0) return NULL; } }\n"
    "static int whole(int type, long (*send)(void), long all) { long got;\n"
    "	pthread_t t; socketpair(AF_UNIX, type, 0, s);\n"
    "	t = helper(drains); got = send(); shutdown(s[1], SHUT_RDWR);\n"
    "	close(s[1]); pthread_join(t, NULL); return got != all; }\n"
    "static long by_sendmmsg(void) { messages(60000);\n"
    "	return sendmmsg(s[1], m, 10, 0); }\n"
    "static long by_one(void) { messages(LARGE);\n"
    "	return sendmmsg(s[1], m, 1, 0) == 1 ? m[0].msg_len : -1; }\n"
    "static long by_pwritev2(void) { messages(LARGE);\n"
    "	return pwritev2(s[1], v, 1, -1, 0); }\n"
    "static long by_syscall(void) {\n"
    "	return syscall(SYS_write, s[1], bytes, LARGE); }\n"
    "static long by_write(void) { return write(s[1], bytes, LARGE); }\n"
    "int sends_many(void) {\n"
    "	return whole(SOCK_SEQPACKET, by_sendmmsg, 10); }\n"
    "int sends_one(void) { return whole(SOCK_STREAM, by_one, LARGE); }\n"
    "int pwritevs(void) { return whole(SOCK_STREAM, by_pwritev2, LARGE); }\n"
    "int syscalls(void) { return whole(SOCK_STREAM, by_syscall, LARGE); }\n"
    "int writes(void) { return whole(SOCK_STREAM, by_write, LARGE); }\n"
    "int copies(void) { int a = memfd_create(\"a\", 0), i;\n"
    "	int b = memfd_create(\"b\", 0); ftruncate(a, 64 << 20);\n"
    "	for (i = 0; i < 5; i++) { loff_t from = 0, to = 0;\n"
    "		if (copy_file_range(a, &from, b, &to, 64 << 20, 0) !=\n"
    "		    64 << 20) return 1; }\n"
    "	close(a); close(b); return 0; }\n"
    "int randoms(void) { long end = ms() + 500; while (ms() < end)\n"
    "	if (getrandom(bytes, 1 << 18, 0) != 1 << 18) return 1;\n"
    "	return 0; }\n"
    /* What lingers does, and who succeeds has the errno of before. */
    "int lingers(void) { struct linger g = { 1, 1 }; long since; tcp();\n"
    "	setsockopt(s[1], SOL_SOCKET, SO_LINGER, &g, sizeof g);\n"
    "	fcntl(s[1], F_SETFL, O_NONBLOCK);\n"
    "	while (write(s[1], bytes, LARGE) > 0) ;\n"
    "	fcntl(s[1], F_SETFL, 0); since = ms(); close(s[1]);\n"
    "	return ms() - since < 900; }\n"
    "int errnos(void) { errno = 0; poll(NULL, 0, 200); return errno; }\n"
    /* Each signal of its own ends its call. One that comes before the call
     * has begun could not; the next one is 100 ms later. */
    "static volatile long at, aside;\n"
    "static long us(void) { struct timespec t;\n"
    "	clock_gettime(CLOCK_MONOTONIC, &t);\n"
    "	return t.tv_sec * 1000000 + t.tv_nsec / 1000; }\n"
    "static long put_aside(void) { struct rusage r;\n"
    "	getrusage(RUSAGE_THREAD, &r); return r.ru_nivcsw; }\n"
    "static void notes(int signo) { if (at == 0) { at = us();\n"
    "	aside = put_aside(); } }\n"
    "int ended(void) { struct itimerspec when = { { 0, 100000000 } }, off;\n"
    "	struct sigaction action; struct sigevent event; timer_t timer;\n"
    "	long i, since, before, took, missed = 0; sem_t sem;\n"
    "	memset(&off, 0, sizeof off); memset(&action, 0, sizeof action);\n"
    "	action.sa_handler = notes; sigaction(SIGUSR2, &action, NULL);\n"
    "	memset(&event, 0, sizeof event); sem_init(&sem, 0, 0);\n"
    "	event.sigev_notify = SIGEV_THREAD_ID; event.sigev_signo = SIGUSR2;\n"
    "	event._sigev_un._tid = gettid();\n"
    "	timer_create(CLOCK_MONOTONIC, &event, &timer);\n"
    "	for (i = 0; i < 6000; i++) { at = 0; before = put_aside();\n"
    "		when.it_value.tv_nsec = 100000 + i * 7919 % 500000;\n"
    "		timer_settime(timer, 0, &when, NULL); since = us();\n"
    "		sem_wait(&sem); took = us() - since;\n"
    "		timer_settime(timer, 0, &off, NULL);\n"
    "		missed += aside == before && at - since > 50 &&\n"
    "			took - (at - since) > 50000; }\n"
    "	timer_delete(timer); return missed > 2 ? missed : 0; }\n"
    /* A mask of the call's own that has SIGPROF. */
    "static void counts(int signo) { ran++; }\n"
    "static void *kills(void) { rest(200); pthread_kill(waiter, SIGPROF);\n"
    "	return NULL; }\n"
    "int masked(void) { struct timespec t = { 0, 500000000 }; sigset_t set;\n"
    "	pthread_t other; long since = ms(); signal(SIGPROF, counts);\n"
    "	sigemptyset(&set); sigaddset(&set, SIGPROF); other = helper(kills);\n"
    "	if (ppoll(NULL, 0, &t, &set) != 0) return 1;\n"
    "	pthread_join(other, NULL);\n"
    "	if (ms() - since > 900) return 2; rest(50);\n"
    "	if (ran != 1) return 3; raise(SIGPROF); return ran != 2; }\n";

static _Atomic int over;
static pid_t disturbed;
static long every;

static void *
disturbs(void *arg)
{
	const struct timespec pause = { 0, every };

	while (!over) {
		(void)nanosleep(&pause, NULL);
		(void)pp_ask(getpid(), disturbed, PP_ASK_CONTROL);
	}
	return (arg);
}

static int
prepare(void **state)
{
	if (fixture_setup(state) == -1)
		return (-1);
	wait_load(calls);
	return (wait_begin());
}

/* By two, so that one of ours may come over another one. */
static void
as_without_us(const char *name, long ns)
{
	pthread_t thread[2];
	int wrong, i;

	over = 0;
	disturbed = gettid();
	every = ns;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, disturbs,
				     NULL),
		    0);
	wrong = wait_call(int (*)(void), name)();
	over = 1;
	for (i = 0; i < 2; i++)
		(void)pthread_join(thread[i], NULL);
	if (wrong != 0)
		fail_msg("%s: %d", name, wrong);
}

#define CALLS(X)                                                               \
	X(packets)                                                             \
	X(datagrams)                                                           \
	X(peeks)                                                               \
	X(reset)                                                               \
	X(receives_many)                                                       \
	X(sends_many)                                                          \
	X(sends_one)                                                           \
	X(pwritevs)                                                            \
	X(syscalls)                                                            \
	X(writes)                                                              \
	X(copies)                                                              \
	X(randoms)                                                             \
	X(lingers)                                                             \
	X(errnos)                                                              \
	X(masked)

#define CALL_TEST(name)                                                        \
	static void name(void **state)                                         \
	{                                                                      \
		(void)state;                                                   \
		as_without_us(#name, EVERY_NS);                                \
	}
CALLS(CALL_TEST)

static void
ended(void **state)
{
	(void)state;
	as_without_us("ended", VERY_OFTEN_NS);
}

int
main(void)
{
#define CALL_UNIT(name) cmocka_unit_test(name),
	const struct CMUnitTest tests[] = { CALLS(CALL_UNIT)
		    cmocka_unit_test(ended) };

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
