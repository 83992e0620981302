/*
 * Tests of service/endpoints/ep_settings.c: rates are shown to all, and changed only by
 * a request with the mark, whole or not at all.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "service_fixture.h"

static int told; /* a byte for each signal that worker 1 gets */
static pid_t worker;

/* A process that does nothing but to tell of its signals. */
static void
worker_life(int out)
{
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGPROF);
	while (sigwait(&set, &signo) == 0) {
		if (write(out, "", 1) != 1)
			_exit(1);
	}
}

static int
setup(void **state)
{
	sigset_t set;
	int pipes[2];

	sigemptyset(&set);
	sigaddset(&set, SIGPROF);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (pipe2(pipes, O_NONBLOCK) == -1 || service_setup(state) == -1)
		return (-1);
	if ((worker = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		worker_life(pipes[1]);
	}
	told = pipes[0];
	c.f.arena->slot[1].life.pid = worker;
	return (worker == -1 ? -1 : 0);
}

static int
teardown(void **state)
{
	kill(worker, SIGKILL);
	waitpid(worker, NULL, 0);
	return (service_teardown(state));
}

/* Whether the worker is signalled within `ms`. */
static int
was_told(int ms)
{
	struct pollfd ready = { .fd = told, .events = POLLIN };
	char byte;

	return (poll(&ready, 1, ms) == 1 && read(told, &byte, 1) == 1);
}

static void
rates(uint64_t heap, uint64_t block, uint64_t mutex)
{
	struct pp_control *control = &c.f.arena->control;

	assert_true(control->heap_rate == heap);
	assert_true(control->block_rate_ns == block);
	assert_true(control->mutex_fraction == mutex);
}

static void
reset(void)
{
	struct pp_control *control = &c.f.arena->control;

	control->heap_rate = 524288;
	control->block_rate_ns = 0;
	control->mutex_fraction = 0;
	while (was_told(0))
		;
}

static struct pp_answer
post(const char *query, const char *body, int marked)
{
	struct pp_request r = request(PP_METHOD_POST, "/settings", query);

	r.body = body;
	r.body_len = body == NULL ? 0 : strlen(body);
	r.marked = marked;
	return (ask(&r));
}

static void
get_shows_the_rates_and_changes_none(void **state)
{
	struct pp_answer answer;
	struct pp_request r;

	(void)state;
	reset();
	c.f.arena->control.block_rate_ns = 10000;
	r = request(PP_METHOD_GET, "/settings",
	    "block_rate=5&mutex_fraction=1");
	r.marked = 1;
	answer = ask(&r);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.headers.data,
	    "content-type: application/json\n" SNIFF
	    "cache-control: no-store\n");
	assert_string_equal(answer.body.data,
	    "{\"heap_rate\": 524288, \"block_rate\": 10000, "
	    "\"mutex_fraction\": 0}\n");
	pp_answer_free(&answer);
	rates(524288, 10000, 0);
	assert_false(was_told(50));
}

/* A page of another site can POST a form, but cannot add the header. */
static void
post_without_the_mark_is_forbidden(void **state)
{
	struct pp_answer answer;

	(void)state;
	reset();
	answer = post("block_rate=5", "mutex_fraction=1", 0);
	assert_int_equal(answer.status, 403);
	assert_string_equal(answer.headers.data, ERROR);
	assert_string_equal(answer.body.data,
	    "Settings are changed only by requests with the header "
	    "\"X-Pprof: 1\"\n");
	pp_answer_free(&answer);
	rates(524288, 0, 0);
	assert_false(was_told(50));
}

static void
what_is_given_is_set_and_the_workers_are_told(void **state)
{
	struct pp_answer answer;

	(void)state;
	reset();
	answer = post("block_rate=10000", NULL, 1);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.body.data,
	    "{\"heap_rate\": 524288, \"block_rate\": 10000, "
	    "\"mutex_fraction\": 0}\n");
	pp_answer_free(&answer);
	rates(524288, 10000, 0);
	assert_true(was_told(5000));
	/* A form's value comes before the query's, as in Go. */
	answer = post("block_rate=1&heap_rate=2",
	    "mutex_fraction=100&block_rate=%30", 1);
	assert_int_equal(answer.status, 200);
	pp_answer_free(&answer);
	rates(2, 0, 100);
	assert_true(was_told(5000));
	/* The largest. */
	answer = post("heap_rate=1073741824&block_rate=3600000000000"
		      "&mutex_fraction=1000000",
	    NULL, 1);
	assert_int_equal(answer.status, 200);
	pp_answer_free(&answer);
	rates(1073741824, 3600000000000, 1000000);
	assert_true(was_told(5000));
}

static void
one_bad_value_and_nothing_is_set(void **state)
{
	static const struct {
		const char *query, *body;
	} row[] = {
		{ "block_rate=1&heap_rate=-1",
		    "invalid value \"-1\" for \"heap_rate\" - must be a whole "
		    "number of bytes from 0 (off) to 1073741824\n" },
		{ "heap_rate=1073741825",
		    "invalid value \"1073741825\" for \"heap_rate\" - must be "
		    "a whole number of bytes from 0 (off) to 1073741824\n" },
		{ "block_rate=1ms",
		    "invalid value \"1ms\" for \"block_rate\" - must be a "
		    "whole number of nanoseconds from 0 (off) to "
		    "3600000000000\n" },
		{ "heap_rate=1&mutex_fraction=99999999999999999999",
		    "invalid value \"99999999999999999999\" for "
		    "\"mutex_fraction\" - must be a whole number of "
		    "contentions from 0 (off) to 1000000\n" },
		{ "mutex_fraction=%0a",
		    "invalid value \"?\" for \"mutex_fraction\" - must be a "
		    "whole number of contentions from 0 (off) to 1000000\n" },
		{ "",
		    "Nothing to set: give heap_rate, block_rate or "
		    "mutex_fraction, in the query or as a form\n" },
		{ "blockrate=1&heap_rate=",
		    "Nothing to set: give heap_rate, block_rate or "
		    "mutex_fraction, in the query or as a form\n" },
	};
	struct pp_answer answer;
	size_t i;

	(void)state;
	reset();
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		answer = post(row[i].query, NULL, 1);
		assert_int_equal(answer.status, 400);
		assert_string_equal(answer.headers.data, ERROR);
		assert_string_equal(answer.body.data, row[i].body);
		pp_answer_free(&answer);
		answer = post("", row[i].query, 1);
		assert_int_equal(answer.status, 400);
		assert_string_equal(answer.body.data, row[i].body);
		pp_answer_free(&answer);
	}
	rates(524288, 0, 0);
	assert_false(was_told(50));
}

/* The pid in a slot is anybody's to write; 0 would be our process group. */
static void
who_is_no_worker_is_not_signalled(void **state)
{
	const int32_t pid[] = { 0, getpid(), c.f.arena->parent_pid };
	struct pp_answer answer;
	sigset_t pending;
	size_t i;

	(void)state;
	reset();
	for (i = 0; i < sizeof(pid) / sizeof(pid[0]); i++) {
		c.f.arena->slot[1].life.pid = pid[i];
		answer = post("block_rate=1", NULL, 1);
		assert_int_equal(answer.status, 200);
		pp_answer_free(&answer);
		assert_int_equal(sigpending(&pending), 0);
		assert_false(sigismember(&pending, SIGPROF));
	}
	c.f.arena->slot[1].life.pid = worker;
	assert_false(was_told(50));
}

static void
locked_ones_are_shown_and_stay(void **state)
{
	struct pp_answer answer;

	(void)state;
	reset();
	pp_service_lock_settings(service);
	answer = post("block_rate=1", NULL, 1);
	assert_int_equal(answer.status, 403);
	assert_non_null(strstr(answer.body.data, "PPROF_SETTINGS=0"));
	pp_answer_free(&answer);
	rates(524288, 0, 0);
	assert_false(was_told(50));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_shows_the_rates_and_changes_none),
		cmocka_unit_test(post_without_the_mark_is_forbidden),
		cmocka_unit_test(what_is_given_is_set_and_the_workers_are_told),
		cmocka_unit_test(one_bad_value_and_nothing_is_set),
		cmocka_unit_test(who_is_no_worker_is_not_signalled),
		/* The last: there is no way back. */
		cmocka_unit_test(locked_ones_are_shown_and_stay),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
