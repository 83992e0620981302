/*
 * Tests of capture/contention.c alone: threads that come to the same place of
 * its table at the same time. What is charged through real locks is in
 * test_locks.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <ucontext.h>

#include "base/clock.h"
#include "capture/contention.h"
#include "capture/thread.h"
#include "wait_fixture.h"

#define THREADS 4
#define TURNS	100000

static const char *lock_of[THREADS];
static uint32_t label_of_all;

static int
prepare(void **state)
{
	if (fixture_setup(state) == -1)
		return (-1);
	return (wait_begin());
}

/* Locks of which each is looked for from the same place on. */
static void
find_locks(void)
{
	static const char memory[1 << 20];
	uint32_t place = pp_contention_hash(memory) % PP_CONTENDED_MAX;
	size_t i, found = 0;

	for (i = 0; i < sizeof(memory) && found < THREADS; i++) {
		if (pp_contention_hash(memory + i) % PP_CONTENDED_MAX == place)
			lock_of[found++] = memory + i;
	}
	assert_int_equal(found, THREADS);
}

/* Waits for its own lock, and is charged with it itself. */
static void *
waits_and_lets_go(void *arg)
{
	const void *lock = arg;
	int64_t began;
	int turn, place;

	pp_label_now = label_of_all;
	for (turn = 0; turn < TURNS; turn++) {
		place = pp_contention_enter(lock);
		began = pp_clock_mono();
		while (pp_clock_mono() == began)
			;
		pp_contention_release(lock, PP_WAIT_MUTEX);
		pp_contention_leave(place);
	}
	return (NULL);
}

static void
each_waiter_is_charged_for_once(void **state)
{
	uint64_t lost = wait_loss(PP_LOSS_CONTENDED_DROPPED);
	pthread_t thread[THREADS];
	struct wait_sum sum;
	int64_t began;
	size_t i;

	(void)state;
	find_locks();
	wait_rates(0, 1);
	label_of_all = wait_label("same place");
	began = pp_clock_mono();
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
				     waits_and_lets_go,
				     (void *)(uintptr_t)lock_of[i]),
		    0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	began = pp_clock_mono() - began;
	wait_rates(0, 0);
	sum = wait_mutex(label_of_all, PP_WAIT_MUTEX, NULL);
	print_message("%d threads: %.0f of %d waits charged, %.1f ms\n",
	    THREADS, sum.count, THREADS * TURNS, (double)sum.ns / 1e6);
	assert_int_equal(wait_loss(PP_LOSS_CONTENDED_DROPPED), lost);
	assert_true(sum.count == (double)THREADS * TURNS);
	assert_true(sum.ns >= THREADS * TURNS && sum.ns <= THREADS * began);
}

#if defined(__x86_64__)

#define TRACE_FLAG 0x100 /* of the processor: a trap after an instruction */

static volatile int steps, other_at, other_place;

/* After the instruction `other_at` of one thread's, all of another's. */
static void
on_step(int signal, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	(void)signal;
	(void)info;
	if (++steps != other_at)
		return;
	at->uc_mcontext.gregs[REG_EFL] &= ~TRACE_FLAG;
	other_place = pp_contention_enter(lock_of[1]);
}

#define SET_FLAGS(change)                                                      \
	__asm__ volatile("lea -128(%%rsp), %%rsp; pushfq; " change             \
			 ", (%%rsp); popfq; lea 128(%%rsp), %%rsp" ::          \
			     : "memory", "cc")

/* One thread is stopped after each of its instructions, and another comes in
 * between: both are charged for, wherever it was. */
static void
two_come_to_one_place(void **state)
{
	struct sigaction action = { .sa_sigaction = on_step,
		.sa_flags = SA_SIGINFO },
			 was;
	struct wait_sum sum;
	int place, wanted;
	uint32_t label = wait_label("two");

	(void)state;
	find_locks();
	wait_rates(0, 1);
	assert_int_equal(sigaction(SIGTRAP, &action, &was), 0);
	for (wanted = 1;; wanted++) {
		steps = 0;
		other_at = wanted;
		other_place = -1;
		SET_FLAGS("orq $0x100");
		place = pp_contention_enter(lock_of[0]);
		SET_FLAGS("andq $~0x100");
		if (steps < wanted)
			break;
		assert_true(place != -1 && other_place != -1);
		assert_int_not_equal(place, other_place);
		(void)pp_label_swap(label);
		(void)usleep(1);
		pp_contention_charge(lock_of[0], PP_WAIT_MUTEX);
		pp_contention_charge(lock_of[1], PP_WAIT_MUTEX);
		(void)pp_label_swap(0);
		pp_contention_leave(place);
		pp_contention_leave(other_place);
		sum = wait_mutex(label, PP_WAIT_MUTEX, NULL);
		if (sum.count != 2 * wanted)
			fail_msg("step %d: %.0f of %d charged", wanted,
			    sum.count, 2 * wanted);
	}
	pp_contention_leave(place);
	(void)sigaction(SIGTRAP, &was, NULL);
	wait_rates(0, 0);
	print_message("%d steps\n", wanted - 1);
	assert_true(wanted > 10);
}

#endif

/* The time of who was there before is not the next one's. */
static void
a_place_that_was_used_begins_anew(void **state)
{
	uint32_t label = wait_label("again"), was;
	struct wait_sum sum;
	int64_t began;
	int place;

	(void)state;
	find_locks();
	wait_rates(0, 1);
	was = pp_label_swap(label);
	place = pp_contention_enter(lock_of[0]);
	(void)usleep(20000);
	pp_contention_leave(place);
	began = pp_clock_mono();
	assert_int_equal(pp_contention_enter(lock_of[1]), place);
	pp_contention_charge(lock_of[1], PP_WAIT_MUTEX);
	began = pp_clock_mono() - began;
	pp_contention_leave(place);
	(void)pp_label_swap(was);
	wait_rates(0, 0);
	sum = wait_mutex(label, PP_WAIT_MUTEX, NULL);
	assert_true(sum.ns <= began);
}

/* However many give up, what they have waited for is charged once, to whoever
 * lets go next. */
static void
who_gives_up_is_charged_for(void **state)
{
	uint64_t lost = wait_loss(PP_LOSS_CONTENDED_DROPPED);
	uint32_t label = wait_label("gave up"), was;
	int64_t waited = 0, began;
	struct wait_sum sum;
	int i, place;

	(void)state;
	find_locks();
	wait_rates(0, 1);
	was = pp_label_swap(label);
	for (i = 0; i < 2000; i++) {
		place = pp_contention_enter(lock_of[0]);
		began = pp_clock_mono();
		(void)usleep(i == 0 ? 20000 : 1);
		waited += pp_clock_mono() - began;
		pp_contention_give_up(place);
	}
	/* Another lock is none of theirs. */
	pp_contention_release(lock_of[1], PP_WAIT_MUTEX);
	assert_int_equal(wait_mutex(label, PP_WAIT_MUTEX, NULL).ns, 0);
	pp_contention_release(lock_of[0], PP_WAIT_MUTEX);
	pp_contention_release(lock_of[0], PP_WAIT_MUTEX);
	sum = wait_mutex(label, PP_WAIT_MUTEX, NULL);
	print_message("%.1f of %.1f ms\n", (double)sum.ns / 1e6,
	    (double)waited / 1e6);
	assert_true(sum.count == 1);
	assert_true(sum.ns >= waited && sum.ns < 2 * waited);
	assert_int_equal(wait_loss(PP_LOSS_CONTENDED_DROPPED), lost);
	/* Not what was left when nobody measures any more. */
	place = pp_contention_enter(lock_of[0]);
	(void)usleep(20000);
	pp_contention_give_up(place);
	wait_rates(0, 0);
	wait_rates(0, 1);
	pp_contention_release(lock_of[0], PP_WAIT_MUTEX);
	assert_int_equal(wait_mutex(label, PP_WAIT_MUTEX, NULL).ns, sum.ns);
	(void)pp_label_swap(was);
	wait_rates(0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_waiter_is_charged_for_once),
#if defined(__x86_64__)
		cmocka_unit_test(two_come_to_one_place),
#endif
		cmocka_unit_test(a_place_that_was_used_begins_anew),
		cmocka_unit_test(who_gives_up_is_charged_for),
	};

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
