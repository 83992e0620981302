/*
 * Tests of service/: the table of statuses, headers and bodies that a Go
 * service gives, for the endpoints that exist, and what is ours beside it.
 *
 * needs: alone, 6 s
 */
#include <ctype.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "own_objects.h"
#include "service/endpoints.h"
#include "service/http/assets.h"
#include "service/service.h"

#define TEXT	"content-type: text/plain; charset=utf-8\n"
#define SNIFF	"x-content-type-options: nosniff\n"
#define ERROR	TEXT SNIFF "x-go-pprof: 1\n"
#define GETHEAD TEXT SNIFF "allow: GET, HEAD\n"

static struct pp_arena *arena;
static struct pp_symbols *symbols;
static struct pp_service *service;

static int
setup(void **state)
{
	int arena_fd, fd, debug_fd = -1;
	struct pp_object own;

	(void)state;
	/* The service tells workers to look; this process is one. */
	signal(SIGPROF, SIG_IGN);
	arena = own_arena(&arena_fd);
	symbols = pp_symbols_new();
	assert_non_null(arena);
	assert_int_equal(pp_objects_read(&arena->slot[0].objects, 0, &own), 0);
	fd = pp_symbols_open(own.name, own.build_id, own.build_id_len,
	    &debug_fd);
	assert_true(fd >= 0);
	assert_true(pp_symbols_add(symbols, own.build_id, own.build_id_len,
			own.name, fd, debug_fd) >= 0);
	service = pp_service_new(arena, arena_fd, symbols);
	return (service == NULL ? -1 : 0);
}

static int
teardown(void **state)
{
	(void)state;
	pp_service_free(service);
	pp_symbols_free(symbols);
	return (0);
}

static struct pp_request
request(enum pp_method method, const char *path, const char *query)
{
	return ((struct pp_request){ .method = method,
	    .prefix = "/debug/pprof",
	    .path = path,
	    .query = query });
}

/* Do a request that is answered at once; texts are terminated. */
static struct pp_answer
ask(const struct pp_request *r)
{
	struct pp_answer answer = { 0 };
	struct pp_task *task = pp_service_begin(service, r);

	assert_non_null(task);
	assert_int_equal(pp_task_deadline(task), 0);
	pp_task_finish(task, &answer);
	pp_buf_append(&answer.headers, "", 1);
	pp_buf_append(&answer.body, "", 1);
	return (answer);
}

static void
errors_have_gos_statuses_headers_and_bodies(void **state)
{
	static const struct {
		enum pp_method method;
		const char *path, *query;
		int status;
		const char *headers, *body;
	} row[] = {
		{ PP_METHOD_GET, "/nope", "", 404, ERROR, "Unknown profile\n" },
		{ PP_METHOD_GET, "/nope", "seconds=1", 404, ERROR,
		    "Unknown profile\n" },
		{ PP_METHOD_HEAD, "/nope", "", 404, ERROR,
		    "Unknown profile\n" },
		{ PP_METHOD_GET, "/cmdline/", "", 404, ERROR,
		    "Unknown profile\n" },
		{ PP_METHOD_GET, "/profile/", "", 404, ERROR,
		    "Unknown profile\n" },
		{ PP_METHOD_GET, "//", "", 404, ERROR, "Unknown profile\n" },
		{ PP_METHOD_GET, "x", "", 404, ERROR, "Unknown profile\n" },
		{ PP_METHOD_GET, "/assets/", "", 404, ERROR,
		    "Unknown profile\n" },
		{ PP_METHOD_GET, "/assets/nope.css", "", 404, ERROR,
		    "Unknown profile\n" },
		{ PP_METHOD_GET, "/assets/index.html", "", 404, ERROR,
		    "Unknown profile\n" },
		{ PP_METHOD_POST, "/", "", 405, GETHEAD,
		    "Method Not Allowed\n" },
		{ PP_METHOD_POST, "", "", 405, GETHEAD,
		    "Method Not Allowed\n" },
		{ PP_METHOD_POST, "/cmdline", "", 405, GETHEAD,
		    "Method Not Allowed\n" },
		{ PP_METHOD_POST, "/profile", "seconds=1", 405, GETHEAD,
		    "Method Not Allowed\n" },
		{ PP_METHOD_OTHER, "/profile", "", 405, GETHEAD,
		    "Method Not Allowed\n" },
		{ PP_METHOD_OTHER, "/nope", "", 405, GETHEAD,
		    "Method Not Allowed\n" },
		{ PP_METHOD_OTHER, "/symbol", "", 405,
		    TEXT SNIFF "allow: GET, HEAD, POST\n",
		    "Method Not Allowed\n" },
		{ (enum pp_method)77, "/symbol", "", 405,
		    TEXT SNIFF "allow: GET, HEAD, POST\n",
		    "Method Not Allowed\n" },
		{ PP_METHOD_GET, "/profile", "hz=abc", 400, ERROR,
		    "invalid value \"abc\" for \"hz\" - must be a whole number "
		    "from 1 to 10000\n" },
		{ PP_METHOD_GET, "/profile", "hz=0", 400, ERROR,
		    "invalid value \"0\" for \"hz\" - must be a whole number "
		    "from 1 to 10000\n" },
		{ PP_METHOD_GET, "/profile", "hz=10001&hz=100", 400, ERROR,
		    "invalid value \"10001\" for \"hz\" - must be a whole "
		    "number from 1 to 10000\n" },
		{ PP_METHOD_GET, "/profile", "hz=%0a%3cb%3e", 400, ERROR,
		    "invalid value \"?<b>\" for \"hz\" - must be a whole "
		    "number from 1 to 10000\n" },
		{ PP_METHOD_GET, "/profile", "seconds=86401", 400, ERROR,
		    "invalid value \"86401\" for \"seconds\" - must be at most "
		    "86400\n" },
		{ PP_METHOD_GET, "/profile", "seconds=99999999999999999999",
		    400, ERROR,
		    "invalid value \"99999999999999999999\" for \"seconds\" - "
		    "must be at most 86400\n" },
	};
	struct pp_answer answer;
	struct pp_request r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		r = request(row[i].method, row[i].path, row[i].query);
		answer = ask(&r);
		assert_int_equal(answer.status, row[i].status);
		assert_string_equal(answer.headers.data, row[i].headers);
		assert_string_equal(answer.body.data, row[i].body);
		pp_answer_free(&answer);
	}
}

static void
the_prefix_alone_is_redirected_with_its_query(void **state)
{
	static const struct {
		const char *query, *location;
	} row[] = {
		{ "", "location: /debug/pprof/\n" },
		{ "a=1&b=%20", "location: /debug/pprof/?a=1&b=%20\n" },
		/* What would end the header line is not repeated. */
		{ "a\r\nset-cookie: x", "location: /debug/pprof/\n" },
		{ "a\xff", "location: /debug/pprof/\n" },
	};
	char longer[5000];
	struct pp_answer answer;
	struct pp_request r;
	size_t i;

	(void)state;
	for (i = 0; i <= sizeof(row) / sizeof(row[0]); i++) {
		memset(longer, 'x', sizeof(longer));
		longer[sizeof(longer) - 1] = '\0';
		r = request(PP_METHOD_GET, "", i < 4 ? row[i].query : longer);
		answer = ask(&r);
		assert_int_equal(answer.status, 301);
		assert_non_null(
		    strstr(answer.headers.data, row[i < 4 ? i : 0].location));
		assert_null(strstr(answer.headers.data, "cookie"));
		pp_answer_free(&answer);
	}
}

static void
cmdline_is_the_arguments_with_nul_between(void **state)
{
	static const char want[] = "kore\0-c\0conf/app.conf";
	struct pp_request r = request(PP_METHOD_GET, "/cmdline", "debug=2");
	struct pp_answer answer = ask(&r);
	uint32_t len = arena->cmdline_len;

	(void)state;
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.headers.data, TEXT SNIFF);
	assert_int_equal(answer.body.len - 1, sizeof(want) - 1);
	assert_memory_equal(answer.body.data, want, sizeof(want) - 1);
	pp_answer_free(&answer);
	arena->cmdline_len = UINT32_MAX;
	answer = ask(&r);
	assert_int_equal(answer.body.len - 1, PP_CMDLINE_MAX);
	pp_answer_free(&answer);
	arena->cmdline_len = len;
}

static void
the_index_lists_every_endpoint_that_is_shown(void **state)
{
	struct pp_request r = request(PP_METHOD_GET, "/", "");
	struct pp_answer answer = ask(&r);
	char link[64];
	size_t i;

	(void)state;
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(answer.headers.data,
	    "content-type: text/html; charset=utf-8\n" SNIFF));
	assert_non_null(strstr(answer.headers.data, "default-src 'none'"));
	for (i = 0; i < pp_endpoints_count; i++) {
		snprintf(link, sizeof(link), "<a href=\"%s?debug=1\">",
		    pp_endpoints[i].name);
		assert_int_equal(strstr(answer.body.data, link) != NULL,
		    pp_endpoints[i].sentence != NULL);
	}
	assert_non_null(strstr(answer.body.data,
	    "kore 4.1.0 · up 1 min 5 s · "
	    "1 of 2 workers running · 0 requests in flight"));
	assert_non_null(strstr(answer.body.data,
	    "<tr data-name=\"profile\" data-takes=\"hz\">"));
	assert_non_null(strstr(answer.body.data,
	    "<tr data-name=\"heap\" data-takes=\"delta\">"));
	assert_non_null(strstr(answer.body.data, "<tr data-name=\"symbol\">"));
	assert_non_null(strstr(answer.body.data, "not running"));
	assert_null(strstr(answer.body.data, "{{"));
	pp_answer_free(&answer);
}

static void
the_index_shows_the_rates(void **state)
{
	struct pp_request r = request(PP_METHOD_GET, "/", "");
	struct pp_answer answer;

	(void)state;
	atomic_store(&arena->control.heap_rate, 4096);
	answer = ask(&r);
	assert_non_null(strstr(answer.body.data,
	    "id=\"rate-heap_rate\" data-value=\"4096\">4096<"));
	assert_non_null(strstr(answer.body.data,
	    "id=\"rate-block_rate\" data-value=\"0\">off<"));
	pp_answer_free(&answer);
}

static void
the_index_counts_requests_in_flight(void **state)
{
	struct pp_request r = request(PP_METHOD_GET, "/", "");
	struct pp_inflights *inflights = &arena->slot[1].inflights;
	struct pp_answer answer;

	(void)state;
	atomic_store(&inflights->used, 3);
	atomic_store(&inflights->inflight[1].id, 7);
	atomic_store(&inflights->inflight[2].id, 8);
	atomic_store(&inflights->inflight[2].task, 1);
	answer = ask(&r);
	assert_non_null(strstr(answer.body.data, "1 requests in flight"));
	pp_answer_free(&answer);
	atomic_store(&inflights->inflight[1].id, 0);
	atomic_store(&inflights->inflight[2].id, 0);
}

static void
the_index_shows_losses_only_when_there_are_some(void **state)
{
	struct pp_request r = request(PP_METHOD_GET, "/", "");
	struct pp_answer answer = ask(&r);

	(void)state;
	assert_non_null(strstr(answer.body.data, "Nothing has been lost"));
	assert_null(strstr(answer.body.data, "samples_dropped"));
	pp_answer_free(&answer);
	pp_slot_lose(&arena->slot[1], PP_LOSS_SAMPLES_DROPPED, 40);
	pp_slot_lose(&arena->slot[2], PP_LOSS_SAMPLES_DROPPED, 2);
	answer = ask(&r);
	assert_null(strstr(answer.body.data, "Nothing has been lost"));
	assert_non_null(strstr(answer.body.data,
	    ">42</td><td><code>samples_dropped</code></td>"));
	assert_non_null(strstr(answer.body.data, "worker&#39;s ring was full"));
	assert_null(strstr(answer.body.data, "labels_dropped"));
	pp_answer_free(&answer);
	arena->slot[1].loss[PP_LOSS_SAMPLES_DROPPED] = 0;
	arena->slot[2].loss[PP_LOSS_SAMPLES_DROPPED] = 0;
}

/* The arena belongs to every worker, so its texts are nobody's. */
static void
the_index_escapes_what_the_arena_says(void **state)
{
	struct pp_request r = request(PP_METHOD_GET, "/", "");
	struct pp_answer answer;

	(void)state;
	memset(arena->server, '<', sizeof(arena->server));
	r.prefix = "/\"><script>";
	answer = ask(&r);
	assert_null(strstr(answer.body.data, "<<"));
	assert_null(strstr(answer.body.data, "<script>"));
	assert_non_null(strstr(answer.body.data, "&lt;&lt;"));
	pp_answer_free(&answer);
	memset(arena->server, 0, sizeof(arena->server));
	memcpy(arena->server, "kore 4.1.0", 11);
}

static void
assets_are_served_once_and_then_by_tag(void **state)
{
	struct pp_request r = request(PP_METHOD_GET, "/assets/pprof.css", "");
	struct pp_answer answer = ask(&r);
	const struct pp_asset *asset = pp_asset_find("pprof.css");
	char tag[PP_ASSET_TAG_MAX], list[64];

	(void)state;
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.body.len - 1, asset->len);
	assert_memory_equal(answer.body.data, asset->data, asset->len);
	assert_non_null(strstr(answer.headers.data,
	    "content-type: text/css; charset=utf-8\n"));
	pp_asset_tag(asset, 0, tag);
	assert_non_null(strstr(answer.headers.data, tag));
	assert_non_null(strstr(answer.headers.data, "default-src 'none'"));
	pp_answer_free(&answer);
	snprintf(list, sizeof(list), "\"other\", W/%s", tag);
	r.match = list;
	answer = ask(&r);
	assert_int_equal(answer.status, 304);
	assert_int_equal(answer.body.len - 1, 0);
	assert_null(strstr(answer.headers.data, "content-type:"));
	assert_non_null(strstr(answer.headers.data, tag));
	pp_answer_free(&answer);
	r.match = "\"0000000000000000\"";
	answer = ask(&r);
	assert_int_equal(answer.status, 200);
	pp_answer_free(&answer);
}

static void
assets_are_gzipped_for_those_who_take_it(void **state)
{
	static const struct {
		const char *accept;
		int gzip;
	} row[] = { { "gzip", 1 }, { "gzip, deflate, br, zstd", 1 },
		{ "br;q=1.0, GZIP;q=0.8", 1 }, { "identity,gzip", 1 },
		{ "gzip;q=0", 0 }, { "gzip ; q=0.000", 0 }, { "", 0 },
		{ NULL, 0 }, { "x-gzip", 0 }, { "gzippy", 0 }, { "br", 0 },
		{ ",,;q=", 0 } };
	struct pp_request r = request(PP_METHOD_GET, "/assets/pprof.css", "");
	const struct pp_asset *asset = pp_asset_find("pprof.css");
	char tag[PP_ASSET_TAG_MAX], plain[PP_ASSET_TAG_MAX];
	struct pp_answer answer;
	size_t i;

	(void)state;
	pp_asset_tag(asset, 0, plain);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		r.accept = row[i].accept;
		answer = ask(&r);
		if (pp_asset_takes_gzip(row[i].accept) != row[i].gzip)
			fail_msg("\"%s\"", row[i].accept);
		pp_asset_tag(asset, row[i].gzip, tag);
		assert_non_null(strstr(answer.headers.data, tag));
		assert_int_equal(strcmp(tag, plain) != 0, row[i].gzip);
		assert_int_equal(strstr(answer.headers.data,
				     "content-encoding: gzip\n") != NULL,
		    row[i].gzip);
		assert_non_null(
		    strstr(answer.headers.data, "vary: accept-encoding\n"));
		assert_int_equal(answer.body.len - 1,
		    row[i].gzip ? asset->gz_len : asset->len);
		pp_answer_free(&answer);
	}
	assert_memory_equal(asset->gz, "\x1f\x8b", 2);
}

static void
symbol_names_what_has_a_name_and_skips_the_rest(void **state)
{
	unsigned long long at = (unsigned long long)(uintptr_t)
	    symbol_names_what_has_a_name_and_skips_the_rest;
	char items[256], want[256];
	struct pp_answer answer;
	struct pp_request r;

	(void)state;
	/* This process is the first with these objects, so that its own
	 * addresses are the canonical ones. */
	snprintf(items, sizeof(items), "0x1+zzz++0+-1+%#llx+%llu+0%llo", at, at,
	    at);
	r = request(PP_METHOD_GET, "/symbol", items);
	answer = ask(&r);
	snprintf(want, sizeof(want), "%#llx %s\n", at, __func__);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.headers.data, TEXT SNIFF);
	assert_int_equal(strncmp(answer.body.data, "num_symbols: 1\n", 15), 0);
	assert_int_equal(strlen(answer.body.data), 15 + 3 * strlen(want));
	assert_int_equal(strncmp(answer.body.data + 15, want, strlen(want)), 0);
	pp_answer_free(&answer);

	r = request(PP_METHOD_POST, "/symbol", "0x7");
	snprintf(items, sizeof(items), "%#llx", at);
	r.body = items;
	r.body_len = strlen(items);
	answer = ask(&r);
	assert_int_equal(strlen(answer.body.data), 15 + strlen(want));
	assert_string_equal(answer.body.data + 15, want);
	pp_answer_free(&answer);

	r.body = NULL;
	r.body_len = 0;
	answer = ask(&r);
	assert_string_equal(answer.body.data, "num_symbols: 1\n");
	pp_answer_free(&answer);
}

/* Bad seconds= are Go's default without a word; nothing waits for them here:
 * the deadline tells. */
static void
profile_seconds_are_read_as_go_reads_them(void **state)
{
	static const struct {
		const char *query;
		int seconds;
	} row[] = {
		{ "", 30 },
		{ "seconds=", 30 },
		{ "seconds=abc", 30 },
		{ "seconds=-1", 30 },
		{ "seconds=0", 30 },
		{ "seconds=1.5", 30 },
		{ "seconds=-99999999999999999999", 30 },
		{ "seconds=5", 5 },
		{ "seconds=%2B5", 5 },
		{ "seconds=5&seconds=7", 5 },
		{ "seconds=86400&debug=1", 86400 },
		{ "hz=&seconds=2", 2 },
		{ "hz=10000&seconds=2", 2 },
		{ "hz=1&seconds=2", 2 },
	};
	struct pp_request r;
	struct pp_task *task;
	int64_t before, after, deadline;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		r = request(i & 1 ? PP_METHOD_HEAD : PP_METHOD_GET, "/profile",
		    row[i].query);
		before = pp_clock_mono();
		task = pp_service_begin(service, &r);
		after = pp_clock_mono();
		assert_non_null(task);
		deadline =
		    pp_task_deadline(task) - row[i].seconds * PP_NS_PER_SEC;
		if (deadline < before || deadline > after)
			fail_msg("\"%s\" does not take %d s", row[i].query,
			    row[i].seconds);
		pp_task_cancel(task);
	}
	assert_int_equal(arena->control.cpu_period_ns, 0);
}

/* That it is a profile is for the encoder's tests and the integration's. */
static void
a_profile_is_a_gzipped_attachment_and_head_has_it_too(void **state)
{
	struct pp_request r =
	    request(PP_METHOD_HEAD, "/profile", "seconds=1&debug=1");
	struct pp_task *task = pp_service_begin(service, &r);
	struct pp_answer answer = { 0 };

	(void)state;
	assert_non_null(task);
	assert_true(arena->control.cpu_period_ns > 0);
	pp_service_tick(service, pp_clock_mono());
	pp_task_finish(task, &answer);
	pp_buf_append(&answer.headers, "", 1);
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.headers.data,
	    "content-type: application/octet-stream\n" SNIFF
	    "content-disposition: attachment; filename=\"profile\"\n");
	assert_true(answer.body.len > 2);
	assert_memory_equal(answer.body.data, "\x1f\x8b", 2);
	pp_answer_free(&answer);
}

static void
one_profile_too_many_gets_503_and_a_sentence(void **state)
{
	struct pp_task *task[PP_SESSIONS_MAX];
	struct pp_request r = request(PP_METHOD_GET, "/profile", ""), index;
	struct pp_answer answer;
	char want[256];
	size_t i;

	(void)state;
	for (i = 0; i < PP_SESSIONS_MAX; i++) {
		task[i] = pp_service_begin(service, &r);
		assert_non_null(task[i]);
		assert_true(pp_task_deadline(task[i]) > 0);
	}
	answer = ask(&r);
	snprintf(want, sizeof(want),
	    "Could not enable CPU profiling: %d profiles are in progress, "
	    "which is the most at once\n",
	    PP_SESSIONS_MAX);
	assert_int_equal(answer.status, 503);
	assert_string_equal(answer.headers.data, ERROR);
	assert_string_equal(answer.body.data, want);
	pp_answer_free(&answer);
	index = request(PP_METHOD_GET, "/", "");
	answer = ask(&index);
	snprintf(want, sizeof(want), "%d</td><td><a href=\"profile?debug=1\">",
	    PP_SESSIONS_MAX);
	assert_non_null(strstr(answer.body.data, want));
	pp_answer_free(&answer);
	for (i = 0; i < PP_SESSIONS_MAX; i++)
		pp_task_cancel(task[i]);
	task[0] = pp_service_begin(service, &r);
	assert_true(pp_task_deadline(task[0]) > 0);
	pp_task_cancel(task[0]);
}

static void
header_names_are_lower_case_and_lines_well_formed(void **state)
{
	static const char *const path[] = { "", "/", "/cmdline", "/symbol",
		"/assets/icon.svg", "/nope" };
	struct pp_answer answer;
	struct pp_request r;
	const char *c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(path) / sizeof(path[0]); i++) {
		r = request(PP_METHOD_HEAD, path[i], "");
		answer = ask(&r);
		assert_true(answer.headers.len <= PP_ANSWER_HEADERS_MAX);
		for (c = answer.headers.data; *c != '\0'; c++) {
			for (; *c != ':'; c++)
				assert_true(
				    *c == '-' || islower((unsigned char)*c));
			assert_int_equal(c[1], ' ');
			c = strchr(c, '\n');
			assert_non_null(c);
		}
		pp_answer_free(&answer);
	}
}

static void
an_idle_service_gives_memory_back_once_and_then_sleeps(void **state)
{
	int64_t now = pp_clock_mono(), next;

	(void)state;
	next = pp_service_tick(service, now);
	assert_true(next > now && next <= now + 60 * PP_NS_PER_SEC);
	assert_true(
	    pp_service_tick(service, now + 61 * PP_NS_PER_SEC) == INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_have_gos_statuses_headers_and_bodies),
		cmocka_unit_test(the_prefix_alone_is_redirected_with_its_query),
		cmocka_unit_test(cmdline_is_the_arguments_with_nul_between),
		cmocka_unit_test(the_index_lists_every_endpoint_that_is_shown),
		cmocka_unit_test(the_index_shows_the_rates),
		cmocka_unit_test(the_index_counts_requests_in_flight),
		cmocka_unit_test(
		    the_index_shows_losses_only_when_there_are_some),
		cmocka_unit_test(the_index_escapes_what_the_arena_says),
		cmocka_unit_test(assets_are_served_once_and_then_by_tag),
		cmocka_unit_test(assets_are_gzipped_for_those_who_take_it),
		cmocka_unit_test(
		    symbol_names_what_has_a_name_and_skips_the_rest),
		cmocka_unit_test(profile_seconds_are_read_as_go_reads_them),
		cmocka_unit_test(
		    a_profile_is_a_gzipped_attachment_and_head_has_it_too),
		cmocka_unit_test(one_profile_too_many_gets_503_and_a_sentence),
		cmocka_unit_test(
		    header_names_are_lower_case_and_lines_well_formed),
		cmocka_unit_test(
		    an_idle_service_gives_memory_back_once_and_then_sleeps),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
