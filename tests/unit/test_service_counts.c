/*
 * Tests of service/endpoints/ep_counts.c, ep_goroutine.c and ep_custom.c:
 * statuses, headers and the order of checks as a Go service has them, and how
 * goroutine waits for threads without holding up anybody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decoded.h"
#include "service_fixture.h"

#define BAD_SECONDS                                                            \
	"invalid value for \"seconds\" - must be a positive integer\n"
#define BAD_BOTH "seconds and debug params are incompatible\n"
#define UNSUPPORTED                                                            \
	"\"seconds\" parameter is not supported for this profile type\n"

static int
setup(void **state)
{
	signal(SIGPROF, SIG_IGN);
	return (service_setup(state));
}

static void
custom_new(uint32_t slot, const char *name)
{
	struct pp_custom *custom = &c.f.arena->slot[slot].custom;

	strncpy(custom->name[custom->used++], name, PP_CUSTOM_NAME_MAX);
}

/* A thread that answers, or not. */
static struct pp_thread_facts *
thread(uint32_t place, uint32_t tid)
{
	struct pp_thread_facts *facts = &c.f.arena->slot[1].thread[place];

	facts->tid = tid;
	facts->started_ns = pp_clock_mono();
	return (facts);
}

static void
errors_are_gos_in_gos_order(void **state)
{
	static const struct {
		const char *path, *query;
		int status;
		const char *body;
	} row[] = {
		{ "/block/", "", 404, "Unknown profile\n" },
		{ "/goroutines", "seconds=1", 404, "Unknown profile\n" },
		{ "/block", "seconds=abc", 400, BAD_SECONDS },
		{ "/mutex", "seconds=-1", 400, BAD_SECONDS },
		{ "/goroutine", "seconds=0", 400, BAD_SECONDS },
		{ "/threadcreate", "seconds=1.5", 400, BAD_SECONDS },
		{ "/goroutine", "seconds=abc&debug=2", 400, BAD_SECONDS },
		{ "/block", "seconds=1&debug=1", 400, BAD_BOTH },
		{ "/mutex", "seconds=1&debug=1", 400, BAD_BOTH },
		{ "/goroutine", "seconds=1&debug=2", 400, BAD_BOTH },
		{ "/threadcreate", "seconds=1&debug=-1", 400, BAD_BOTH },
		{ "/db.connections", "seconds=abc&debug=1", 400, BAD_SECONDS },
		{ "/db.connections", "seconds=1&debug=1", 400, UNSUPPORTED },
		{ "/db.connections", "seconds=1", 400, UNSUPPORTED },
	};
	struct pp_answer answer;
	size_t i;

	(void)state;
	custom_new(1, "db.connections");
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		answer = get(row[i].path, row[i].query);
		assert_int_equal(answer.status, row[i].status);
		assert_string_equal(answer.headers.data, ERROR);
		assert_string_equal(answer.body.data, row[i].body);
		pp_answer_free(&answer);
	}
	c.f.arena->slot[1].custom.used = 0;
}

/* debug= above 0 is text; below, Go sends binary under a text's headers. */
static void
snapshots_have_gos_headers_and_forms(void **state)
{
	static const struct {
		const char *path, *query, *headers, *begins;
	} row[] = {
		{ "/block", "", BINARY SNIFF ATTACHED("block"), "\x1f\x8b" },
		{ "/mutex", "debug=0", BINARY SNIFF ATTACHED("mutex"),
		    "\x1f\x8b" },
		{ "/goroutine", "debug=x", BINARY SNIFF ATTACHED("goroutine"),
		    "\x1f\x8b" },
		{ "/threadcreate", "", BINARY SNIFF ATTACHED("threadcreate"),
		    "\x1f\x8b" },
		{ "/a\"b\\c", "", BINARY SNIFF ATTACHED("a_b_c"), "\x1f\x8b" },
		{ "/block", "debug=1", PLAIN SNIFF, "--- contention:\n" },
		{ "/mutex", "debug=2", PLAIN SNIFF, "--- mutex:\n" },
		{ "/goroutine", "debug=1", PLAIN SNIFF,
		    "goroutine profile: total 0\n" },
		{ "/goroutine", "debug=2", PLAIN SNIFF, "# 0 in progress\n" },
		{ "/threadcreate", "debug=2", PLAIN SNIFF,
		    "threadcreate profile: total 1\n" },
		{ "/a%22b%5cc", "debug=1", PLAIN SNIFF,
		    "a\"b\\c profile: total 0\n" },
		{ "/goroutine", "debug=-1", PLAIN SNIFF, "\x1f\x8b" },
	};
	struct pp_answer answer;
	size_t i;

	(void)state;
	custom_new(1, "a\"b\\c");
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		answer = get(row[i].path, row[i].query);
		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.headers.data, row[i].headers);
		if (strncmp(answer.body.data, row[i].begins,
			strlen(row[i].begins)) != 0)
			fail_msg("%s?%s: %s", row[i].path, row[i].query,
			    answer.body.data);
		pp_answer_free(&answer);
	}
	c.f.arena->slot[1].custom.used = 0;
}

static void
goroutine_asks_and_is_written_when_all_have_answered(void **state)
{
	struct pp_request r = request(PP_METHOD_GET, "/goroutine", "");
	struct pp_thread_facts *facts = thread(0, (uint32_t)getpid());
	uint32_t dump = c.f.arena->control.dump;
	struct pp_answer answer;
	struct pp_task *task;
	struct decoded d;
	int64_t now;

	(void)state;
	task = pp_service_begin(service, &r);
	assert_int_equal(c.f.arena->control.dump, dump + 1);
	now = pp_clock_mono();
	assert_true(pp_task_deadline(task) > now);
	assert_true(pp_task_deadline(task) <= now + 100 * PP_NS_PER_MS);
	assert_true(pp_service_tick(service, now) <= now + 2 * PP_NS_PER_MS);
	assert_true(pp_task_deadline(task) > now);
	facts->dumped = dump + 1;
	pp_service_tick(service, pp_clock_mono());
	assert_int_equal(pp_task_deadline(task), 0);
	answer = finish(task);
	assert_int_equal(answer.status, 200);
	d = decode(&answer.body);
	check_rules(d.wire);
	assert_int_equal(d.wire->n_sample, 1);
	decoded_free(&d);
	pp_answer_free(&answer);
	facts->tid = 0;
}

static void
goroutine_waits_100_ms_for_who_does_not_answer_and_no_longer(void **state)
{
	struct pp_request r = request(PP_METHOD_GET, "/goroutine", "debug=1");
	struct pp_thread_facts *facts = thread(0, (uint32_t)getpid());
	struct pp_answer answer;
	struct pp_task *task;

	(void)state;
	task = pp_service_begin(service, &r);
	pp_service_tick(service, pp_clock_mono());
	assert_true(pp_task_deadline(task) > 0);
	pp_service_tick(service, pp_clock_mono() + 101 * PP_NS_PER_MS);
	assert_int_equal(pp_task_deadline(task), 0);
	answer = finish(task);
	assert_non_null(
	    strstr(answer.body.data, "\"state\":\"not answering\""));
	pp_answer_free(&answer);
	/* A client that goes away meanwhile leaves nothing behind. */
	task = pp_service_begin(service, &r);
	pp_task_cancel(task);
	assert_true(LIST_EMPTY(&service->tasks));
	facts->tid = 0;
}

/* Both readings are asked for; what is new in the second is the answer. */
static void
a_delta_of_goroutine_asks_twice(void **state)
{
	struct pp_request r = request(PP_METHOD_GET, "/goroutine", "seconds=2");
	struct pp_inflights *inflights = &c.f.arena->slot[1].inflights;
	uint32_t dump = c.f.arena->control.dump;
	struct pp_answer answer;
	struct pp_task *task;
	struct decoded d;
	int64_t due;

	(void)state;
	task = pp_service_begin(service, &r);
	assert_int_equal(c.f.arena->control.dump, dump + 1);
	pp_service_tick(service, pp_clock_mono());
	due = pp_task_deadline(task);
	assert_true(due > pp_clock_mono() + PP_NS_PER_SEC);
	inflights->inflight[1].started_ns = 1;
	inflights->inflight[1].state = PP_WAIT_SLEEP;
	inflights->inflight[1].id = 4;
	inflights->used = 2;
	pp_service_tick(service, due);
	assert_int_equal(c.f.arena->control.dump, dump + 2);
	pp_service_tick(service, pp_clock_mono());
	assert_int_equal(pp_task_deadline(task), 0);
	answer = finish(task);
	assert_string_equal(answer.headers.data,
	    BINARY SNIFF ATTACHED("goroutine-delta"));
	d = decode(&answer.body);
	check_rules(d.wire);
	assert_int_equal(d.wire->n_sample, 1);
	assert_int_equal(d.wire->sample[0]->value[0], 1);
	assert_true(d.wire->duration_nanos > 0);
	decoded_free(&d);
	pp_answer_free(&answer);
	inflights->used = 0;
}

static void
a_delta_of_block_is_due_after_its_seconds_and_asks_nobody(void **state)
{
	struct pp_request r = request(PP_METHOD_GET, "/block", "seconds=3");
	uint32_t dump = c.f.arena->control.dump;
	struct pp_answer answer;
	struct pp_task *task;
	struct decoded d;
	int64_t left;

	(void)state;
	counts_add(&c.f.arena->slot[1].block, PP_WAIT_SEM, 0, 0, 256, 5);
	task = pp_service_begin(service, &r);
	left = pp_task_deadline(task) - pp_clock_mono();
	assert_true(left > 2 * PP_NS_PER_SEC && left <= 3 * PP_NS_PER_SEC);
	counts_add(&c.f.arena->slot[1].block, PP_WAIT_SEM, 0, 0, 512, 90);
	answer = finish(task);
	assert_string_equal(answer.headers.data,
	    BINARY SNIFF ATTACHED("block-delta"));
	d = decode(&answer.body);
	check_rules(d.wire);
	assert_int_equal(d.wire->n_sample, 1);
	assert_int_equal(d.wire->sample[0]->value[0], 2);
	assert_int_equal(d.wire->sample[0]->value[1], 90);
	decoded_free(&d);
	pp_answer_free(&answer);
	assert_int_equal(c.f.arena->control.dump, dump);
}

static void
the_index_counts_and_links_the_applications_own(void **state)
{
	struct pp_answer answer;

	(void)state;
	custom_new(1, "db.connections");
	custom_new(1, "<a>?b#c");
	counts_add(&c.f.arena->slot[1].custom.counters, 0, 0, 0, 7, 2);
	(void)thread(0, (uint32_t)getpid());
	answer = get("/", "");
	assert_non_null(strstr(answer.body.data,
	    ">5</td><td><a href=\"db.connections?debug=1\">db.connections"
	    "</a>"));
	assert_non_null(strstr(answer.body.data,
	    "<a href=\"%3ca%3e%3fb%23c?debug=1\">&lt;a&gt;?b#c</a>"));
	assert_non_null(strstr(answer.body.data,
	    ">1</td><td><a href=\"goroutine?debug=1\">"));
	assert_non_null(strstr(answer.body.data,
	    ">1</td><td><a href=\"threadcreate?debug=1\">"));
	assert_non_null(
	    strstr(answer.body.data, "<a href=\"goroutine?debug=2\">"));
	pp_answer_free(&answer);
	answer = get("/%3Ca%3E%3Fb%23c", "debug=1");
	assert_int_equal(answer.status, 200);
	pp_answer_free(&answer);
	answer = get("/%3Ca%3E%3Fb%23", "debug=1");
	assert_int_equal(answer.status, 404);
	pp_answer_free(&answer);
	c.f.arena->slot[1].thread[0].tid = 0;
	c.f.arena->slot[1].custom.used = 0;
}

/* An endpoint's name is the endpoint's. */
static void
an_own_profile_does_not_hide_an_endpoint(void **state)
{
	struct pp_answer answer;

	(void)state;
	custom_new(1, "block");
	answer = get("/block", "debug=1");
	assert_int_equal(strncmp(answer.body.data, "--- contention:\n", 16), 0);
	pp_answer_free(&answer);
	c.f.arena->slot[1].custom.used = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_gos_in_gos_order),
		cmocka_unit_test(snapshots_have_gos_headers_and_forms),
		cmocka_unit_test(
		    goroutine_asks_and_is_written_when_all_have_answered),
		cmocka_unit_test(
		    goroutine_waits_100_ms_for_who_does_not_answer_and_no_longer),
		cmocka_unit_test(a_delta_of_goroutine_asks_twice),
		cmocka_unit_test(
		    a_delta_of_block_is_due_after_its_seconds_and_asks_nobody),
		cmocka_unit_test(
		    the_index_counts_and_links_the_applications_own),
		cmocka_unit_test(an_own_profile_does_not_hide_an_endpoint),
	};

	return (cmocka_run_group_tests(tests, setup, service_teardown));
}
