/*
 * Tests of cpu/cpu.c: who is told of a new rate, what a collector does as
 * it starts, how many sessions there may be, when memory is given back.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/ask.h"
#include "cpu_fixture.h"

/* In the place of libc's: what the numbers in this arena would reach is not
 * for a test to find out. */
static unsigned int signals;
static pid_t signalled;

long
syscall(long number, ...)
{
	const siginfo_t *info;
	va_list args;

	/* It waits a little for what a worker may answer. */
	if (number == SYS_futex)
		return (0);
	va_start(args, number);
	signalled = va_arg(args, pid_t);
	assert_int_equal(number, SYS_rt_tgsigqueueinfo);
	assert_int_equal(va_arg(args, pid_t), signalled);
	assert_int_equal(va_arg(args, int), SIGPROF);
	info = va_arg(args, const siginfo_t *);
	assert_int_equal(info->si_value.sival_int, PP_ASK_CONTROL);
	va_end(args);
	signals++;
	errno = ESRCH;
	return (-1);
}

static void
workers_are_signalled_on_each_change_of_the_rate(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *a, *b;

	(void)state;
	atomic_store(&f.arena->slot[2].life.pid, 4242);
	signals = 0;
	/* Once for the clocks at the window's edge, once for the rate. */
	a = pp_cpu_begin(f.cpu, 100);
	assert_int_equal(signals, 2);
	assert_int_equal(signalled, 4242);
	b = pp_cpu_begin(f.cpu, 50); /* the rate stays */
	assert_int_equal(signals, 3);
	pp_cpu_cancel(a);
	assert_int_equal(signals, 4);
	assert_int_equal(f.arena->control.cpu_period_ns, 20 * MS);
	/* One that took the slot over is told once. */
	atomic_fetch_add(&f.arena->slot[2].life.generation, 1);
	atomic_store(&f.arena->slot[2].life.pid, 4343);
	pp_cpu_tick(f.cpu, 0);
	pp_cpu_tick(f.cpu, 0);
	assert_int_equal(signals, 5);
	assert_int_equal(signalled, 4343);
	pp_cpu_cancel(b);
	assert_int_equal(signals, 6);
	assert_int_equal(f.arena->control.cpu_period_ns, 0);
	fixture_free(&f);
	assert_int_equal(signals, 6);
}

static void
nobody_but_workers_is_ever_signalled(void **state)
{
	const pid_t not_workers[] = { 0, 1, -1, -2, INT32_MIN, getpid(),
		getppid() };
	struct fixture f = fixture_new();
	struct pp_cpu *other;
	unsigned int i;

	(void)state;
	signals = 0;
	atomic_store(&f.arena->slot[0].life.pid, 4242); /* the parent's slot */
	f.arena->parent_pid = getppid();
	for (i = 0; i < sizeof(not_workers) / sizeof(not_workers[0]); i++) {
		atomic_store(&f.arena->slot[1].life.pid, not_workers[i]);
		other = pp_cpu_new(f.arena, f.fd, f.map);
		assert_non_null(pp_cpu_begin(other, 100));
		pp_cpu_free(other);
	}
	assert_int_equal(signals, 0);
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
	other = pp_cpu_new(f.arena, f.fd, f.map);
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
		    workers_are_signalled_on_each_change_of_the_rate),
		cmocka_unit_test(nobody_but_workers_is_ever_signalled),
		cmocka_unit_test(
		    a_new_collector_turns_off_what_runs_and_begin_refuses_what_it_cannot),
		cmocka_unit_test(
		    ring_memory_is_given_back_a_minute_after_the_last_session),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
