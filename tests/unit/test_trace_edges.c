/*
 * Tests of trace/tracer_snapshot.c and tracer_show.c: what is there when
 * recording begins, threads and workers that end.
 */
#include "trace_fixture.h"

/* A request or a task in progress, since a second. */
static struct pp_inflight *
put_inflight(struct traced *d, uint32_t entry, uint64_t id, uint32_t tid)
{
	struct pp_inflights *inflights = &d->c.f.arena->slot[1].inflights;
	struct pp_inflight *inflight = &inflights->inflight[entry];

	if (inflights->used <= entry)
		inflights->used = entry + 1;
	inflight->label = put_label(d, 1);
	inflight->started_ns = pp_clock_mono() - PP_NS_PER_SEC;
	inflight->task = tid != 0;
	inflight->tid = tid;
	strcpy(inflight->path, "/fib/?n=90");
	inflight->id = id;
	return (inflight);
}

static struct pp_thread_facts *
put_thread(struct traced *d, uint32_t place, uint32_t tid)
{
	struct pp_slot *slot = &d->c.f.arena->slot[1];

	slot->threads_used = place + 1;
	slot->thread[place].tid = tid;
	return (&slot->thread[place]);
}

/* What its signal handler says. */
static void
put_seen(struct traced *d, struct pp_thread_facts *facts, uint64_t inflight,
    uint32_t call, uint32_t stack)
{
	facts->traced_inflight = inflight;
	facts->traced_call = call;
	facts->traced_stack = stack;
	facts->traced = d->c.f.arena->control.trace;
}

static void
what_ran_before_recording_began_is_there_from_the_begin(void **state)
{
	struct traced d = traced_new();
	struct pp_inflights *inflights = &d.c.f.arena->slot[1].inflights;
	const char *told;

	(void)state;
	inflights->used = 1;
	inflights->inflight[0].id = 100;
	inflights->inflight[0].label = put_label(&d, 1);
	inflights->inflight[0].started_ns = pp_clock_mono() - PP_NS_PER_SEC;
	strcpy(inflights->inflight[0].path, "/fib/?n=90");
	inflights->running = 100;
	traced_begin(&d);
	told = traced_emitted(&d);
	assert_non_null(strstr(told, "EXISTS p0 GET /fib/\n"));
	assert_non_null(strstr(told,
	    "UP p0 worker 1 event loop\n"
	    "START p0 GET /fib/\n"
	    "LOG p0 GET /fib/ \"path\" /fib/?n=90, in progress for 1.0"));
	/* Its handler returns, and it is not among what is in progress. */
	PUT_AT(&d, 500, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 77, 0);
	PUT_AT(&d, 500, PP_TRACE_SNAPSHOT, PP_WAIT_PGSQL, 0, 97, 0, 0, 0, 0);
	PUT_AT(&d, 510, PP_TRACE_POLL, 0, 0);
	assert_string_equal(traced_emitted(&d),
	    "CREATE p0 request\n"
	    "STOP p0 GET /fib/\n"
	    "START p0 request\n"
	    "BLOCK p0 request in [pgsql wait]\n"
	    "START p0 GET /fib/\n"
	    "END p0 GET /fib/\n"
	    "START p0 worker 1 event loop\n");
	traced_free(&d);
}

static void
a_task_that_runs_as_recording_begins_is_on_its_thread(void **state)
{
	struct traced d = traced_new();
	const char *told;

	(void)state;
	put_thread(&d, 2, 78);
	put_inflight(&d, 1, 103, 78);
	traced_begin(&d);
	told = traced_emitted(&d);
	assert_non_null(strstr(told, "EXISTS p0 task of GET /fib/\n"));
	assert_non_null(strstr(told,
	    "UP p1 worker 1 thread 78\n"
	    "START p1 task of GET /fib/\n"));
	PUT_BY(&d, 1, 2, 40, PP_TRACE_BEGIN, 1, 0, (uint64_t)PID << 32 | 78,
	    103);
	PUT_BY(&d, 1, 2, 40, PP_TRACE_CALL, PP_CALL_read, 0);
	PUT_BY(&d, 1, 2, 90, PP_TRACE_CALL_END, PP_CALL_read, 0, 0);
	PUT_BY(&d, 1, 2, 95, PP_TRACE_TASK_END, 0, 0, 103);
	assert_string_equal(traced_emitted(&d),
	    "AWAY p1 task of GET /fib/ for 50us in read\n"
	    "END p1 task of GET /fib/\n"
	    "START p1 worker 1 thread 78\n");
	traced_free(&d);
}

static void
a_task_that_began_as_recording_did_is_one(void **state)
{
	struct traced d = traced_new();
	uint32_t label = put_label(&d, 1);
	const char *told;

	(void)state;
	traced_begin(&d);
	traced_emitted(&d);
	put_thread(&d, 2, 78);
	put_thread(&d, 3, 79);
	PUT_AT(&d, 10, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 77, 0);
	PUT_AT(&d, 10, PP_TRACE_SNAPSHOT, 1 << 15, label, 103, 0, 0, 0, 78);
	PUT_AT(&d, 10, PP_TRACE_SNAPSHOT, 1 << 15, label, 109, 0, 0, 0, 79);
	PUT_BY(&d, 1, 2, 5, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 78, 0);
	PUT_BY(&d, 1, 2, 5, PP_TRACE_TASK_RUN, 0, label, 103);
	PUT_BY(&d, 1, 2, 95, PP_TRACE_TASK_END, 0, 0, 103);
	/* This one began before, and ends before it has said a word. */
	PUT_BY(&d, 1, 3, 95, PP_TRACE_BEGIN, 1, label, (uint64_t)PID << 32 | 79,
	    109);
	PUT_BY(&d, 1, 3, 95, PP_TRACE_TASK_END, 0, 0, 109);
	told = traced_emitted(&d);
	assert_non_null(strstr(told,
	    "STOP p1 worker 1 thread 78 in [a task runs]\n"
	    "START p1 task of GET /fib/\n"));
	assert_non_null(strstr(told,
	    "START p2 task of GET /fib/\n"
	    "END p1 task of GET /fib/\n"
	    "START p1 worker 1 thread 78\n"
	    "END p2 task of GET /fib/\n"));
	traced_free(&d);
}

static void
what_waits_in_a_call_as_recording_begins_does_not_run(void **state)
{
	struct traced d = traced_new();
	uint32_t stack;

	(void)state;
	put_inflight(&d, 0, 100, 0);
	d.c.f.arena->slot[1].inflights.running = 100;
	put_thread(&d, 2, 78);
	put_inflight(&d, 1, 103, 78);
	stack = counts_here(&d.c, 1, 0x100);
	traced_begin(&d);
	put_seen(&d, &d.c.f.arena->slot[1].thread[0], 100, 1, stack);
	put_seen(&d, &d.c.f.arena->slot[1].thread[2], 103, 0, 0);
	traced_emitted(&d);
	PUT_AT(&d, 5000, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 77, 0);
	PUT_AT(&d, 5000, PP_TRACE_SNAPSHOT, 0, 0, 100, 0, 0, 0, 0);
	assert_non_null(
	    strstr(traced_emitted(&d), "AWAY p0 GET /fib/ for 5000us"));
	/* What was seen to run does. */
	pp_tracer_stop(d.session);
	assert_non_null(
	    strstr(traced_emitted(&d), "STOP p1 task of GET /fib/\n"));
	traced_free(&d);
}

static void
a_task_that_ended_before_it_was_seen_ends(void **state)
{
	struct traced d = traced_new();

	(void)state;
	put_thread(&d, 2, 78);
	put_inflight(&d, 1, 103, 78);
	traced_begin(&d);
	traced_emitted(&d);
	put_seen(&d, &d.c.f.arena->slot[1].thread[2], 0, 1, 0);
	assert_string_equal(traced_emitted(&d),
	    "END p1 task of GET /fib/\n"
	    "START p1 worker 1 thread 78\n");
	traced_free(&d);
}

static void
a_worker_that_died_ends_what_it_did_and_the_next_begins_anew(void **state)
{
	struct traced d = traced_new();
	struct pp_life *life = &d.c.f.arena->slot[1].life;
	uint32_t label = put_label(&d, 1);

	(void)state;
	traced_begin(&d);
	PUT_AT(&d, 10, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 77, 0);
	PUT_AT(&d, 20, PP_TRACE_RUN, 0, label, 100);
	traced_emitted(&d);
	life->pid = 0;
	life->last_status = SIGKILL;
	assert_string_equal(traced_emitted(&d),
	    "LOG p0 GET /fib/ \"worker\" worker 1 died: signal 9\n"
	    "TASK_END p0 GET /fib/ \"GET /fib/\"\n"
	    "END p0 GET /fib/\n"
	    "START p0 worker 1 event loop\n"
	    "END p0 worker 1 event loop\n"
	    "DOWN p0\n");
	assert_string_equal(traced_emitted(&d), "");
	life->pid = PID;
	PUT_AT(&d, 900, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 99, 0);
	assert_string_equal(traced_emitted(&d),
	    "UP p0 worker 1 event loop\n"
	    "CREATE p0 worker 1 event loop\n"
	    "START p0 worker 1 event loop\n");
	traced_free(&d);
}

static void
a_thread_that_ends_goes_down_and_its_place_is_anothers(void **state)
{
	struct traced d = traced_new();

	(void)state;
	traced_begin(&d);
	traced_emitted(&d);
	PUT_BY(&d, 1, 2, 10, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 78, 0);
	PUT_BY(&d, 1, 2, 10, PP_TRACE_WAIT, PP_WAIT_MUTEX, 0);
	PUT_BY(&d, 1, 2, 20, PP_TRACE_WAIT_END, PP_WAIT_MUTEX, 0, 0);
	PUT_BY(&d, 1, 2, 30, PP_TRACE_LEAVE, 0, 0);
	/* Twice is once. */
	PUT_BY(&d, 1, 2, 30, PP_TRACE_LEAVE, 0, 0);
	assert_string_equal(traced_emitted(&d),
	    "UP p1 worker 1 thread 78\n"
	    "CREATE p1 worker 1 thread 78\n"
	    "START p1 worker 1 thread 78\n"
	    "AWAY p1 worker 1 thread 78 for 10us in pthread_mutex_lock\n"
	    "END p1 worker 1 thread 78\n"
	    "DOWN p1\n");
	PUT_BY(&d, 1, 2, 40, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 79, 0);
	/* The word that it left was lost. */
	PUT_BY(&d, 1, 2, 50, PP_TRACE_BEGIN, 0, 0, (uint64_t)PID << 32 | 80, 0);
	assert_string_equal(traced_emitted(&d),
	    "UP p1 worker 1 thread 79\n"
	    "CREATE p1 worker 1 thread 79\n"
	    "START p1 worker 1 thread 79\n"
	    "END p1 worker 1 thread 79\n"
	    "DOWN p1\n"
	    "UP p1 worker 1 thread 80\n"
	    "CREATE p1 worker 1 thread 80\n"
	    "START p1 worker 1 thread 80\n");
	traced_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_ran_before_recording_began_is_there_from_the_begin),
		cmocka_unit_test(
		    a_task_that_runs_as_recording_begins_is_on_its_thread),
		cmocka_unit_test(a_task_that_began_as_recording_did_is_one),
		cmocka_unit_test(
		    what_waits_in_a_call_as_recording_begins_does_not_run),
		cmocka_unit_test(a_task_that_ended_before_it_was_seen_ends),
		cmocka_unit_test(
		    a_worker_that_died_ends_what_it_did_and_the_next_begins_anew),
		cmocka_unit_test(
		    a_thread_that_ends_goes_down_and_its_place_is_anothers),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
