/*
 * Tests of service/endpoints/format.c: format= and sample_index= of every
 * profile, their headers, and the sentences for what cannot be had. What the
 * bodies are is test_pictures.c's and test_text_top.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service_fixture.h"

#define INLINE(name) "content-disposition: inline; filename=\"" name "\"\n"
#define POLICY                                                                 \
	"content-security-policy: default-src 'none'; "                        \
	"style-src 'unsafe-inline'\n"
#define SVG  "content-type: image/svg+xml; charset=utf-8\n" SNIFF POLICY
#define JSON "content-type: application/json\n" SNIFF
#define BAD_FORMAT(value)                                                      \
	"invalid value \"" value "\" for \"format\" - must be one of pprof, "  \
	"svg, folded, speedscope, text\n"
#define BAD_BOTH "format and debug params are incompatible\n"
#define BAD_INDEX(value, names, last)                                          \
	"invalid value \"" value                                               \
	"\" for \"sample_index\" - must be one of " names                      \
	", or a number from 0 to " last "\n"
#define HEAP_TYPES "alloc_objects, alloc_space, inuse_objects, inuse_space"

static int
setup(void **state)
{
	signal(SIGPROF, SIG_IGN);
	return (service_setup(state));
}

static void
forms_have_their_headers(void **state)
{
	static const struct {
		const char *path, *query, *headers, *begins;
	} row[] = {
		{ "/heap", "format=pprof", BINARY SNIFF ATTACHED("heap"),
		    "\x1f\x8b" },
		{ "/heap", "format=", BINARY SNIFF ATTACHED("heap"),
		    "\x1f\x8b" },
		{ "/heap", "format=svg", SVG INLINE("heap.svg"),
		    "<?xml version=\"1.0\"" },
		{ "/allocs", "format=svg&debug=0", SVG INLINE("allocs.svg"),
		    "<?xml version=\"1.0\"" },
		{ "/block", "format=folded", PLAIN SNIFF INLINE("block.folded"),
		    "" },
		{ "/mutex", "format=speedscope",
		    JSON ATTACHED("mutex.speedscope.json"), "{\"$schema\":" },
		{ "/goroutine", "format=text",
		    PLAIN SNIFF INLINE("goroutine.txt"), "" },
		{ "/threadcreate", "format=text&sample_index=threadcreate",
		    PLAIN SNIFF INLINE("threadcreate.txt"), "" },
		{ "/a\"b\\c", "format=svg", SVG INLINE("a_b_c.svg"),
		    "<?xml version=\"1.0\"" },
	};
	struct pp_answer answer;
	size_t i;

	(void)state;
	strcpy(c.f.arena->slot[1].custom.name[0], "a\"b\\c");
	c.f.arena->slot[1].custom.used = 1;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		answer = get(row[i].path, row[i].query);
		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.headers.data, row[i].headers);
		assert_memory_equal(answer.body.data, row[i].begins,
		    strlen(row[i].begins));
		pp_answer_free(&answer);
	}
	c.f.arena->slot[1].custom.used = 0;
}

static void
what_cannot_be_had_is_told(void **state)
{
	static const struct {
		const char *path, *query, *body;
	} row[] = {
		{ "/heap", "format=png", BAD_FORMAT("png") },
		{ "/profile", "format=SVG", BAD_FORMAT("SVG") },
		{ "/block", "format=%3Cb%3E%0a", BAD_FORMAT("<b>?") },
		{ "/goroutine", "format=svg%00", BAD_FORMAT("svg?") },
		{ "/heap", "format=svg&debug=1", BAD_BOTH },
		{ "/profile", "format=text&debug=1", BAD_BOTH },
		{ "/mutex", "format=pprof&debug=2", BAD_BOTH },
		{ "/goroutine", "format=text&debug=yes", BAD_BOTH },
		{ "/heap", "format=svg&sample_index=cpu",
		    BAD_INDEX("cpu", HEAP_TYPES, "3") },
		{ "/allocs", "sample_index=4",
		    BAD_INDEX("4", HEAP_TYPES, "3") },
		{ "/heap", "format=svg&seconds=5&sample_index=-1",
		    BAD_INDEX("-1", HEAP_TYPES, "3") },
		{ "/block", "format=text&sample_index=dela",
		    BAD_INDEX("dela", "contentions, delay", "1") },
		{ "/profile", "format=folded&sample_index=delay",
		    BAD_INDEX("delay", "samples, cpu", "1") },
		{ "/threadcreate", "format=text&sample_index=cpu%00",
		    BAD_INDEX("cpu?", "threadcreate", "0") },
	};
	struct pp_answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		answer = get(row[i].path, row[i].query);
		assert_int_equal(answer.status, 400);
		assert_string_equal(answer.headers.data, ERROR);
		assert_string_equal(answer.body.data, row[i].body);
		pp_answer_free(&answer);
	}
	/* Nothing was begun for any of them. */
	assert_int_equal(service->cpu_profiles, 0);
	assert_int_equal(service->kept, 0);
	assert_int_equal(c.f.arena->control.cpu_period_ns, 0);
}

static void
sample_index_is_a_name_or_a_number(void **state)
{
	static const struct {
		const char *path, *index, *type;
	} row[] = {
		{ "/heap", "", "inuse_space" },
		{ "/allocs", "", "alloc_space" },
		{ "/heap", "alloc_objects", "alloc_objects" },
		{ "/heap", "2", "inuse_objects" },
		{ "/block", "", "delay" },
		{ "/block", "contentions", "contentions" },
		{ "/block", "inuse_contentions", "contentions" },
		{ "/goroutine", "0", "goroutine" },
	};
	char query[64], want[64];
	struct pp_answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		snprintf(query, sizeof(query), "format=text&sample_index=%s",
		    row[i].index);
		snprintf(want, sizeof(want), "\nType: %s\n", row[i].type);
		answer = get(row[i].path, query);
		assert_int_equal(answer.status, 200);
		if (strstr(answer.body.data, want) == NULL)
			fail_msg("%s %s:\n%s", row[i].path, row[i].index,
			    answer.body.data);
		pp_answer_free(&answer);
	}
}

static void
timed_profiles_have_forms_too(void **state)
{
	static const struct {
		const char *path, *headers;
	} row[] = {
		{ "/profile", SVG INLINE("profile.svg") },
		{ "/heap", SVG INLINE("heap-delta.svg") },
	};
	struct pp_answer answer;
	struct pp_request r;
	struct pp_task *task;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		r = request(PP_METHOD_GET, row[i].path, "seconds=1&format=svg");
		task = pp_service_begin(service, &r);
		assert_true(pp_task_deadline(task) > pp_clock_mono());
		answer = finish(task);
		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.headers.data, row[i].headers);
		assert_memory_equal(answer.body.data, "<?xml", 5);
		pp_answer_free(&answer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(forms_have_their_headers, setup,
		    service_teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_had_is_told,
		    setup, service_teardown),
		cmocka_unit_test_setup_teardown(
		    sample_index_is_a_name_or_a_number, setup,
		    service_teardown),
		cmocka_unit_test_setup_teardown(timed_profiles_have_forms_too,
		    setup, service_teardown),
	};

	return (cmocka_run_group_tests_name("format", tests, NULL, NULL));
}
