/*
 * Waits: real threads that wait in known places, for times that they measure
 * themselves, compared with the sums in the arena.
 *
 * needs: alone, 11 s
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/single_threaded.h>
#include <sys/wait.h>

#include "base/ask.h"
#include "base/clock.h"
#include "wait_calls.h"
#include "wait_fixture.h"
#include "wait_semantics.h"
#include "wait_timed.h"

#define MS	PP_NS_PER_MS
#define THREADS 5

typedef void (*waits_fn)(int, int64_t);

struct truth {
	int64_t count, ns;
};

static int
prepare(void **state)
{
	size_t size =
	    sizeof(wait_calls) + sizeof(wait_semantics) + sizeof(wait_timed);
	char *source = malloc(size);

	if (source == NULL || fixture_setup(state) == -1)
		return (-1);
	(void)strcat(strcat(strcpy(source, wait_calls), wait_semantics),
	    wait_timed);
	wait_load(source);
	free(source);
	if (wait_begin() == -1)
		return (-1);
	*(void (**)(void))wait_symbol("on_thread") = wait_take_label;
	return (0);
}

/* Call the library's `name` under a label of its own; what it measured. */
static uint32_t
run(const char *name, const char *label, int n, int64_t ns, struct truth *truth)
{
	_Atomic int64_t *count = wait_symbol("truth_count");
	_Atomic int64_t *waited = wait_symbol("truth_ns");
	uint32_t was;

	atomic_store(count, 0);
	atomic_store(waited, 0);
	wait_label_now = wait_label(label);
	was = pp_label_swap(wait_label_now);
	wait_call(waits_fn, name)(n, ns);
	(void)pp_label_swap(was);
	truth->count = atomic_load(count);
	truth->ns = atomic_load(waited);
	return (wait_label_now);
}

static void
say(const char *name, struct wait_sum sum, const struct truth *truth)
{
	print_message("%-14s %6.1f waits of %ld, %8.3f ms of %8.3f ms\n", name,
	    sum.count, (long)truth->count, (double)sum.ns / MS,
	    (double)truth->ns / MS);
}

/* Of a plain mutex one thread alone is not asked, of this it is. First, since
 * the C library does not forget that there were more. */
static void
one_thread_waits_for_another_process(void **state)
{
	struct wait_sum sum;
	struct truth truth;
	uint32_t label;

	(void)state;
	assert_true(__libc_single_threaded);
	wait_rates(1, 1);
	label = run("by_shared", "shared", 1, 150 * MS, &truth);
	assert_true(__libc_single_threaded);
	sum = wait_block(label, PP_WAIT_MUTEX, "by_shared");
	say("by_shared", sum, &truth);
	assert_true(sum.count == 1);
	assert_true(truth.ns > 50 * MS);
	assert_true(wait_near((double)sum.ns, (double)truth.ns, 10));
	label = run("alone", "one thread", 1000, 0, &truth);
	wait_rates(0, 0);
	assert_true(wait_block(label, ANY_WAIT, NULL).count == 0);
}

/* Each kind of wait, at rate 1: as often and as long as it was, and where. */
static void
each_wait_is_counted_once_and_for_its_length(void **state)
{
	static const struct {
		const char *name, *where;
		enum pp_wait kind;
		int n;
	} kinds[] = {
		{ "by_mutex", "waits_mutex", PP_WAIT_MUTEX, THREADS },
		{ "by_rdlock", "waits_rdlock", PP_WAIT_RWLOCK, THREADS },
		{ "by_wrlock", "waits_wrlock", PP_WAIT_RWLOCK, THREADS },
		{ "by_cond", "waits_cond", PP_WAIT_COND, THREADS },
		{ "by_cond_timed", "by_cond_timed", PP_WAIT_COND, 3 },
		{ "by_barrier", NULL, PP_WAIT_BARRIER, THREADS },
		{ "by_join", "by_join", PP_WAIT_JOIN, 3 },
		{ "by_sem", "waits_sem", PP_WAIT_SEM, THREADS },
		{ "by_sem_timed", "by_sem_timed", PP_WAIT_SEM, 3 },
	};
	struct wait_sum sum;
	struct truth truth;
	uint32_t label;
	size_t i;

	(void)state;
	wait_rates(1, 1);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		label = run(kinds[i].name, kinds[i].name, kinds[i].n, 150 * MS,
		    &truth);
		sum = wait_block(label, kinds[i].kind, kinds[i].where);
		say(kinds[i].name, sum, &truth);
		assert_int_equal(truth.count, kinds[i].n);
		assert_true(sum.count == (double)truth.count);
		assert_true(wait_near((double)sum.ns, (double)truth.ns, 10));
		/* The last to come to a barrier does not wait. */
		assert_true(truth.ns >=
		    (kinds[i].n - (kinds[i].kind == PP_WAIT_BARRIER)) * 150 *
			MS);
	}
	wait_rates(0, 0);
}

/* The same with a time, and C11's. */
static void
timed_waits_and_those_of_c11_are_counted_too(void **state)
{
	static const struct {
		const char *name, *where;
		enum pp_wait kind;
	} kinds[] = {
		{ "by_mutex_timed", "waits_mutex_timed", PP_WAIT_MUTEX },
		{ "by_mutex_clock", "waits_mutex_clock", PP_WAIT_MUTEX },
		{ "by_rd_timed", "waits_rd_timed", PP_WAIT_RWLOCK },
		{ "by_wr_timed", "waits_wr_timed", PP_WAIT_RWLOCK },
		{ "by_rd_clock", "waits_rd_clock", PP_WAIT_RWLOCK },
		{ "by_wr_clock", "waits_wr_clock", PP_WAIT_RWLOCK },
		{ "by_cond_clock", "by_cond_clock", PP_WAIT_COND },
		{ "by_sem_clock", "waits_sem_clock", PP_WAIT_SEM },
		{ "by_join_timed", "by_join_timed", PP_WAIT_JOIN },
		{ "by_join_clock", "by_join_clock", PP_WAIT_JOIN },
		{ "by_mtx", "waits_mtx", PP_WAIT_MUTEX },
		{ "by_mtx_timed", "waits_mtx_timed", PP_WAIT_MUTEX },
		{ "by_cnd", "waits_cnd", PP_WAIT_COND },
		{ "by_cnd_timed", "waits_cnd_timed", PP_WAIT_COND },
		{ "by_join_c11", "by_join_c11", PP_WAIT_JOIN },
	};
	int *result = wait_symbol("last_result");
	struct wait_sum sum, held;
	struct truth truth;
	uint32_t label;
	size_t i;

	(void)state;
	wait_rates(1, 1);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		label = run(kinds[i].name, kinds[i].name, 3, 100 * MS, &truth);
		sum = wait_block(label, kinds[i].kind, kinds[i].where);
		say(kinds[i].name, sum, &truth);
		assert_int_equal(*result, 0);
		assert_int_equal(truth.count, 3);
		assert_true(sum.count == 3);
		assert_true(wait_near((double)sum.ns, (double)truth.ns, 10));
		assert_true(truth.ns >= 3 * 100 * MS);
		if (kinds[i].kind != PP_WAIT_MUTEX &&
		    kinds[i].kind != PP_WAIT_RWLOCK)
			continue;
		held = wait_mutex(label, kinds[i].kind, kinds[i].name);
		assert_true(wait_near((double)held.ns, (double)truth.ns, 10));
	}
	wait_rates(0, 0);
}

static void
results_of_timed_waits_are_the_originals(void **state)
{
	int *result = wait_symbol("last_result");
	struct truth truth;

	(void)state;
	wait_rates(1, 1);
	run("by_cond_timed", "timed out", 1, 5 * MS, &truth);
	assert_int_equal(*result, ETIMEDOUT);
	run("by_join", "timed out", 1, 5 * MS, &truth);
	assert_int_equal(*result, 1);
	run("by_sem_timed", "timed out", 1, 5 * MS, &truth);
	assert_int_equal(*result, -1);
	assert_int_equal(*(int *)wait_symbol("last_errno"), ETIMEDOUT);
	wait_rates(0, 0);
}

/* All the time that others waited is charged, nearly all of it to the
 * function that held the lock meanwhile. */
static void
who_held_the_lock_is_charged(void **state)
{
	static const struct {
		const char *name, *holder;
		enum pp_wait kind;
	} locks[] = {
		{ "by_mutex", "holds_mutex", PP_WAIT_MUTEX },
		{ "by_rdlock", "holds_wrlock", PP_WAIT_RWLOCK },
		{ "by_wrlock", "holds_rdlock", PP_WAIT_RWLOCK },
	};
	struct wait_sum all, holder;
	struct truth truth;
	char name[64];
	uint32_t label;
	size_t i;

	(void)state;
	wait_rates(1, 1);
	for (i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		snprintf(name, sizeof(name), "held %s", locks[i].name);
		label = run(locks[i].name, name, THREADS, 150 * MS, &truth);
		all = wait_mutex(label, ANY_WAIT, NULL);
		holder = wait_mutex(label, locks[i].kind, locks[i].holder);
		say(locks[i].holder, holder, &truth);
		assert_true(wait_near((double)all.ns, (double)truth.ns, 10));
		assert_true(wait_near((double)holder.ns, (double)truth.ns, 10));
		assert_true(holder.count == 1);
	}
	wait_rates(0, 0);
}

static void
nobody_is_charged_for_a_lock_without_waiters(void **state)
{
	struct truth truth;
	uint32_t label;

	(void)state;
	wait_rates(1, 1);
	label = run("alone", "alone", 1000, 0, &truth);
	wait_rates(0, 0);
	assert_true(wait_block(label, ANY_WAIT, NULL).count == 0);
	assert_true(wait_mutex(label, ANY_WAIT, NULL).count == 0);
}

static void
off_means_that_nothing_is_recorded(void **state)
{
	struct truth truth;
	uint32_t label;

	(void)state;
	wait_rates(0, 0);
	label = run("all_kinds", "off", 2, 3 * MS, &truth);
	assert_true(truth.count > 10);
	assert_true(wait_block(label, ANY_WAIT, NULL).count == 0);
	assert_true(wait_mutex(label, ANY_WAIT, NULL).count == 0);
}

static void
block_and_mutex_are_switched_on_their_own(void **state)
{
	struct truth truth;
	uint32_t label;

	(void)state;
	wait_rates(1, 0);
	label = run("all_kinds", "block alone", 2, 3 * MS, &truth);
	assert_true(wait_block(label, ANY_WAIT, NULL).count > 10);
	assert_true(wait_mutex(label, ANY_WAIT, NULL).count == 0);
	wait_rates(0, 1);
	label = run("all_kinds", "mutex alone", 2, 3 * MS, &truth);
	assert_true(wait_block(label, ANY_WAIT, NULL).count == 0);
	assert_true(wait_mutex(label, ANY_WAIT, NULL).count >= 3);
	wait_rates(0, 0);
}

/* Of the thread that is in `function`: whether the next frame towards the leaf
 * is of the program, which is "us" here. */
static int
our_frame_is_below(const char *function)
{
	const struct pp_thread_facts *facts;
	Dl_info info, us, below;
	uint32_t i, frame;

	assert_int_not_equal(dladdr((void *)(uintptr_t)our_frame_is_below, &us),
	    0);
	for (i = 0; i < PP_THREADS_MAX; i++) {
		facts = &wait_slot()->thread[i];
		for (frame = 1; facts->tid != 0 && frame < facts->frames;
		     frame++) {
			if (dladdr((void *)(uintptr_t)facts->pc[frame],
				&info) == 0 ||
			    info.dli_sname == NULL ||
			    strcmp(info.dli_sname, function) != 0)
				continue;
			return (dladdr((void *)(uintptr_t)facts->pc[frame - 1],
				    &below) != 0 &&
			    below.dli_fbase == us.dli_fbase);
		}
	}
	return (-1);
}

static _Atomic int seen;

/* While the library waits, as the collector asks. */
static void *
asks(void *function)
{
	int tries;

	for (tries = 0; tries < 100 && seen == -1; tries++) {
		(void)usleep(10000);
		atomic_fetch_add(&wait_arena->control.dump, 1);
		(void)pp_ask(getpid(), 0, PP_ASK_CONTROL);
		(void)usleep(10000);
		seen = our_frame_is_below(function);
	}
	return (NULL);
}

/* The library's own functions may have no names: live/activity_state.c
 * looks for ours. */
static void
what_a_thread_waits_for_is_seen_while_nobody_measures(void **state)
{
	static const struct {
		const char *name, *where;
		int n;
	} calls[] = {
		/* The last to come does not wait. */
		{ "by_barrier", "waits_barrier", 2 },
		{ "by_sem", "waits_sem", 1 },
		{ "by_sem_timed", "by_sem_timed", 1 },
		{ "by_sem_clock", "waits_sem_clock", 1 },
		{ "by_join", "by_join", 1 },
		{ "by_join_timed", "by_join_timed", 1 },
		{ "by_join_clock", "by_join_clock", 1 },
		{ "by_join_c11", "by_join_c11", 1 },
	};
	struct truth truth;
	pthread_t thread;
	size_t i;

	(void)state;
	wait_rates(0, 0);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		seen = -1;
		assert_int_equal(pthread_create(&thread, NULL, asks,
				     (void *)(uintptr_t)calls[i].where),
		    0);
		run(calls[i].name, "seen", calls[i].n, 250 * MS, &truth);
		assert_int_equal(pthread_join(thread, NULL), 0);
		if (seen != 1)
			fail_msg("%s: %d", calls[i].name, seen);
	}
}

/* More threads than may wait for one lock: the waits are all there, what
 * cannot be charged is counted. */
static void
waiters_beyond_the_table_are_counted(void **state)
{
	uint64_t lost = wait_loss(PP_LOSS_CONTENDED_DROPPED);
	struct wait_sum sum, holder;
	struct truth truth;
	uint32_t label;

	(void)state;
	wait_rates(1, 1);
	label = run("by_mutex", "crowd", 100, 150 * MS, &truth);
	wait_rates(0, 0);
	sum = wait_block(label, PP_WAIT_MUTEX, NULL);
	holder = wait_mutex(label, PP_WAIT_MUTEX, "holds_mutex");
	lost = wait_loss(PP_LOSS_CONTENDED_DROPPED) - lost;
	say("crowd", sum, &truth);
	print_message("%lu waiters could not be charged\n",
	    (unsigned long)lost);
	assert_true(sum.count == 100);
	assert_int_equal(lost, 100 - 64);
	assert_true(holder.ns >= 64 * 150 * MS);
	assert_true(holder.ns <= truth.ns);
}

/* Short waits by chance, as often and as long in sum as all of them. */
static void
rates_make_no_difference_to_the_sums(void **state)
{
	struct wait_sum all, some;
	struct truth truth;
	uint32_t label;

	(void)state;
	wait_rates(1, 0);
	label = run("short_waits", "rate 1", 6000, 0, &truth);
	all = wait_block(label, PP_WAIT_SEM, "short_waits");
	say("rate 1", all, &truth);
	assert_true(all.count == 6000);
	assert_true(wait_near((double)all.ns, (double)truth.ns, 10));
	wait_rates(100000, 0);
	label = run("short_waits", "rate 100 us", 6000, 0, &truth);
	wait_rates(0, 0);
	some = wait_block(label, PP_WAIT_SEM, "short_waits");
	say("rate 100 us", some, &truth);
	assert_true(wait_near(some.count, (double)truth.count, 10));
	assert_true(wait_near((double)some.ns, (double)truth.ns, 10));
}

/* The estimator alone, with waits whose lengths are given to it: the
 * standard error of the count is 0.4% here, that of the time less. */
static void
sums_are_unbiased(void **state)
{
	int64_t ns, total = 0;
	uint32_t label = wait_label("estimator"), i;
	struct wait_sum sum;

	(void)state;
	wait_rates(100000, 0);
	for (i = 0; i < 200000; i++) {
		ns = 1000 + (int64_t)i * 7919 % 300000;
		total += ns;
		pp_wait_ended_at(PP_WAIT_SLEEP, ns, 0, label);
	}
	wait_rates(0, 0);
	sum = wait_block(label, PP_WAIT_SLEEP, NULL);
	print_message("estimator: %+.2f%% waits, %+.2f%% time\n",
	    sum.count / 2000 - 100, (double)sum.ns / (double)total * 100 - 100);
	assert_true(wait_near(sum.count, 200000, 2));
	assert_true(wait_near((double)sum.ns, (double)total, 2));
}

static void
one_contention_in_n_stands_for_n(void **state)
{
	uint32_t label = wait_label("fraction"), was, i;
	struct wait_sum sum;

	(void)state;
	wait_rates(0, 7);
	was = pp_label_swap(label);
	for (i = 0; i < 50000; i++)
		pp_wait_caused(PP_WAIT_MUTEX, 1000);
	(void)pp_label_swap(was);
	wait_rates(0, 0);
	sum = wait_mutex(label, PP_WAIT_MUTEX, NULL);
	print_message("1 in 7 of 50000: %.0f\n", sum.count);
	assert_true(wait_near(sum.count, 50000, 5));
	assert_int_equal(sum.ns, (int64_t)sum.count * 1000);
}

static void
locks_keep_their_promises_off_and_on(void **state)
{
	static const char *const names[] = { "recursive", "errorcheck",
		"robust", "readers", "semaphores", "cancelled", "bad_times" };
	static const uint64_t rates[] = { 0, 1 };
	size_t i, r;
	int line, broken = 0;

	(void)state;
	for (r = 0; r < 2; r++) {
		wait_rates(rates[r], rates[r]);
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			line = wait_call(int (*)(void), names[i])();
			if (line == 0)
				continue;
			print_message("%s, %s: line %d\n", names[i],
			    r ? "on" : "off", line);
			broken++;
		}
	}
	wait_rates(0, 0);
	assert_int_equal(broken, 0);
}

/* Who was cancelled while he waited leaves no debt to whoever comes next. */
static void
the_cancelled_are_charged_to_nobody(void **state)
{
	struct truth truth;
	uint32_t label;

	(void)state;
	wait_rates(1, 1);
	assert_int_equal(wait_call(int (*)(void), "cancelled")(), 0);
	label = run("unlock_often", "after cancel", 1000, 0, &truth);
	wait_rates(0, 0);
	assert_true(wait_mutex(label, ANY_WAIT, NULL).count == 0);
	assert_true(wait_block(label, ANY_WAIT, NULL).count == 0);
}

static void
a_forked_child_records_nothing(void **state)
{
	uint64_t stackless = wait_loss(PP_LOSS_WAITS_STACKLESS);
	struct truth truth;
	uint32_t label;
	int status;
	pid_t pid;

	(void)state;
	wait_rates(1, 1);
	label = wait_label("child");
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		pp_label_now = label;
		wait_label_now = label;
		wait_call(waits_fn, "all_kinds")(2, 3 * MS);
		_exit(atomic_load(&pp_wait_watch) == 0 ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(wait_block(label, ANY_WAIT, NULL).count == 0);
	assert_true(wait_mutex(label, ANY_WAIT, NULL).count == 0);
	assert_int_equal(wait_loss(PP_LOSS_WAITS_STACKLESS), stackless);
	label = run("by_mutex", "parent still", 2, 3 * MS, &truth);
	wait_rates(0, 0);
	assert_true(wait_block(label, PP_WAIT_MUTEX, NULL).count == 2);
}

/* Last, since rows are never given back. */
static void
a_full_table_is_counted_and_known_places_still_add(void **state)
{
	uint64_t lost = wait_loss(PP_LOSS_WAITS_DROPPED);
	uint32_t label = wait_label("full"), i;

	(void)state;
	wait_rates(1, 0);
	for (i = 1; i <= PP_WAIT_COUNTERS + 100; i++)
		pp_wait_ended_at(PP_WAIT_SLEEP, 1000, i, label);
	lost = wait_loss(PP_LOSS_WAITS_DROPPED) - lost;
	assert_true(lost >= 100 && lost < PP_WAIT_COUNTERS / 2);
	pp_wait_ended_at(PP_WAIT_SLEEP, 1000, 1, label);
	wait_rates(0, 0);
	assert_true(wait_block(label, PP_WAIT_SLEEP, NULL).count ==
	    (double)(PP_WAIT_COUNTERS + 100 - lost + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_thread_waits_for_another_process),
		cmocka_unit_test(each_wait_is_counted_once_and_for_its_length),
		cmocka_unit_test(timed_waits_and_those_of_c11_are_counted_too),
		cmocka_unit_test(results_of_timed_waits_are_the_originals),
		cmocka_unit_test(who_held_the_lock_is_charged),
		cmocka_unit_test(nobody_is_charged_for_a_lock_without_waiters),
		cmocka_unit_test(off_means_that_nothing_is_recorded),
		cmocka_unit_test(block_and_mutex_are_switched_on_their_own),
		cmocka_unit_test(
		    what_a_thread_waits_for_is_seen_while_nobody_measures),
		cmocka_unit_test(waiters_beyond_the_table_are_counted),
		cmocka_unit_test(rates_make_no_difference_to_the_sums),
		cmocka_unit_test(sums_are_unbiased),
		cmocka_unit_test(one_contention_in_n_stands_for_n),
		cmocka_unit_test(locks_keep_their_promises_off_and_on),
		cmocka_unit_test(the_cancelled_are_charged_to_nobody),
		cmocka_unit_test(a_forked_child_records_nothing),
		cmocka_unit_test(
		    a_full_table_is_counted_and_known_places_still_add),
	};

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
