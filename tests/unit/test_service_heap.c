/*
 * Tests of service/endpoints/named.c and ep_heap.c: statuses, headers and
 * bodies of heap and allocs as a Go service gives them, deltas, and waiting for
 * workers without holding up anybody.
 *
 * Worker 1 is this process, which nobody signals and which answers when the
 * test does it by hand; worker 2 does not run.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decoded.h"
#include "heap_counters_fixture.h"
#include "own_objects.h"
#include "service/endpoints.h"
#include "service/service.h"

#define PLAIN  "content-type: text/plain; charset=utf-8\n"
#define BINARY "content-type: application/octet-stream\n"
#define SNIFF  "x-content-type-options: nosniff\n"
#define ERROR  PLAIN SNIFF "x-go-pprof: 1\n"
#define ATTACHED(name)                                                         \
	"content-disposition: attachment; filename=\"" name "\"\n"

#define BAD_SECONDS                                                            \
	"invalid value for \"seconds\" - must be a positive integer\n"
#define BAD_BOTH "seconds and debug params are incompatible\n"

static struct heap h; /* its arena is this test's own */
static struct pp_symbols *symbols;
static struct pp_service *service;

static int
setup(void **state)
{
	(void)state;
	signal(SIGPROF, SIG_IGN);
	h.f.arena = own_arena(&h.f.fd);
	symbols = pp_symbols_new();
	assert_non_null(h.f.arena);
	assert_non_null(symbols);
	h.f.arena->control.heap_rate = RATE;
	service = pp_service_new(h.f.arena, h.f.fd, symbols);
	return (service == NULL ? -1 : 0);
}

static int
teardown(void **state)
{
	(void)state;
	pp_service_free(service);
	pp_symbols_free(symbols);
	pp_arena_detach(h.f.arena, h.f.arena->size);
	close(h.f.fd);
	return (0);
}

static struct pp_task *
begin(const char *path, const char *query)
{
	struct pp_request r = { .method = PP_METHOD_GET,
		.prefix = "/debug/pprof",
		.path = path,
		.query = query };
	struct pp_task *task = pp_service_begin(service, &r);

	assert_non_null(task);
	return (task);
}

static struct pp_answer
finish(struct pp_task *task)
{
	struct pp_answer answer = { 0 };

	pp_task_finish(task, &answer);
	pp_buf_append(&answer.headers, "", 1);
	pp_buf_append(&answer.body, "", 1);
	answer.body.len--;
	return (answer);
}

/* What is answered at once. */
static struct pp_answer
get(const char *path, const char *query)
{
	struct pp_task *task = begin(path, query);

	assert_int_equal(pp_task_deadline(task), 0);
	return (finish(task));
}

/* As a worker's event loop would. */
static void
answer_memory(uint64_t used)
{
	struct pp_memory_facts *facts = &h.f.arena->slot[1].memory;

	facts->malloc_used = used;
	facts->pools = 1;
	facts->pool[0] = (struct pp_pool_facts){ "block-8", 24, 100, 7 };
	atomic_store(&facts->answered, h.f.arena->control.ask);
}

static void
errors_are_gos_in_gos_order(void **state)
{
	static const struct {
		const char *path, *query;
		int status;
		const char *body;
	} counter[] = {
		{ "/heap/", "", 404, "Unknown profile\n" },
		{ "/allocs/", "seconds=1", 404, "Unknown profile\n" },
		{ "/heaps", "", 404, "Unknown profile\n" },
		{ "/heap", "seconds=abc", 400, BAD_SECONDS },
		{ "/heap", "seconds=-1", 400, BAD_SECONDS },
		{ "/heap", "seconds=0", 400, BAD_SECONDS },
		{ "/heap", "seconds=1.5", 400, BAD_SECONDS },
		{ "/heap", "seconds=%201", 400, BAD_SECONDS },
		{ "/heap", "seconds=99999999999999999999", 400, BAD_SECONDS },
		{ "/allocs", "seconds=abc&debug=1", 400, BAD_SECONDS },
		{ "/allocs", "seconds=0&seconds=1", 400, BAD_SECONDS },
		{ "/heap", "seconds=1&debug=1", 400, BAD_BOTH },
		{ "/heap", "seconds=1&debug=-1", 400, BAD_BOTH },
		{ "/heap", "seconds=1&debug=99999999999999999999", 400,
		    BAD_BOTH },
		{ "/heap", "seconds=86401&debug=1", 400,
		    "invalid value \"86401\" for \"seconds\" - must be at "
		    "most 86400\n" },
	};
	struct pp_answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(counter) / sizeof(counter[0]); i++) {
		answer = get(counter[i].path, counter[i].query);
		assert_int_equal(answer.status, counter[i].status);
		assert_string_equal(answer.headers.data, ERROR);
		assert_string_equal(answer.body.data, counter[i].body);
		pp_answer_free(&answer);
	}
}

static void
only_get_and_head_are_taken(void **state)
{
	struct pp_request r = { .method = PP_METHOD_POST,
		.prefix = "/debug/pprof",
		.path = "/heap",
		.query = "" };
	struct pp_answer answer = finish(pp_service_begin(service, &r));

	(void)state;
	assert_int_equal(answer.status, 405);
	pp_answer_free(&answer);
	r.method = PP_METHOD_HEAD;
	answer = finish(pp_service_begin(service, &r));
	assert_int_equal(answer.status, 200);
	assert_true(answer.body.len > 2);
	pp_answer_free(&answer);
}

static void
a_snapshot_is_a_gzipped_attachment_that_needs_nobody(void **state)
{
	static const struct {
		const char *path, *query, *headers, *type;
	} counter[] = {
		{ "/heap", "", BINARY SNIFF ATTACHED("heap"), "inuse_space" },
		{ "/allocs", "", BINARY SNIFF ATTACHED("allocs"),
		    "alloc_space" },
		{ "/heap", "debug=0&seconds=&gc=0",
		    BINARY SNIFF ATTACHED("heap"), "inuse_space" },
		{ "/heap", "debug=abc&gc=-1", BINARY SNIFF ATTACHED("heap"),
		    "inuse_space" },
		{ "/allocs", "gc=1", BINARY SNIFF ATTACHED("allocs"),
		    "alloc_space" },
	};
	uint32_t asked = h.f.arena->control.ask;
	struct pp_answer answer;
	struct decoded d;
	size_t i;

	(void)state;
	heap_put(&h, 1, 0, 0, 32, RATE, 3, 1);
	for (i = 0; i < sizeof(counter) / sizeof(counter[0]); i++) {
		answer = get(counter[i].path, counter[i].query);
		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.headers.data, counter[i].headers);
		d = decode(&answer.body);
		check_rules(d.wire);
		assert_int_equal(d.wire->n_sample, 1);
		assert_int_equal(d.wire->sample[0]->value[0], 49154);
		assert_int_equal(d.wire->sample[0]->value[3], 1048608);
		assert_text(d.wire, d.wire->default_sample_type,
		    counter[i].type);
		assert_int_equal(d.wire->period, RATE);
		assert_int_equal(d.wire->duration_nanos, 0);
		assert_true(d.wire->time_nanos > 0);
		decoded_free(&d);
		pp_answer_free(&answer);
	}
	assert_int_equal(h.f.arena->control.ask, asked);
}

static void
a_delta_takes_its_time_and_has_what_changed(void **state)
{
	int64_t before = pp_clock_mono(), deadline;
	struct pp_task *task = begin("/allocs", "seconds=7&gc=1");
	struct pp_answer answer;
	struct decoded d;

	(void)state;
	deadline = pp_task_deadline(task) - 7 * PP_NS_PER_SEC;
	assert_true(deadline >= before && deadline <= pp_clock_mono());
	assert_int_equal(h.f.arena->control.ask_trim, 0);
	assert_true(service->kept > 0);
	heap_put(&h, 1, 0, 0, 32, RATE, 1, 2);
	heap_put(&h, 1, 0, 0, 4096, 1, 5, 5);
	/* Nothing wants to be called before its time. */
	assert_true(pp_service_tick(service, pp_clock_mono()) >
	    pp_clock_mono() + PP_NS_PER_SEC);
	answer = finish(task);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.headers.data,
	    BINARY SNIFF ATTACHED("allocs-delta"));
	d = decode(&answer.body);
	check_rules(d.wire);
	assert_int_equal(d.wire->n_sample, 2);
	/* In the order of the second reading: what is in use first. */
	assert_int_equal(d.wire->sample[0]->value[0], 16384);
	assert_int_equal(d.wire->sample[0]->value[2], -16384);
	assert_int_equal(d.wire->sample[0]->value[3], -524304);
	assert_int_equal(d.wire->sample[1]->value[0], 5);
	assert_int_equal(d.wire->sample[1]->value[1], 5 * 4096);
	assert_int_equal(d.wire->sample[1]->value[3], 0);
	assert_int_equal(d.wire->default_sample_type, 0);
	assert_true(d.wire->duration_nanos > 0 &&
	    d.wire->duration_nanos <= pp_clock_mono() - before);
	assert_true(pp_clock_wall() - d.wire->time_nanos < PP_NS_PER_SEC);
	decoded_free(&d);
	pp_answer_free(&answer);
	assert_int_equal(service->kept, 0);
}

static void
deltas_overlap_are_cancelled_and_are_bounded(void **state)
{
	struct pp_task *one = begin("/heap", "seconds=5"),
		       *two = begin("/heap", "seconds=9");
	struct pp_answer answer;
	uint32_t kept = service->kept;

	(void)state;
	pp_task_cancel(one);
	assert_int_equal(service->kept, kept / 2);
	answer = finish(two);
	assert_int_equal(answer.status, 200);
	pp_answer_free(&answer);
	service->kept = PP_DELTA_SAMPLES_MAX;
	answer = get("/heap", "seconds=1");
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.headers.data, ERROR);
	assert_non_null(strstr(answer.body.data, "1048576 is the most"));
	pp_answer_free(&answer);
	service->kept = 0;
}

static void
text_waits_for_answers_but_no_longer_than_it_must(void **state)
{
	static const char *const debug[] = { "debug=1", "debug=2", "debug=-1",
		"debug=99999999999999999999" };
	int64_t now, wait;
	struct pp_answer answer;
	struct pp_task *task;
	uint32_t asked;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(debug) / sizeof(debug[0]); i++) {
		asked = h.f.arena->control.ask;
		task = begin(i & 1 ? "/heap" : "/allocs", debug[i]);
		now = pp_clock_mono();
		wait = pp_task_deadline(task) - now;
		assert_true(wait > 0 && wait <= 100 * PP_NS_PER_MS);
		assert_int_equal(h.f.arena->control.ask, asked + 1);
		assert_int_equal(h.f.arena->control.ask_trim, 0);
		/* Nobody has answered: look again soon. */
		wait = pp_service_tick(service, now) - now;
		assert_true(wait > 0 && wait <= 5 * PP_NS_PER_MS);
		assert_true(pp_task_deadline(task) > now);
		answer_memory(1000 + i);
		pp_service_tick(service, pp_clock_mono());
		assert_int_equal(pp_task_deadline(task), 0);
		assert_int_equal(pp_named_state(task)->phase, PP_NAMED_READY);
		answer = finish(task);
		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.headers.data, PLAIN SNIFF);
		assert_int_equal(strncmp(answer.body.data,
				     "heap profile: ", 14),
		    0);
		assert_non_null(
		    strstr(answer.body.data, "\n# WorkersAnswered = 1\n"));
		assert_non_null(strstr(answer.body.data,
		    "\n# kore.pool.block-8 = 7 / 100 (24 bytes)\n"));
		assert_non_null(
		    strstr(answer.body.data, "\n# worker.2.Process = none"));
		pp_answer_free(&answer);
	}
}

static void
a_worker_that_does_not_answer_is_named_and_not_waited_for(void **state)
{
	struct pp_task *task = begin("/heap", "debug=1");
	int64_t due = pp_task_deadline(task);
	struct pp_answer answer;

	(void)state;
	pp_service_tick(service, due + 1);
	assert_true(pp_task_deadline(task) <= due);
	assert_int_equal(pp_named_state(task)->phase, PP_NAMED_READY);
	answer = finish(task);
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.body.data, "\n# WorkersAnswered = 0\n"));
	assert_non_null(strstr(answer.body.data, "\n# worker.1.Answered = no"));
	assert_null(strstr(answer.body.data, "MallocUsed"));
	pp_answer_free(&answer);
	/* With nobody to ask nothing is waited for. */
	h.f.arena->slot[1].life.pid = 0;
	answer = get("/heap", "debug=1");
	assert_non_null(strstr(answer.body.data, "\n# Workers = 0\n"));
	pp_answer_free(&answer);
	h.f.arena->slot[1].life.pid = getpid();
}

static void
trimming_is_asked_while_somebody_waits_for_it(void **state)
{
	struct pp_task *one = begin("/heap", "gc=1"),
		       *two = begin("/heap", "gc=1&debug=1"),
		       *three = begin("/allocs", "gc=1&debug=1");
	struct pp_answer answer;

	(void)state;
	assert_int_equal(h.f.arena->control.ask_trim, 1);
	pp_task_cancel(two);
	assert_int_equal(h.f.arena->control.ask_trim, 1);
	pp_task_cancel(three);
	answer_memory(0);
	pp_service_tick(service, pp_clock_mono());
	assert_int_equal(pp_task_deadline(one), 0);
	assert_int_equal(h.f.arena->control.ask_trim, 0);
	answer = finish(one);
	assert_string_equal(answer.headers.data, BINARY SNIFF ATTACHED("heap"));
	pp_answer_free(&answer);
	one = begin("/allocs", "gc=1&debug=1");
	assert_int_equal(h.f.arena->control.ask_trim, 0);
	pp_task_cancel(one);
}

/* The number of a question goes round after 2^32 of them. */
static void
questions_are_numbered_for_ever(void **state)
{
	struct pp_task *task;

	(void)state;
	h.f.arena->control.ask = UINT32_MAX;
	answer_memory(0);
	task = begin("/heap", "debug=1");
	assert_true(pp_task_deadline(task) > 0);
	assert_int_equal(h.f.arena->control.ask, 0);
	answer_memory(0);
	pp_service_tick(service, pp_clock_mono());
	assert_int_equal(pp_task_deadline(task), 0);
	pp_task_cancel(task);
}

/* What later profiles build on: one that always asks, and one without
 * deltas, whose negative debug= is text in name only. */
static int asked, reminded, let_go, there;

static int
fake_ask(struct pp_task *task)
{
	(void)task;
	asked++;
	return (1);
}

static void
fake_remind(struct pp_task *task)
{
	(void)task;
	reminded++;
}

static int
fake_answered(struct pp_task *task)
{
	(void)task;
	return (there);
}

static void
fake_asked(struct pp_task *task)
{
	(void)task;
	let_go++;
}

static struct pp_profile *
fake_take(struct pp_task *task)
{
	struct pp_profile *p;

	(void)task;
	if ((p = pp_profile_new()) == NULL)
		return (NULL);
	p->value_type[0] = (struct pp_value_type){ "things", "count" };
	p->value_types = 1;
	return (p);
}

static const struct pp_named fakes[] = {
	{ .name = "plain", .take = fake_take },
	{ .name = "asks",
	    .delta = 1,
	    .ask = fake_ask,
	    .remind = fake_remind,
	    .answered = fake_answered,
	    .asked = fake_asked,
	    .take = fake_take },
};
static const struct pp_endpoint fake_endpoint[] = {
	{ .name = "plain", .finish = pp_named_finish, .named = &fakes[0] },
	{ .name = "asks",
	    .finish = pp_named_finish,
	    .cancel = pp_named_cancel,
	    .tick = pp_named_tick,
	    .named = &fakes[1] },
};

static struct pp_task *
begin_fake(int which, const char *query)
{
	struct pp_request r = { .query = query };
	struct pp_task *task = calloc(1, sizeof(*task));

	task->service = service;
	task->endpoint = &fake_endpoint[which];
	LIST_INSERT_HEAD(&service->tasks, task, list);
	pp_named_begin(task, &r);
	return (task);
}

static void
a_profile_without_deltas_refuses_seconds(void **state)
{
	struct pp_answer answer = finish(begin_fake(0, "seconds=1&debug=1"));

	(void)state;
	assert_int_equal(answer.status, 400);
	assert_string_equal(answer.body.data,
	    "\"seconds\" parameter is not supported for this profile type\n");
	pp_answer_free(&answer);
	answer = finish(begin_fake(0, "seconds=x"));
	assert_string_equal(answer.body.data, BAD_SECONDS);
	pp_answer_free(&answer);
	answer = finish(begin_fake(0, "debug=-1"));
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.headers.data, PLAIN SNIFF);
	assert_memory_equal(answer.body.data, "\x1f\x8b", 2);
	pp_answer_free(&answer);
}

static void
a_delta_that_asks_does_so_before_each_reading(void **state)
{
	struct pp_task *task = begin_fake(1, "seconds=2");
	int64_t now = pp_clock_mono(), due;
	struct pp_answer answer;

	(void)state;
	assert_int_equal(asked, 1);
	assert_true(pp_task_deadline(task) == INT64_MAX);
	pp_service_tick(service, now);
	assert_null(pp_named_state(task)->before);
	assert_int_equal(reminded, 0);
	pp_service_tick(service,
	    pp_named_state(task)->asked_ns + 20 * PP_NS_PER_MS);
	pp_service_tick(service,
	    pp_named_state(task)->asked_ns + 30 * PP_NS_PER_MS);
	assert_int_equal(reminded, 1);
	there = 1;
	pp_service_tick(service, now);
	assert_int_equal(let_go, 1);
	assert_non_null(pp_named_state(task)->before);
	due = pp_task_deadline(task);
	assert_true(due >= now + 2 * PP_NS_PER_SEC);
	there = 0;
	pp_service_tick(service, due - 1);
	assert_int_equal(asked, 1);
	pp_service_tick(service, due);
	assert_int_equal(asked, 2);
	assert_true(pp_task_deadline(task) > 0);
	there = 1;
	pp_service_tick(service, due + 1);
	assert_int_equal(pp_task_deadline(task), 0);
	assert_int_equal(let_go, 2);
	answer = finish(task);
	assert_string_equal(answer.headers.data,
	    BINARY SNIFF ATTACHED("asks-delta"));
	pp_answer_free(&answer);

	/* Cancelled in each of its phases. */
	there = 0;
	pp_task_cancel(begin_fake(1, "seconds=2"));
	assert_int_equal(let_go, 3);
	task = begin_fake(1, "seconds=2");
	there = 1;
	pp_service_tick(service, pp_clock_mono());
	pp_task_cancel(task);
	assert_int_equal(let_go, 4);
	assert_int_equal(asked, 4);
	assert_true(LIST_EMPTY(&service->tasks));
}

static void
the_index_counts_the_rows(void **state)
{
	struct pp_answer answer = get("/", "");
	uint64_t counters = pp_ep_heap_count(service);
	char want[128];

	(void)state;
	assert_int_equal(counters, 2);
	snprintf(want, sizeof(want), "2</td><td><a href=\"heap?debug=1\">");
	assert_non_null(strstr(answer.body.data, want));
	snprintf(want, sizeof(want), "2</td><td><a href=\"allocs?debug=1\">");
	assert_non_null(strstr(answer.body.data, want));
	pp_answer_free(&answer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_gos_in_gos_order),
		cmocka_unit_test(only_get_and_head_are_taken),
		cmocka_unit_test(
		    a_snapshot_is_a_gzipped_attachment_that_needs_nobody),
		cmocka_unit_test(a_delta_takes_its_time_and_has_what_changed),
		cmocka_unit_test(deltas_overlap_are_cancelled_and_are_bounded),
		cmocka_unit_test(
		    text_waits_for_answers_but_no_longer_than_it_must),
		cmocka_unit_test(
		    a_worker_that_does_not_answer_is_named_and_not_waited_for),
		cmocka_unit_test(trimming_is_asked_while_somebody_waits_for_it),
		cmocka_unit_test(questions_are_numbered_for_ever),
		cmocka_unit_test(a_profile_without_deltas_refuses_seconds),
		cmocka_unit_test(a_delta_that_asks_does_so_before_each_reading),
		cmocka_unit_test(the_index_counts_the_rows),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
