/*
 * Threads that begin and end while rates change: whose timers are whose. The
 * arena is this process's own, the collector's part is played by the test.
 * Without an unwinder, so that a sanitizer for data races sees it all.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/sampler.h"
#include "capture/thread.h"
#include "capture/unwind_lib.h"
#include "store/ring.h"

#define SLOT	 1
#define TOGETHER 16
#define ROUNDS	 625 /* times 16: 10,000 threads */
#define WORK_NS	 200000
#define CHANGERS 2

static struct pp_arena *arena;
static const struct pp_thread_creation creation = { .stack_size = 0 };
static atomic_int stop;

static int
prepare(void **state)
{
	const char *why;
	int fd;

	(void)state;
	arena = pp_arena_create(2, &fd);
	if (arena == NULL || pp_self_prepare(&why) == -1)
		return (-1);
	pp_unwind_backtrace = NULL;
	pp_self_start(arena, SLOT);
	return (0);
}

/* Lines of the kernel's list of this process's timers that begin one. */
static int
timers(void)
{
	char line[256];
	int count = 0;
	FILE *file = fopen("/proc/self/timers", "r");

	if (file == NULL)
		return (-1);
	while (fgets(line, sizeof(line), file) != NULL)
		count += strncmp(line, "ID:", 3) == 0;
	(void)fclose(file);
	return (count);
}

static int
signals_wait(void)
{
	sigset_t waiting;

	assert_int_equal(sigpending(&waiting), 0);
	return (sigismember(&waiting, SIGPROF));
}

static void *
thread_lives(void *arg)
{
	int64_t until;

	(void)arg;
	pp_thread_enter(&creation);
	until = pp_clock_read(CLOCK_THREAD_CPUTIME_ID) + WORK_NS;
	while (pp_clock_read(CLOCK_THREAD_CPUTIME_ID) < until)
		continue;
	pp_thread_leave();
	return (NULL);
}

/* Off, below and above the kernel's tick, from threads of their own. */
static void *
rates_change(void *arg)
{
	static const uint64_t hz[] = { 0, 100, 1000, 250, 5000, 19 };
	struct timespec nap = { 0, 300000 };
	unsigned int i = arg != NULL;

	while (!atomic_load(&stop)) {
		i++;
		atomic_store(&arena->control.cpu_period_ns,
		    hz[i % 6] == 0 ? 0 : PP_NS_PER_SEC / hz[i % 6]);
		pp_sampler_apply();
		(void)nanosleep(&nap, NULL);
	}
	return (NULL);
}

static void
ten_thousand_threads_leave_no_timer(void **state)
{
	pthread_t changer[CHANGERS], thread[TOGETHER];
	int before = timers(), i, round;

	(void)state;
	assert_int_not_equal(before, -1);
	for (i = 0; i < CHANGERS; i++)
		assert_int_equal(pthread_create(&changer[i], NULL, rates_change,
				     i == 0 ? NULL : &stop),
		    0);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < TOGETHER; i++)
			assert_int_equal(pthread_create(&thread[i], NULL,
					     thread_lives, NULL),
			    0);
		for (i = 0; i < TOGETHER; i++)
			(void)pthread_join(thread[i], NULL);
	}
	atomic_store(&stop, 1);
	for (i = 0; i < CHANGERS; i++)
		(void)pthread_join(changer[i], NULL);
	atomic_store(&arena->control.cpu_period_ns, 0);
	pp_sampler_apply();
	print_message("%lu samples; %d timers before, %d after\n",
	    (unsigned long)atomic_load(&arena->slot[SLOT].samples), before,
	    timers());
	/* The main thread's may be of both kinds. */
	pp_thread_leave();
	assert_int_equal(timers(), before - 1);
	assert_int_equal(signals_wait(), 0);
	for (i = 0; i < PP_THREADS_MAX; i++)
		assert_int_equal(atomic_load(&pp_self.thread[i].state),
		    PP_THREAD_FREE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_threads_leave_no_timer),
	};

	return (cmocka_run_group_tests(tests, prepare, NULL));
}
