/*
 * capture/trace: what a thread writes while somebody traces, as the collector
 * takes it.
 */
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/label.h"
#include "capture/thread.h"
#include "capture/trace.h"
#include "capture/unwind_lib.h"

#define SLOT 1

static struct pp_arena *arena;
static struct pp_slot *slot;

struct record {
	uint64_t word[PP_TRACE_RECORD_MAX];
	int words; /* 0: there was none */
	enum pp_trace_kind kind;
	uint32_t n, m;
};

static struct record
take(uint32_t place)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	r.words =
	    pp_record_take(slot, place, pp_record_reached(slot, place), r.word);
	r.kind = (enum pp_trace_kind)(r.word[0] >> 8 & 0xff);
	r.n = (uint32_t)(r.word[0] >> 16 & 0xffff);
	r.m = (uint32_t)(r.word[0] >> 32);
	return (r);
}

/* As the collector does it. */
static void
trace_with(uint32_t number)
{
	atomic_store(&arena->control.trace, number);
	pp_trace_apply();
}

static uint64_t
lost(void)
{
	return (atomic_load(&slot->loss[PP_LOSS_TRACE_DROPPED]));
}

static int
begin(void **state)
{
	static uint32_t number;
	uint32_t place;

	(void)state;
	for (place = 0; place < PP_THREADS_MAX; place++)
		pp_record_skip(slot, place);
	atomic_store(&slot->inflights.used, 1);
	trace_with(number += 2);
	return (0);
}

static int
end(void **state)
{
	(void)state;
	trace_with(0);
	return (0);
}

static void
begin_loop(void)
{
	pp_trace_begin_loop();
	assert_int_equal(take(0).kind, PP_TRACE_BEGIN);
	assert_int_equal(take(0).words, 0);
}

static void
while_nobody_traces_nothing_is_written(void **state)
{
	(void)state;
	trace_with(0);
	assert_int_equal(pp_trace_active(), 0);
	pp_trace_begin_loop();
	pp_trace(PP_TRACE_RUN, 0, 0, 7);
	assert_int_equal(pp_trace_call(PP_CALL_read), 0);
	assert_int_equal(take(0).words, 0);
}

static void
the_loop_begins_where_it_may_and_not_before(void **state)
{
	struct record r;

	(void)state;
	pp_trace(PP_TRACE_RUN, 0, 3, 7);
	pp_trace(PP_TRACE_RAN, 1, 0, 7);
	assert_int_equal(take(0).words, 0);
	pp_trace_begin_loop();
	pp_trace_begin_loop();
	r = take(0);
	assert_int_equal(r.kind, PP_TRACE_BEGIN);
	assert_int_equal(r.words, 4);
	assert_int_equal(r.n, 0);
	assert_int_equal(r.word[2],
	    (uint64_t)(uint32_t)getpid() << 32 | (uint32_t)gettid());
	assert_int_equal(r.word[3], 0);
	assert_int_equal(take(0).words, 0);
	pp_trace(PP_TRACE_RUN, 0, 3, 9);
	r = take(0);
	assert_int_equal(r.kind, PP_TRACE_RUN);
	assert_int_equal(r.words, 3);
	assert_int_equal(r.m, 3);
	assert_int_equal(r.word[2], 9);
	assert_int_equal(lost(), 0);
}

static void
what_is_in_progress_is_told_as_it_begins(void **state)
{
	struct pp_inflight *inflight = slot->inflights.inflight;
	struct record r, first;

	(void)state;
	inflight[1].id = 21;
	inflight[1].state = PP_WAIT_PGSQL;
	inflight[1].label = 5;
	inflight[1].stack = 6;
	inflight[1].since_ns = 1234;
	inflight[2].id = 0; /* free again */
	inflight[3].id = 23;
	inflight[3].task = 1;
	inflight[3].state = PP_WAIT_NONE;
	inflight[3].request = 21;
	inflight[3].tid = 4711;
	atomic_store(&slot->inflights.used, 4);
	pp_trace_begin_loop();
	first = take(0);
	assert_int_equal(first.kind, PP_TRACE_BEGIN);
	r = take(0);
	assert_int_equal(r.kind, PP_TRACE_SNAPSHOT);
	assert_int_equal(r.words, 7);
	assert_int_equal(r.n, PP_WAIT_PGSQL);
	assert_int_equal(r.m, 5);
	assert_int_equal(r.word[1], first.word[1]);
	assert_int_equal(r.word[2], 21);
	assert_int_equal(r.word[3], 6);
	assert_int_equal(r.word[4], 1234);
	r = take(0);
	assert_int_equal(r.kind, PP_TRACE_SNAPSHOT);
	assert_int_equal(r.n, PP_WAIT_NONE | 1 << 15);
	assert_int_equal(r.word[2], 23);
	assert_int_equal(r.word[5], 21);
	assert_int_equal(r.word[6], 4711);
	assert_int_equal(take(0).words, 0);
	memset(inflight, 0, 4 * sizeof(*inflight));
}

static void
another_number_is_another_beginning(void **state)
{
	uint32_t number = atomic_load(&arena->control.trace);

	(void)state;
	begin_loop();
	trace_with(0);
	pp_trace(PP_TRACE_POLL, 0, 0);
	trace_with(number + 1);
	pp_trace(PP_TRACE_POLL, 0, 0);
	assert_int_equal(take(0).words, 0);
	begin_loop();
}

static void *
a_task_goes_on(void *unused)
{
	struct pp_thread_creation creation = { 0 };

	(void)unused;
	pp_trace(PP_TRACE_TASK_END, 0, 0, 99); /* has no place yet */
	pp_thread_enter(&creation);
	pp_self_inflight = 44;
	pp_label_now = 3;
	pp_trace(PP_TRACE_TASK_END, 0, 0, 44);
	pp_self_inflight = 0;
	pp_thread_leave();
	return (NULL);
}

static void
another_thread_begins_with_its_first_record(void **state)
{
	pthread_t thread;
	struct record r;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, a_task_goes_on, NULL),
	    0);
	pthread_join(thread, NULL);
	r = take(1);
	assert_int_equal(r.kind, PP_TRACE_BEGIN);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.m, 3);
	assert_int_equal(r.word[3], 44);
	r = take(1);
	assert_int_equal(r.kind, PP_TRACE_TASK_END);
	assert_int_equal(r.word[2], 44);
	assert_int_equal(take(1).kind, PP_TRACE_LEAVE);
	assert_int_equal(take(1).words, 0);
	assert_int_equal(take(0).words, 0);
}

static void
what_does_not_fit_is_counted_and_told_before_the_next(void **state)
{
	uint64_t before = lost(), written = 0, i;
	struct record r;

	(void)state;
	begin_loop();
	while (lost() == before && written < PP_TRACE_LOOP_WORDS) {
		pp_trace(PP_TRACE_RUN, 0, 0, written);
		written++;
	}
	written--;
	assert_in_range(written, PP_TRACE_LOOP_WORDS / 3 - 4,
	    PP_TRACE_LOOP_WORDS / 3);
	/* Two words would fit where three do not. */
	for (i = 0; i < 4; i++)
		pp_trace(PP_TRACE_POLL, 0, 0);
	assert_int_equal(lost(), before + 5);
	for (i = 0; i < written; i++) {
		r = take(0);
		assert_int_equal(r.kind, PP_TRACE_RUN);
		assert_int_equal(r.word[2], i);
	}
	assert_int_equal(take(0).words, 0);
	pp_trace(PP_TRACE_RUN, 0, 0, 77);
	r = take(0);
	assert_int_equal(r.kind, PP_TRACE_DROPPED);
	assert_int_equal(r.word[2], 5);
	r = take(0);
	assert_int_equal(r.kind, PP_TRACE_RUN);
	assert_int_equal(r.word[2], 77);
	pp_trace(PP_TRACE_RUN, 0, 0, 78);
	assert_int_equal(take(0).kind, PP_TRACE_RUN);
	assert_int_equal(take(0).words, 0);
}

static void
records_wrap_and_time_never_goes_back(void **state)
{
	uint64_t before = lost(), last = 0, i;
	struct record r;

	(void)state;
	begin_loop();
	for (i = 0; i < PP_TRACE_LOOP_WORDS; i++) {
		pp_trace(PP_TRACE_SLEEP, (uint32_t)i & 0xffff, 0, i, ~i);
		r = take(0);
		assert_int_equal(r.kind, PP_TRACE_SLEEP);
		assert_int_equal(r.words, 4);
		assert_int_equal(r.n, i & 0xffff);
		assert_int_equal(r.word[2], i);
		assert_int_equal(r.word[3], ~i);
		assert_true(r.word[1] >= last);
		last = r.word[1];
	}
	assert_true((int64_t)last <= pp_clock_mono());
	assert_int_equal(lost(), before);
}

static volatile uint64_t tries;

static void
write_in_a_handler(int signo)
{
	(void)signo;
	tries++;
	pp_trace(PP_TRACE_INSTANT, PP_TRACE_INSTANT_TIMER, 0, 1);
}

static void
a_handler_within_a_record_drops_its_own_and_breaks_nothing(void **state)
{
	struct itimerval often = { { 0, 50 }, { 0, 50 } }, never;
	struct sigaction action = { .sa_handler = write_in_a_handler }, was;
	uint64_t before = lost(), outer = 0, got = 0, told = 0, last = 0;
	int64_t until = pp_clock_mono() + 300 * PP_NS_PER_MS;
	struct record r;

	(void)state;
	begin_loop();
	tries = 0;
	memset(&never, 0, sizeof(never));
	assert_int_equal(sigaction(SIGALRM, &action, &was), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	while (pp_clock_mono() < until || lost() == before) {
		for (int i = 0; i < 1000; i++, outer++)
			pp_trace(PP_TRACE_RUN, 0, 0, outer);
		if (pp_clock_mono() > until + 20 * PP_NS_PER_SEC)
			break;
		if (pp_clock_mono() >= until && lost() != before)
			setitimer(ITIMER_REAL, &never, NULL);
		while ((r = take(0)).words > 0) {
			assert_true(r.word[1] >= last);
			last = r.word[1];
			if (r.kind == PP_TRACE_DROPPED)
				told += r.word[2];
			else
				got++;
			assert_true(r.kind == PP_TRACE_DROPPED ||
			    r.kind == PP_TRACE_RUN ||
			    r.kind == PP_TRACE_INSTANT);
		}
	}
	setitimer(ITIMER_REAL, &never, NULL);
	pp_trace(PP_TRACE_RUN, 0, 0, outer++);
	while ((r = take(0)).words > 0) {
		if (r.kind == PP_TRACE_DROPPED)
			told += r.word[2];
		else
			got++;
	}
	assert_int_equal(sigaction(SIGALRM, &was, NULL), 0);
	assert_true(lost() > before);
	assert_int_equal(told, lost() - before);
	assert_int_equal(got + told, outer + tries);
}

static void
a_call_that_takes_long_has_a_stack(void **state)
{
	struct record r;
	uint64_t began;

	(void)state;
	begin_loop();
	errno = EBADF;
	began = pp_trace_call(PP_CALL_nanosleep);
	assert_int_not_equal(began, 0);
	(void)usleep(1000);
	errno = EINTR;
	pp_trace_called(PP_CALL_nanosleep, began);
	assert_int_equal(errno, EINTR);
	r = take(0);
	assert_int_equal(r.kind, PP_TRACE_CALL);
	assert_int_equal(r.n, PP_CALL_nanosleep);
	assert_int_equal(r.word[1], began);
	r = take(0);
	assert_int_equal(r.kind, PP_TRACE_CALL_END);
	assert_int_equal(r.n, PP_CALL_nanosleep);
	assert_int_not_equal(r.word[2], 0);
	assert_true(r.word[1] - began >= PP_NS_PER_MS);
}

/* Whether a call is short is the machine's; one of a thousand is. */
static void
a_call_that_does_not_block_has_none(void **state)
{
	uint32_t shorts = 0, i;
	struct record r;
	uint64_t began;

	(void)state;
	begin_loop();
	for (i = 0; i < 1000; i++) {
		pp_trace_called(PP_CALL_read, pp_trace_call(PP_CALL_read));
		r = take(0);
		assert_int_equal(r.kind, PP_TRACE_CALL);
		began = r.word[1];
		r = take(0);
		assert_int_equal(r.kind, PP_TRACE_CALL_END);
		if (r.word[1] - began >= PP_TRACE_SHORT_NS)
			continue;
		assert_int_equal(r.word[2], 0);
		shorts++;
	}
	assert_true(shorts > 0);
}

static void
what_happens_within_a_call_is_part_of_it(void **state)
{
	uint64_t outer, inner;

	(void)state;
	begin_loop();
	outer = pp_trace_wait(PP_WAIT_MUTEX);
	assert_int_not_equal(outer, 0);
	inner = pp_trace_call(PP_CALL_write);
	assert_int_equal(inner, 0);
	pp_trace_called(PP_CALL_write, inner);
	pp_trace_waited(PP_WAIT_MUTEX, outer);
	assert_int_equal(take(0).kind, PP_TRACE_WAIT);
	assert_int_equal(take(0).kind, PP_TRACE_WAIT_END);
	assert_int_equal(take(0).words, 0);
	/* It was left by longjmp(). */
	assert_int_not_equal(pp_trace_call(PP_CALL_read), 0);
	assert_int_equal(pp_trace_call(PP_CALL_read), 0);
	pp_trace(PP_TRACE_RUN, 0, 0, 1);
	assert_int_not_equal(pp_trace_call(PP_CALL_read), 0);
}

/* A signal's handler asks for a stack while a thread sleeps. */
static void
the_unwinders_own_waits_are_not_told(void **state)
{
	uint64_t began;

	(void)state;
	begin_loop();
	pp_unwind_ours = 1;
	began = pp_trace_wait(PP_WAIT_MUTEX);
	pp_trace_waited(PP_WAIT_MUTEX, began);
	pp_unwind_ours = 0;
	assert_int_equal(began, 0);
	assert_int_equal(take(0).words, 0);
	assert_int_not_equal(pp_trace_wait(PP_WAIT_MUTEX), 0);
}

static void
an_end_without_a_beginning_is_not_written(void **state)
{
	uint64_t began;

	(void)state;
	begin_loop();
	began = pp_trace_call(PP_CALL_read);
	assert_int_equal(take(0).kind, PP_TRACE_CALL);
	trace_with(atomic_load(&arena->control.trace) + 1);
	pp_trace_called(PP_CALL_read, began);
	assert_int_equal(take(0).words, 0);
	begin_loop();
	assert_int_not_equal(pp_trace_call(PP_CALL_read), 0);
}

static void
a_child_writes_nothing_and_the_next_worker_begins(void **state)
{
	struct record r;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		pp_self_leave();
		pp_trace(PP_TRACE_POLL, 0, 0);
		pp_trace_begin_loop();
		pp_self_start(arena, SLOT);
		pp_trace_begin_loop();
		pp_trace(PP_TRACE_POLL, 0, 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	r = take(0);
	assert_int_equal(r.kind, PP_TRACE_BEGIN);
	assert_int_equal(r.word[2] >> 32, pid);
	assert_int_equal(take(0).kind, PP_TRACE_POLL);
	assert_int_equal(take(0).words, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(while_nobody_traces_nothing_is_written),
		TEST(the_loop_begins_where_it_may_and_not_before),
		TEST(what_is_in_progress_is_told_as_it_begins),
		TEST(another_number_is_another_beginning),
		TEST(another_thread_begins_with_its_first_record),
		TEST(what_does_not_fit_is_counted_and_told_before_the_next),
		TEST(records_wrap_and_time_never_goes_back),
		TEST(
		    a_handler_within_a_record_drops_its_own_and_breaks_nothing),
		TEST(a_call_that_takes_long_has_a_stack),
		TEST(a_call_that_does_not_block_has_none),
		TEST(what_happens_within_a_call_is_part_of_it),
		TEST(the_unwinders_own_waits_are_not_told),
		TEST(an_end_without_a_beginning_is_not_written),
		TEST(a_child_writes_nothing_and_the_next_worker_begins),
	};
	const char *why;
	int fd;

	arena = pp_arena_create(2, &fd);
	if (arena == NULL || pp_self_prepare(&why) == -1)
		return (1);
	pp_self_start(arena, SLOT);
	slot = &arena->slot[SLOT];
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
