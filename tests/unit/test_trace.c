/*
 * Tests of trace/tracer*.c and encode/trace_go*.c with what honest workers
 * write: who runs where, for what it waits, and that Go opens the file.
 */
#include "trace_fixture.h"

static void
a_request_runs_instead_of_its_loop(void **state)
{
	struct traced d = traced_new();
	uint32_t label = put_label(&d, 1);

	(void)state;
	traced_begin(&d);
	traced_emitted(&d);
	PUT_AT(&d, 1000, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 77, 0);
	PUT_AT(&d, 1010, PP_TRACE_RUN, 0, label, 100);
	PUT_AT(&d, 1020, PP_TRACE_RAN, 1, 0, 100);
	PUT_AT(&d, 1030, PP_TRACE_POLL, 0, 0);
	PUT_AT(&d, 1035, PP_TRACE_POLL_OUT, 1, 0);
	PUT_AT(&d, 1040, PP_TRACE_POLL, 0, 0);
	PUT_AT(&d, 1540, PP_TRACE_POLL_OUT, 1, 0);
	assert_non_null(strstr(traced_emitted(&d),
	    "CREATE p0 GET /fib/\n"
	    "STOP p0 worker 1 event loop in [a handler runs]\n"
	    "START p0 GET /fib/\n"
	    "TASK p0 GET /fib/ \"GET /fib/\"\n"
	    "TASK_END p0 GET /fib/ \"GET /fib/\"\n"
	    "END p0 GET /fib/\n"
	    "START p0 worker 1 event loop\n"
	    "SHORT p0 worker 1 event loop in epoll_wait\n"
	    "AWAY p0 worker 1 event loop for 500us in epoll_wait\n"));
	traced_free(&d);
}

static void
a_request_that_was_put_to_sleep_sleeps_when_its_handler_returns(void **state)
{
	struct traced d = traced_new();
	uint32_t label = put_label(&d, 1);

	(void)state;
	traced_begin(&d);
	PUT_AT(&d, 10, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 77, 0);
	traced_emitted(&d);
	PUT_AT(&d, 20, PP_TRACE_RUN, 0, label, 100);
	PUT_AT(&d, 30, PP_TRACE_SLEEP, PP_WAIT_PGSQL, 0, 100,
	    counts_here(&d.c, 1, 0x100));
	PUT_AT(&d, 40, PP_TRACE_RAN, 0, 0, 100);
	PUT_AT(&d, 50, PP_TRACE_WAKE, PP_WAIT_PGSQL, 0, 100, 0);
	PUT_AT(&d, 60, PP_TRACE_RUN, 0, label, 100);
	PUT_AT(&d, 70, PP_TRACE_SLEEP, PP_WAIT_TASK, 0, 100, 0);
	PUT_AT(&d, 71, PP_TRACE_WAKE, PP_WAIT_TASK, 0, 100, 0);
	PUT_AT(&d, 80, PP_TRACE_RAN, 0, 0, 100);
	PUT_AT(&d, 90, PP_TRACE_END, 0, 0, 100);
	assert_string_equal(traced_emitted(&d),
	    "CREATE p0 GET /fib/\n"
	    "STOP p0 worker 1 event loop in [a handler runs]\n"
	    "START p0 GET /fib/\n"
	    "TASK p0 GET /fib/ \"GET /fib/\"\n"
	    "BLOCK p0 GET /fib/ in [pgsql wait]\n"
	    "START p0 worker 1 event loop\n"
	    "WAKE p0 GET /fib/\n"
	    "STOP p0 worker 1 event loop in [a handler runs]\n"
	    "START p0 GET /fib/\n"
	    "STOP p0 GET /fib/\n"
	    "START p0 worker 1 event loop\n"
	    "STOP p0 worker 1 event loop in [a handler runs]\n"
	    "START p0 GET /fib/\n"
	    "TASK_END p0 GET /fib/ \"GET /fib/\"\n"
	    "END p0 GET /fib/\n"
	    "START p0 worker 1 event loop\n");
	traced_free(&d);
}

static void
a_task_runs_on_its_thread_after_it_was_queued(void **state)
{
	struct traced d = traced_new();
	uint32_t label = put_label(&d, 1);

	(void)state;
	traced_begin(&d);
	PUT_AT(&d, 10, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 77, 0);
	traced_emitted(&d);
	PUT_AT(&d, 20, PP_TRACE_RUN, 0, label, 100);
	PUT_AT(&d, 30, PP_TRACE_TASK_QUEUED, 0, label, 103, 100, 0);
	PUT_AT(&d, 35, PP_TRACE_SLEEP, PP_WAIT_TASK, 0, 100, 0);
	PUT_AT(&d, 36, PP_TRACE_RAN, 0, 0, 100);
	PUT_BY(&d, 1, 2, 40, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 78, 0);
	PUT_BY(&d, 1, 2, 40, PP_TRACE_TASK_RUN, 0, label, 103);
	PUT_BY(&d, 1, 2, 50, PP_TRACE_CALL, PP_CALL_nanosleep, 0);
	PUT_BY(&d, 1, 2, 1050, PP_TRACE_CALL_END, PP_CALL_nanosleep, 0,
	    counts_here(&d.c, 1, 0x200));
	PUT_BY(&d, 1, 2, 1060, PP_TRACE_TASK_END, 0, 0, 103);
	PUT_BY(&d, 1, 2, 1070, PP_TRACE_WAIT, PP_WAIT_COND, 0);
	PUT_AT(&d, 1100, PP_TRACE_WAKE, PP_WAIT_TASK, 0, 100, 0);
	assert_string_equal(traced_emitted(&d),
	    "CREATE p0 GET /fib/\n"
	    "STOP p0 worker 1 event loop in [a handler runs]\n"
	    "START p0 GET /fib/\n"
	    "TASK p0 GET /fib/ \"GET /fib/\"\n"
	    "CREATE p0 task of GET /fib/\n"
	    "BLOCK p0 GET /fib/ in [task wait]\n"
	    "START p0 worker 1 event loop\n"
	    "WAKE p0 GET /fib/\n"
	    "UP p1 worker 1 thread 78\n"
	    "CREATE p1 worker 1 thread 78\n"
	    "START p1 worker 1 thread 78\n"
	    "STOP p1 worker 1 thread 78 in [a task runs]\n"
	    "START p1 task of GET /fib/\n"
	    "AWAY p1 task of GET /fib/ for 1000us in nanosleep\n"
	    "END p1 task of GET /fib/\n"
	    "START p1 worker 1 thread 78\n");
	/* Away at the end. */
	pp_tracer_stop(d.session);
	assert_non_null(strstr(traced_emitted(&d),
	    "GONE p1 worker 1 thread 78 in pthread_cond_wait\n"));
	traced_free(&d);
}

static void
tasks_regions_and_logs_of_the_application_are_its_requests(void **state)
{
	struct traced d = traced_new();
	uint64_t word;

	(void)state;
	traced_begin(&d);
	PUT_AT(&d, 10, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 77, 0);
	PUT_AT(&d, 20, PP_TRACE_RUN, 0, put_label(&d, 1), 100);
	traced_emitted(&d);
	memcpy(&word, "parse\0\0", 8);
	PUT_AT(&d, 30, PP_TRACE_USER_TASK, 5, 0, 4711, 0, word);
	PUT_AT(&d, 31, PP_TRACE_USER_REGION, 5, 0, 4711, word);
	PUT_AT(&d, 32, PP_TRACE_USER_LOG, 5, 3, 4711, word, 0x636261);
	PUT_AT(&d, 33, PP_TRACE_USER_REGION_END, 0, 0);
	/* Begun before the trace: nothing of it is told. */
	PUT_AT(&d, 34, PP_TRACE_USER_REGION_END, 0, 0);
	PUT_AT(&d, 35, PP_TRACE_USER_TASK_END, 0, 0, 4711);
	PUT_AT(&d, 36, PP_TRACE_USER_TASK_END, 0, 0, 4711);
	assert_string_equal(traced_emitted(&d),
	    "TASK p0 GET /fib/ \"parse\"\n"
	    "REGION p0 GET /fib/ \"parse\"\n"
	    "LOG p0 GET /fib/ \"parse\" abc\n"
	    "REGION_END p0 GET /fib/ \"parse\"\n"
	    "TASK_END p0 GET /fib/ \"parse\"\n");
	traced_free(&d);
}

static void
ends_that_were_lost_are_made_up_for(void **state)
{
	struct traced d = traced_new();
	uint32_t label = put_label(&d, 1);
	const char *told;

	(void)state;
	traced_begin(&d);
	PUT_AT(&d, 10, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 77, 0);
	PUT_AT(&d, 20, PP_TRACE_RUN, 0, label, 100);
	PUT_AT(&d, 30, PP_TRACE_RAN, 0, 0, 100);
	PUT_AT(&d, 40, PP_TRACE_DROPPED, 0, 0, 12);
	PUT_AT(&d, 50, PP_TRACE_RUN, 0, label, 103);
	/* The end of 103 is lost as well; 106 runs at once. */
	PUT_AT(&d, 60, PP_TRACE_RUN, 0, label, 106);
	told = traced_emitted(&d);
	assert_non_null(strstr(told,
	    "LOG p0 worker 1 event loop \"lost\" 12 events of this thread"));
	assert_non_null(strstr(told,
	    "START p0 GET /fib/\n"
	    "TASK p0 GET /fib/ \"GET /fib/\"\n"
	    "CREATE p0 GET /fib/\n"
	    "STOP p0 GET /fib/\n"
	    "START p0 worker 1 event loop\n"
	    "STOP p0 worker 1 event loop in [a handler runs]\n"
	    "START p0 GET /fib/\n"));
	PUT_AT(&d, 70, PP_TRACE_RAN, 1, 0, 106);
	PUT_AT(&d, 80, PP_TRACE_POLL, 0, 0);
	traced_emitted(&d);
	usleep(1200 * 1000);
	/* The slot knows of neither 100 nor 103: both are ended. */
	assert_string_equal(strchr(traced_emitted(&d), '\n'),
	    "\nSTOP p0 worker 1 event loop in [a handler runs]\n"
	    "START p0 GET /fib/\n"
	    "TASK_END p0 GET /fib/ \"GET /fib/\"\n"
	    "END p0 GET /fib/\n"
	    "START p0 worker 1 event loop\n"
	    "STOP p0 worker 1 event loop in [a handler runs]\n"
	    "START p0 GET /fib/\n"
	    "TASK_END p0 GET /fib/ \"GET /fib/\"\n"
	    "END p0 GET /fib/\n"
	    "START p0 worker 1 event loop\n");
	traced_free(&d);
}

static void
two_sessions_each_see_what_is_theirs(void **state)
{
	struct traced d = traced_new();
	struct pp_tracer_session *second;
	uint32_t label = put_label(&d, 1);
	struct traced other;

	(void)state;
	traced_begin(&d);
	PUT_AT(&d, 10, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 77, 0);
	PUT_AT(&d, 20, PP_TRACE_RUN, 0, label, 100);
	PUT_AT(&d, 30, PP_TRACE_SLEEP, PP_WAIT_PGSQL, 0, 100, 0);
	PUT_AT(&d, 40, PP_TRACE_RAN, 0, 0, 100);
	PUT_AT(&d, 50, PP_TRACE_POLL, 0, 0);
	traced_emitted(&d);
	other = d;
	memset(&other.lines, 0, sizeof(other.lines));
	second = pp_tracer_begin(d.tracer, traced_line, &other);
	assert_string_equal(traced_emitted(&d), "");
	PUT_AT(&d, 500, PP_TRACE_POLL_OUT, 1, 0);
	PUT_AT(&d, 510, PP_TRACE_WAKE, PP_WAIT_PGSQL, 0, 100, 0);
	traced_emitted(&d);
	assert_string_equal(traced_emitted(&other),
	    "EXISTS p0 worker 1 event loop\n"
	    "EXISTS p0 GET /fib/\n"
	    "BEGIN p0\n"
	    "HEAP p0\n"
	    "UP p0 worker 1 event loop\n"
	    "AWAY p0 worker 1 event loop for 450us in epoll_wait\n"
	    "WAKE p0 GET /fib/\n");
	pp_tracer_end(second);
	assert_true(d.c.f.arena->control.trace != 0);
	pp_tracer_end(d.session);
	assert_int_equal(d.c.f.arena->control.trace, 0);
	pp_buf_free(&other.lines);
	traced_free(&d);
}

/* 200 requests on two workers, with tasks, as a file. */
static struct pp_buf
busy_file(void)
{
	struct traced d = traced_new();
	struct pp_go *go;
	struct pp_buf bytes;
	uint32_t label[3], slot, i;
	uint64_t id;
	int64_t us;

	d.c.f.arena->slot[2].life.pid = PID;
	label[1] = put_label(&d, 1);
	label[2] = put_label(&d, 2);
	go = pp_go_new(pp_clock_mono(), 1 << 20);
	assert_non_null(go);
	d.session = pp_tracer_begin(d.tracer, pp_go_event, go);
	d.zero = pp_clock_mono();
	for (i = 0; i < 100; i++) {
		us = 10 + i * 100;
		for (slot = 1; slot < 3; slot++) {
			id = 1000 + 6 * i + slot;
			if (i == 0)
				PUT_BY(&d, slot, 0, 5, PP_TRACE_BEGIN, 0, 0,
				    (uint64_t)PID << 32 | slot, 0);
			PUT_BY(&d, slot, 0, us, PP_TRACE_RUN, 0, label[slot],
			    id);
			PUT_BY(&d, slot, 0, us + 2, PP_TRACE_TASK_QUEUED, 0,
			    label[slot], id + 3, id,
			    counts_here(&d.c, slot, 0x100));
			PUT_BY(&d, slot, 0, us + 3, PP_TRACE_SLEEP,
			    PP_WAIT_TASK, 0, id,
			    counts_here(&d.c, slot, 0x110));
			PUT_BY(&d, slot, 0, us + 4, PP_TRACE_RAN, 0, 0, id);
			PUT_BY(&d, slot, 0, us + 5, PP_TRACE_POLL, 0, 0);
			PUT_BY(&d, slot, 3, us + 4, PP_TRACE_TASK_RUN, 0,
			    label[slot], id + 3);
			PUT_BY(&d, slot, 3, us + 40, PP_TRACE_TASK_END, 0, 0,
			    id + 3);
			PUT_BY(&d, slot, 0, us + 50, PP_TRACE_POLL_OUT, 1, 0);
			PUT_BY(&d, slot, 0, us + 51, PP_TRACE_WAKE,
			    PP_WAIT_TASK, 0, id,
			    counts_here(&d.c, slot, 0x120));
			PUT_BY(&d, slot, 0, us + 55, PP_TRACE_RUN, 0,
			    label[slot], id);
			PUT_BY(&d, slot, 0, us + 60, PP_TRACE_RAN, 1, 0, id);
		}
		if (i % 10 == 9)
			pp_tracer_tick(d.tracer, pp_clock_mono());
	}
	assert_int_equal(pp_tracer_lost(d.session), 0);
	bytes = traced_file(&d, d.session, go);
	traced_free(&d);
	return (bytes);
}

static void
the_file_is_valid_and_has_every_request_and_task(void **state)
{
	struct pp_buf bytes = busy_file();
	const char *said = traced_check(&bytes);

	(void)state;
	assert_true(go_says(said, "G GET /fib/ 200 "));
	assert_true(go_says(said, "G task of GET /fib/ 200 "));
	assert_true(go_says(said, "GoEnd 400 "));
	assert_true(go_says(said, "UserTaskCreate 200 "));
	assert_true(go_says(said, "UserTaskEnd 200 "));
	pp_buf_free(&bytes);
}

static void
go_finds_the_time_that_requests_waited_for_tasks(void **state)
{
	struct pp_buf bytes = busy_file();
	const char *said;

	(void)state;
	/* 200 times from RAN to WAKE, 47 us. */
	said = go_ask(&bytes,
	    "sh -c 'go tool trace -pprof=sync bytes >sync && "
	    "go tool pprof -unit=us -top sync'");
	assert_true(go_says(said, "9400us 100% 100% 9400us 100% [task wait]"));
	/* 200 times 36 us of tasks, and what the requests ran. */
	said = go_ask(&bytes,
	    "sh -c 'go tool trace -pprof=net bytes >net && "
	    "go tool pprof -unit=us -top net'");
	assert_true(go_says(said, "epoll_wait"));
	pp_buf_free(&bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_runs_instead_of_its_loop),
		cmocka_unit_test(
		    a_request_that_was_put_to_sleep_sleeps_when_its_handler_returns),
		cmocka_unit_test(a_task_runs_on_its_thread_after_it_was_queued),
		cmocka_unit_test(
		    tasks_regions_and_logs_of_the_application_are_its_requests),
		cmocka_unit_test(ends_that_were_lost_are_made_up_for),
		cmocka_unit_test(two_sessions_each_see_what_is_theirs),
		cmocka_unit_test(
		    the_file_is_valid_and_has_every_request_and_task),
		cmocka_unit_test(
		    go_finds_the_time_that_requests_waited_for_tasks),
	};

	return (cmocka_run_group_tests(tests, go_prepare, go_clean));
}
