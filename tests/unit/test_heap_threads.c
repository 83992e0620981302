/*
 * capture/heap at rate 1 when several do something at once: threads, a child
 * of fork() and of its relatives, the CPU profiler's signal, the unwinder
 * itself.
 *
 * needs: alone, 5 s
 */
#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <malloc.h>
#include <pthread.h>

#include "base/ask.h"
#include "base/clock.h"
#include "heap_calls.h"
#include "heap_followed.h"
#include "heap_threads.h"
#include "store/ring.h"

static void *calls_library, *threads_library;
static uint32_t threads_label;

static void
begin_thread(void)
{
	(void)pp_label_swap(threads_label);
}

static int
prepare(void **state)
{
	if (fixture_setup(state) == -1)
		return (-1);
	calls_library = heap_load("calls.c", heap_calls,
	    HEAP_CC "-o calls.so calls.c", "calls.so");
	threads_library = heap_load("threads.c", heap_threads,
	    HEAP_CC "-o threads.so threads.c", "threads.so");
	*(void (**)(void))heap_symbol(threads_library, "on_thread") =
	    begin_thread;
	heap_library = threads_library;
	/* One arena: what one thread frees the other gets. */
	(void)mallopt(M_ARENA_MAX, 1);
	return (heap_begin());
}

/* Sum of i % 512 for i below n. */
static uint64_t
bytes_made(uint64_t n)
{
	uint64_t i, sum = 0;

	for (i = 0; i < n; i++)
		sum += i % 512;
	return (sum);
}

static void
another_thread_may_free(void **state)
{
	const size_t n = 20000;

	(void)state;
	threads_label = heap_label("another thread");
	heap_function(void (*)(size_t), "make_and_end")(n);
	assert_sum(heap_sum(threads_label), n, bytes_made(n), n, bytes_made(n));
}

/* Of n: 16, 32, 48, 64 by turns; each third made 80. */
static void
expect_swaps(uint32_t label, uint64_t n, uint64_t threads)
{
	uint64_t bytes = 0, i;
	struct heap_sum sum;

	for (i = 0; i < n; i++)
		bytes += 16 + i % 4 * 16 + (i % 3 == 0 ? 80 : 0);
	sum = heap_sum(label);
	assert_int_equal(sum.allocs, threads * (n + (n + 2) / 3));
	assert_int_equal(sum.bytes, threads * bytes);
	assert_int_equal(sum.frees, sum.allocs);
	assert_int_equal(sum.free_bytes, sum.bytes);
}

static void
threads_that_race_for_addresses_count_each_once(void **state)
{
	uint64_t untracked = heap_loss(PP_LOSS_HEAP_UNTRACKED);
	const size_t n = 300000;

	(void)state;
	threads_label = heap_label("race");
	heap_function(void (*)(size_t, size_t), "swap")(4, n);
	expect_swaps(threads_label, n, 4);
	assert_int_equal(heap_loss(PP_LOSS_HEAP_UNTRACKED), untracked);
}

static uint64_t
cpu_samples(void)
{
	static uint64_t taken;
	uint64_t record[PP_CPU_WORD_FRAMES + PP_FRAMES_MAX];
	enum pp_record kind;

	while (pp_ring_take(&heap_slot()->cpu, &kind, record,
		   PP_CPU_WORD_FRAMES + PP_FRAMES_MAX) != 0)
		taken++;
	return (taken + heap_loss(PP_LOSS_SAMPLES_DROPPED));
}

static void
the_cpu_profiler_changes_no_sum(void **state)
{
	int64_t until = pp_clock_mono() + 4 * PP_NS_PER_SEC;
	uint64_t samples = cpu_samples(), rounds = 0;
	const size_t n = 20000;

	(void)state;
	threads_label = heap_label("profiler");
	atomic_store(&heap_arena->control.cpu_period_ns,
	    (uint64_t)PP_NS_PER_MS);
	assert_int_equal(pp_ask(getpid(), 0, PP_ASK_CONTROL), 0);
	for (; pp_clock_mono() < until; rounds++)
		heap_function(void (*)(size_t, size_t), "swap")(2, n);
	atomic_store(&heap_arena->control.cpu_period_ns, 0);
	assert_int_equal(pp_ask(getpid(), 0, PP_ASK_CONTROL), 0);
	expect_swaps(threads_label, n, 2 * rounds);
	samples = cpu_samples() - samples;
	print_message("%lu rounds, %lu CPU samples\n", (unsigned long)rounds,
	    (unsigned long)samples);
	assert_true(samples > 500);
}

static void
inside_the_unwinder_a_sample_has_no_stack(void **state)
{
	uint64_t before = heap_loss(PP_LOSS_HEAP_STACKLESS);
	struct heap_sum sum;

	(void)state;
	heap_library = calls_library;
	pp_unwind_off = 1;
	sum = heap_run("by_malloc");
	pp_unwind_off = 0;
	assert_sum(sum, 3, 101, 0, 0);
	assert_int_equal(heap_loss(PP_LOSS_HEAP_STACKLESS), before + 3);
	heap_drop();
	assert_sum(heap_sum(heap_label("by_malloc")), 3, 101, 3, 101);
	heap_library = threads_library;
}

static void
child_of_fork(void)
{
	uint32_t i;

	for (i = 0; i < 3; i++) {
		heap_function(void (*)(void), "by_many")();
		heap_drop(); /* the first time: what the parent made, too */
	}
	_exit(pp_self.slot == NULL && pp_self.worker == 0 ? 0 : 1);
}

static int
child_of_clone(void *unused)
{
	(void)unused;
	child_of_fork();
	return (1);
}

typedef pid_t child_fn(int way, int (*)(void *));

/* A child, made in one of the ways that pthread_atfork() is told of, or not. */
static pid_t
child_made(int way)
{
	pid_t pid = heap_function(child_fn *, "child")(way, child_of_clone);

	if (pid == 0)
		child_of_fork();
	return (pid);
}

static void
a_child_counts_nothing_and_disturbs_nothing(void **state)
{
	uint64_t all[4] = { 0 };
	struct heap_sum sum;
	uint32_t label, was;
	int status, i;
	pid_t pid;

	(void)state;
	heap_library = calls_library;
	label = heap_label("fork");
	was = pp_label_swap(label);
	heap_function(void (*)(void), "by_many")();
	for (i = 0; i < 4; i++) {
		pid = child_made(i);
		assert_int_not_equal(pid, -1);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0)
			fail_msg("way %d of making a child", i);
		sum = heap_sum(label);
		assert_sum(sum, 2000, 1999000, 0, 0);
		all[i] = sum.allocs;
	}
	(void)pp_label_swap(was);
	assert_int_equal(all[0], all[3]);
	heap_drop();
	assert_sum(heap_sum(label), 2000, 1999000, 2000, 1999000);
	heap_library = threads_library;
}

/* Another thread is in the middle of it all while the child is made. */
static void *
forks(void *failed)
{
	int status, i;
	pid_t pid;

	for (i = 0; i < 50; i++) {
		pid = fork();
		if (pid == 0)
			_exit(0);
		if (waitpid(pid, &status, 0) != pid || status != 0)
			*(int *)failed = 1;
	}
	return (NULL);
}

static void
forks_beside_busy_threads_change_no_sum(void **state)
{
	const size_t n = 60000;
	pthread_t thread;
	int failed = 0;

	(void)state;
	threads_label = heap_label("busy");
	assert_int_equal(pthread_create(&thread, NULL, forks, &failed), 0);
	heap_function(void (*)(size_t, size_t), "swap")(3, n);
	(void)pthread_join(thread, NULL);
	assert_int_equal(failed, 0);
	expect_swaps(threads_label, n, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_thread_may_free),
		cmocka_unit_test(
		    threads_that_race_for_addresses_count_each_once),
		cmocka_unit_test(the_cpu_profiler_changes_no_sum),
		cmocka_unit_test(inside_the_unwinder_a_sample_has_no_stack),
		cmocka_unit_test(a_child_counts_nothing_and_disturbs_nothing),
		cmocka_unit_test(forks_beside_busy_threads_change_no_sum),
	};

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
