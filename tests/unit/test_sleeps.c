/*
 * Tests of hook/sleeps.c: a thread sleeps by each call that a signal ends
 * early, and is sent the profiler's signal again and again, or one of its own.
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

#define MS    PP_NS_PER_MS
#define SLEPT (200 * MS)

/* Each returns what the call did, as errno; 0: the time was over. */
static const char calls[] =
    "#include <errno.h>\n"
    "#include <poll.h>\n"
    "#include <semaphore.h>\n"
    "#include <string.h>\n"
    "#include <sys/epoll.h>\n"
    "#include <sys/select.h>\n"
    "#include <time.h>\n"
    "#include <unistd.h>\n"
    "#define WAS(failed) ((failed) ? errno : 0)\n"
    "static struct timespec t200 = { 0, 200000000 }, left, at;\n"
    "static sem_t sem;\n"
    "static void later(clockid_t c) { clock_gettime(c, &at);\n"
    "	at.tv_nsec += 200000000; at.tv_sec += at.tv_nsec / 1000000000;\n"
    "	at.tv_nsec %= 1000000000; }\n"
    "int by_nanosleep(void) { return WAS(nanosleep(&t200, NULL) == -1); }\n"
    "int by_nanosleep_left(void) { struct timespec t = t200;\n"
    "	return WAS(nanosleep(&t, &t) == -1); }\n"
    "int by_clock(void) { return clock_nanosleep(CLOCK_MONOTONIC, 0, &t200,\n"
    "	NULL); }\n"
    "int by_clock_until(void) { later(CLOCK_MONOTONIC);\n"
    "	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, &left); }\n"
    "int by_usleep(void) { return WAS(usleep(200000) == -1); }\n"
    "int by_poll(void) { return WAS(poll(NULL, 0, 200) == -1); }\n"
    "int by_select(void) { struct timeval t = { 0, 200000 };\n"
    "	return WAS(select(0, NULL, NULL, NULL, &t) == -1); }\n"
    "int by_epoll(void) { struct epoll_event e; int fd = epoll_create1(0), r;\n"
    "	r = WAS(epoll_wait(fd, &e, 1, 200) == -1); close(fd); return r; }\n"
    "int by_sem_timed(void) { int r; later(CLOCK_REALTIME);\n"
    "	sem_init(&sem, 0, 0); r = WAS(sem_timedwait(&sem, &at) == -1);\n"
    "	return r == ETIMEDOUT ? 0 : r; }\n"
    "int by_sem_clock(void) { int r; later(CLOCK_MONOTONIC);\n"
    "	sem_init(&sem, 0, 0);\n"
    "	r = WAS(sem_clockwait(&sem, CLOCK_MONOTONIC, &at) == -1);\n"
    "	return r == ETIMEDOUT ? 0 : r; }\n"
    "int sleeps_a_second(void) { return (int)sleep(1); }\n"
    "long left_of_a_second(void) { struct timespec t = { 1, 0 };\n"
    "	return nanosleep(&t, &t) == -1 && errno == EINTR ?\n"
    "		t.tv_sec * 1000000000 + t.tv_nsec : -1; }\n"
    "int faults(void) { struct pollfd p; struct timespec bad = { 0, -1 };\n"
    "	if (nanosleep(&bad, NULL) != -1 || errno != EINVAL) return 1;\n"
    "	if (clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL) != EINVAL)\n"
    "		return 2;\n"
    "	if (nanosleep((void *)8, NULL) != -1 || errno != EFAULT) return 3;\n"
    "	if (epoll_wait(-1, (void *)&p, 1, 10) != -1 || errno != EBADF)\n"
    "		return 4;\n"
    "	if (poll(NULL, 0, 0) != 0) return 5;\n"
    "	return 0; }\n";

static const char *const names[] = { "by_nanosleep", "by_nanosleep_left",
	"by_clock", "by_clock_until", "by_usleep", "by_poll", "by_select",
	"by_epoll", "by_sem_timed", "by_sem_clock" };

#define NAMES (sizeof(names) / sizeof(names[0]))

static pthread_t sleeper;
static pid_t sleeper_tid;
static _Atomic int stop, sent;
static int signal_sent;

static int
prepare(void **state)
{
	if (fixture_setup(state) == -1)
		return (-1);
	wait_load(calls);
	return (wait_begin());
}

static void *
disturb(void *unused)
{
	struct timespec pause = { 0, 20 * MS };

	(void)unused;
	while (!stop) {
		(void)nanosleep(&pause, NULL);
		if (stop || (signal_sent != SIGPROF && sent != 0))
			continue;
		if (signal_sent == SIGPROF)
			(void)pp_ask(getpid(), sleeper_tid, PP_ASK_CONTROL);
		else
			(void)pthread_kill(sleeper, signal_sent);
		sent++;
	}
	return (NULL);
}

/* Call the library's function while signals come: SIGPROF every 20 ms, any
 * other once. How long it took. */
static int64_t
disturbed(const char *name, int signo, long *result)
{
	int64_t began;
	pthread_t thread;

	stop = sent = 0;
	signal_sent = signo;
	sleeper = pthread_self();
	sleeper_tid = gettid();
	assert_int_equal(pthread_create(&thread, NULL, disturb, NULL), 0);
	began = pp_clock_mono();
	*result = strncmp(name, "left_", 5) == 0
	    ? wait_call(long (*)(void), name)()
	    : wait_call(int (*)(void), name)();
	began = pp_clock_mono() - began;
	stop = 1;
	assert_int_equal(pthread_join(thread, NULL), 0);
	return (began);
}

static void
our_signal_does_not_end_a_sleep(void **state)
{
	int64_t took;
	long result;
	size_t i;

	(void)state;
	for (i = 0; i < NAMES; i++) {
		took = disturbed(names[i], SIGPROF, &result);
		print_message("%-18s %.1f ms, %d signals\n", names[i],
		    (double)took / MS, sent);
		assert_int_equal(result, 0);
		assert_true(took >= SLEPT - MS);
		/* Each goes on with what was left, and not from the start. */
		assert_true(took < 3 * SLEPT);
		assert_true(sent >= 3);
	}
	took = disturbed("sleeps_a_second", SIGPROF, &result);
	assert_int_equal(result, 0);
	assert_true(took >= 999 * MS && took < 2000 * MS);
}

static void
other_caught(int signo)
{
	(void)signo;
}

static void
another_signal_ends_it_as_ever(void **state)
{
	struct sigaction action = { .sa_handler = other_caught,
		.sa_flags = SA_RESTART };
	int64_t took;
	long result;
	size_t i;

	(void)state;
	assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
	for (i = 0; i < NAMES; i++) {
		took = disturbed(names[i], SIGUSR1, &result);
		if (result != EINTR)
			fail_msg("%s: %ld after %.1f ms", names[i], result,
			    (double)took / MS);
	}
	took = disturbed("sleeps_a_second", SIGUSR1, &result);
	assert_true(took < 1000 * MS);
	took = disturbed("left_of_a_second", SIGUSR1, &result);
	assert_true(result > 0 && result < 1000 * MS);
	assert_true(took + result >= 999 * MS && took + result < 1200 * MS);
}

static void
mistakes_are_told_by_the_original(void **state)
{
	(void)state;
	assert_int_equal(wait_call(int (*)(void), "faults")(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_signal_does_not_end_a_sleep),
		cmocka_unit_test(another_signal_ends_it_as_ever),
		cmocka_unit_test(mistakes_are_told_by_the_original),
	};

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
