/*
 * Tests of store/routes.h, capture/route_count.c, counts/route_sums.c and
 * service/endpoints/ep_routes.c: requests counted by route, summed over
 * workers, as JSON. That the numbers are those of real requests is for
 * test_live.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture/route_count.h"
#include "capture/self.h"
#include "go_pprof.h"
#include "service_fixture.h"
#include "store/routes.h"

static int
setup(void **state)
{
	signal(SIGPROF, SIG_IGN);
	if (service_setup(state) == -1)
		return (-1);
	pp_self.slot = &c.f.arena->slot[1];
	pp_route_count_start();
	return (0);
}

static int
teardown(void **state)
{
	pp_self.slot = NULL;
	return (service_teardown(state));
}

static uint32_t
label(uint32_t slot, const char *text, size_t len)
{
	return (fixture_label(&c.f, slot, text, len));
}
#define LABEL(slot, text) label(slot, text, sizeof(text))

#define FIB		  "http.route\0/fib/\0http.method\0GET"
#define FIB_DB		  "http.route\0/fib/\0http.method\0GET\0db\0main"
#define POST		  "http.route\0/fib/\0http.method\0POST"

static const struct pp_counts_route *
sum_of(const char *route, const char *method)
{
	const struct pp_counts_route *sum;
	uint32_t count, i;

	sum = pp_counts_routes_read(service->routes, service->heap, &count);
	for (i = 0; i < count; i++) {
		if (route == NULL ? sum[i].route == NULL
				  : sum[i].route != NULL &&
			    strcmp(sum[i].route, route) == 0 &&
			    strcmp(sum[i].method, method) == 0)
			return (&sum[i]);
	}
	return (NULL);
}

static void
each_time_has_one_bucket(void **state)
{
	uint64_t ns, begin = 0, end;
	uint32_t time;

	(void)state;
	for (time = 0; time + 1 < PP_ROUTE_TIMES; time++) {
		end = pp_route_time_end(time);
		assert_true(end > begin);
		assert_true(time == 0 || end - begin <= begin / 8);
		assert_int_equal(pp_route_time(begin), time);
		assert_int_equal(pp_route_time(end - 1), time);
		begin = end;
	}
	assert_int_equal(pp_route_time(begin), PP_ROUTE_TIMES - 1);
	assert_int_equal(pp_route_time(UINT64_MAX), PP_ROUTE_TIMES - 1);
	assert_int_equal(pp_route_time_end(PP_ROUTE_TIMES - 1), 0);
	assert_true(begin == 1ULL << PP_ROUTE_TIME_LAST);
	for (ns = 1; ns < begin; ns = ns * 5 / 4 + 1)
		assert_true(ns < pp_route_time_end(pp_route_time(ns)));
}

static void
a_full_table_counts_in_row_0(void **state)
{
	struct pp_routes *table = &c.f.arena->slot[1].routes;
	uint32_t i, in_row_0 = 0;

	(void)state;
	assert_ptr_equal(pp_routes_at(table, 0), &table->counter[0]);
	for (i = 1; i <= 2 * PP_ROUTES_MAX; i++) {
		pp_route_count_begin(i);
		if (pp_routes_at(table, i) == &table->counter[0])
			in_row_0++;
		else
			assert_int_equal(pp_routes_at(table, i)->label, i);
	}
	assert_int_equal(pp_routes_used(table), PP_ROUTES_MAX + 1);
	assert_int_equal(in_row_0, PP_ROUTES_MAX);
	assert_int_equal(table->counter[0].begun, PP_ROUTES_MAX);
	table->used = UINT32_MAX;
	assert_int_equal(pp_routes_used(table), PP_ROUTES_MAX + 1);
}

static void
workers_are_summed_by_route_and_method(void **state)
{
	uint32_t one = LABEL(1, FIB), db = LABEL(1, FIB_DB),
		 post = LABEL(1, POST), two;
	const struct pp_counts_route *sum;
	int64_t now = pp_clock_mono();

	(void)state;
	(void)LABEL(2, POST); /* so that the ids differ */
	two = LABEL(2, FIB);
	assert_int_not_equal(one, two);
	c.f.arena->slot[2].life.pid = 1;
	pp_route_count_begin(one);
	pp_route_count_begin(db);
	pp_route_count_begin(post);
	pp_route_count_ran(one, now - 5000000, 1, now - 20000000);
	pp_route_count_ran(db, now - 1000, 0, now - 1000);
	pp_self.slot = &c.f.arena->slot[2];
	pp_route_count_start();
	pp_route_count_begin(two);
	pp_route_count_begin(two);
	pp_route_count_ran(two, now - 3000000, 1, now - 3000000);
	pp_route_count_abandon(two);

	sum = sum_of("/fib/", "GET");
	assert_non_null(sum);
	assert_int_equal(sum->requests, 2);
	assert_int_equal(sum->in_flight, 1);
	assert_int_equal(sum->abandoned, 1);
	assert_in_range(sum->ns, 23000000, 1000000000);
	assert_in_range(sum->running_ns, 8001000, sum->ns);
	sum = sum_of("/fib/", "POST");
	assert_int_equal(sum->requests, 0);
	assert_int_equal(sum->in_flight, 1);
	assert_null(sum_of("/fib/", "HEAD"));
}

static void
what_a_dead_worker_had_in_progress_is_over(void **state)
{
	uint32_t one = LABEL(1, FIB);
	const struct pp_counts_route *sum;
	int64_t now = pp_clock_mono();
	int turn;

	(void)state;
	pp_route_count_begin(one);
	pp_route_count_begin(one);
	pp_route_count_ran(one, now, 1, now);
	assert_int_equal(sum_of("/fib/", "GET")->in_flight, 1);
	/* Dead; then its successor begins; then it works. */
	for (turn = 0; turn < 3; turn++) {
		c.f.arena->slot[1].life.pid = turn == 0 ? 0 : 1;
		if (turn == 1)
			pp_route_count_start();
		sum = sum_of("/fib/", "GET");
		assert_int_equal(sum->requests, 1);
		assert_int_equal(sum->in_flight, 0);
		assert_int_equal(sum->abandoned, 1);
	}
	pp_route_count_begin(one);
	pp_route_count_ran(one, now, 1, now);
	assert_int_equal(sum_of("/fib/", "GET")->requests, 2);
	c.f.arena->slot[1].life.pid = (int32_t)getpid();
}

static void
lies_are_harmless(void **state)
{
	struct pp_routes *table = &c.f.arena->slot[1].routes;
	const struct pp_counts_route *sum;
	uint32_t i;

	(void)state;
	table->used = 0xfffffff0;
	for (i = 0; i < 2 * PP_ROUTES_MAX; i++)
		table->index[i] = 0xfffffff0 + i % 16;
	assert_ptr_equal(pp_routes_at(table, 7), &table->counter[0]);
	for (i = 0; i <= PP_ROUTES_MAX; i++) {
		table->counter[i].label = i * 0x01234567;
		table->counter[i].begun = UINT64_MAX;
		table->counter[i].abandoned = i;
	}
	sum = sum_of(NULL, NULL);
	assert_non_null(sum);
	assert_true(sum->in_flight > 0);
}

static void
cpu_time_is_told_while_it_is_sampled(void **state)
{
	uint32_t one = LABEL(1, FIB);
	struct pp_answer answer;

	(void)state;
	pp_route_count_begin(one);
	pp_counts_routes_cpu(service->routes, 1, one, 7000);
	pp_counts_routes_cpu(service->routes, 1, 0, 11);
	pp_counts_routes_cpu(service->routes, 1, UINT64_MAX, 2);
	assert_int_equal(sum_of("/fib/", "GET")->cpu_ns, 7000);
	assert_int_equal(sum_of(NULL, NULL)->cpu_ns, 13);
	answer = get("/routes", "");
	assert_non_null(strstr(answer.body.data, "\"cpu_ns\":null"));
	pp_answer_free(&answer);
	service->cpu_profiles = 1;
	answer = get("/routes", "");
	assert_non_null(strstr(answer.body.data, "\"cpu_ns\":7000"));
	pp_answer_free(&answer);
	service->cpu_profiles = 0;
}

static void
the_answer_is_json_whatever_a_route_holds(void **state)
{
	uint32_t evil =
	    LABEL(1, "http.route\0</script>\"\\\n\xff%\0http.method\0GET");
	int64_t now = pp_clock_mono();
	struct pp_answer answer;
	const char *said;

	(void)state;
	pp_route_count_begin(evil);
	pp_route_count_ran(evil, now, 1, now - 20000000);
	answer = get("/routes", "x=y");
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.headers.data,
	    "content-type: application/json\n" SNIFF
	    "cache-control: no-store\n");
	said = go_ask(&answer.body,
	    "python3 -c \"import sys, json\n"
	    "d = json.load(sys.stdin.buffer)\n"
	    "none, evil = d['routes']\n"
	    "assert none['route'] is None and none['requests'] == 0\n"
	    "assert d['now_ns'] > d['cpu_since_ns'] > 0\n"
	    "assert [w['worker'] for w in d['workers']] == [1, 2]\n"
	    "(bucket, count), = evil['times']\n"
	    "bounds = d['bounds_ns']\n"
	    "assert bounds[bucket - 1] <= evil['ns'] < bounds[bucket], evil\n"
	    "assert evil['requests'] == count == 1\n"
	    "sys.stdout.buffer.write(evil['route'].encode())\"");
	assert_string_equal(said, "</script>\"\\\n\xef\xbf\xbd%");
	pp_answer_free(&answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_time_has_one_bucket),
		TEST(a_full_table_counts_in_row_0),
		TEST(workers_are_summed_by_route_and_method),
		TEST(what_a_dead_worker_had_in_progress_is_over),
		TEST(lies_are_harmless),
		TEST(cpu_time_is_told_while_it_is_sampled),
		TEST(the_answer_is_json_whatever_a_route_holds),
	};

	return (
	    cmocka_run_group_tests_name("routes", tests, go_prepare, go_clean));
}
