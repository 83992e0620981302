/*
 * Tests of profile/cpu.c: who is told of a new rate, what a collector does as
 * it starts, how many sessions there may be, when memory is given back.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "cpu_fixture.h"

static volatile sig_atomic_t signals;

static void
count_signal(int signo)
{
	(void)signo;
	signals++;
}

static void
nobody_but_workers_is_signalled_and_they_are_on_each_change(void **state)
{
	struct timespec wait = { 5, 0 };
	struct fixture f = fixture_new();
	struct pp_cpu_session *a, *b;
	sigset_t set;
	pid_t child;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGPROF);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if ((child = fork()) == 0) {
		/* One signal at a time; each is answered by a loss. */
		for (;;) {
			if (sigtimedwait(&set, NULL, &wait) == SIGPROF)
				pp_slot_lose(&f.arena->slot[0],
				    PP_LOSS_TIMER_OVERRUNS, 1);
			else
				_exit(0);
		}
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)signal(SIGPROF, count_signal);
	atomic_store(&f.arena->slot[1].life.pid, child);
	atomic_store(&f.arena->slot[2].life.pid, getpid());
#define SEEN() atomic_load(&f.arena->slot[0].loss[PP_LOSS_TIMER_OVERRUNS])
#define EXPECT(n)                                                              \
	do {                                                                   \
		int ms = 0;                                                    \
		while (SEEN() < (n) && ms++ < 5000)                            \
			usleep(1000);                                          \
		usleep(20000);                                                 \
		assert_int_equal(SEEN(), n);                                   \
	} while (0)
	a = pp_cpu_begin(f.cpu, 100);
	EXPECT(1);
	b = pp_cpu_begin(f.cpu, 50); /* the rate stays */
	EXPECT(1);
	pp_cpu_cancel(a);
	EXPECT(2);
	assert_int_equal(f.arena->control.cpu_period_ns, 20 * MS);
	atomic_fetch_add(&f.arena->slot[1].life.generation, 1);
	pp_cpu_tick(f.cpu, 0);
	pp_cpu_tick(f.cpu, 0);
	EXPECT(3);
	/* The group, everybody, nobody, init. */
	atomic_store(&f.arena->slot[2].life.pid, -1);
	a = pp_cpu_begin(f.cpu, 101);
	EXPECT(4);
	atomic_store(&f.arena->slot[2].life.pid, 0);
	pp_cpu_cancel(a);
	EXPECT(5);
	atomic_store(&f.arena->slot[2].life.pid, -getpgrp());
	pp_cpu_cancel(b);
	EXPECT(6);
	assert_int_equal(signals, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	fixture_free(&f);
}

static void
a_new_collector_turns_off_what_runs_and_begin_refuses_what_it_cannot(
    void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *s[PP_SESSIONS_MAX];
	struct pp_cpu *other;
	int i;

	(void)state;
	f.arena->control.cpu_period_ns = 12345;
	other = pp_cpu_new(f.arena, f.fd, f.canon);
	assert_int_equal(f.arena->control.cpu_period_ns, 0);
	pp_cpu_free(other);
	assert_null(pp_cpu_begin(f.cpu, 0));
	assert_int_equal(errno, EINVAL);
	assert_null(pp_cpu_begin(f.cpu, PP_HZ_MAX + 1));
	for (i = 0; i < PP_SESSIONS_MAX; i++)
		assert_non_null(s[i] = pp_cpu_begin(f.cpu, 100));
	errno = 0;
	assert_null(pp_cpu_begin(f.cpu, 100));
	assert_int_equal(errno, EAGAIN);
	fixture_leaf(&f, 1, 501, 501, 10 * MS, 1);
	for (i = 0; i < PP_SESSIONS_MAX / 2; i++) {
		struct pp_profile *p = pp_cpu_end(s[i]);

		assert_int_equal(profile_sum(p, 0), 1);
		pp_profile_free(p);
	}
	fixture_free(&f); /* ends the others */
}

static void
ring_memory_is_given_back_a_minute_after_the_last_session(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *s = pp_cpu_begin(f.cpu, 100);
	struct stat before, after;
	int64_t now, next;
	int i;

	(void)state;
	for (i = 0; i < 10000; i++)
		fixture_leaf(&f, 1, 501, 501, 10 * MS, 1);
	pp_cpu_cancel(s);
	fixture_leaf(&f, 1, 501, 501, 10 * MS, 1);
	(void)fstat(f.fd, &before);
	now = pp_clock_mono();
	next = pp_cpu_tick(f.cpu, now);
	assert_true(next > now + 50 * PP_NS_PER_SEC);
	assert_true(next <= now + 60 * PP_NS_PER_SEC);
	assert_true(pp_cpu_tick(f.cpu, next) == INT64_MAX);
	assert_true(pp_cpu_tick(f.cpu, next + 1) == INT64_MAX);
	(void)fstat(f.fd, &after);
	assert_true(before.st_blocks - after.st_blocks >=
	    (blkcnt_t)(PP_CPU_RING_WORDS * 8 / 512) / 2);
	s = pp_cpu_begin(f.cpu, 100);
	fixture_leaf(&f, 1, 501, 501, 10 * MS, 1);
	pp_cpu_tick(f.cpu, now);
	assert_int_equal(s->entries, 1);
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    nobody_but_workers_is_signalled_and_they_are_on_each_change),
		cmocka_unit_test(
		    a_new_collector_turns_off_what_runs_and_begin_refuses_what_it_cannot),
		cmocka_unit_test(
		    ring_memory_is_given_back_a_minute_after_the_last_session),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
