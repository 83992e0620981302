/*
 * Tests of encode/text/text_top.c and encode/text/top.c by the program whose output they
 * repeat: every line must be the one of `go tool pprof -top -nodecount=50`,
 * of profiles of every shape. Without go these tests fail.
 *
 * needs: a core, 12 s
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "encode/bytes/measure.h"
#include "encode/profile/pprof.h"
#include "encode/text/text_top.h"
#include "go_pprof.h"
#include "known_profile.h"
#include "random_profile.h"

/* The first line that is not the same. */
static void
differs(const char *go, const char *ours)
{
	size_t at;

	while ((at = strcspn(go, "\n")) == strcspn(ours, "\n") &&
	    go[at] != '\0' && strncmp(go, ours, at) == 0) {
		go += at + 1;
		ours += at + 1;
	}
	print_error("go tool pprof: %.*s\n         ours: %.*s\n", (int)at, go,
	    (int)strcspn(ours, "\n"), ours);
}

/* Newer ones write the time in another way: the same minute is the same. The
 * line is taken out of both then. */
static int
without_time(const char *text, const char *format, char *rest, size_t room)
{
	const char *line = strstr(text, "\nTime: "), *end;
	struct tm tm = { 0 };

	assert_true(strlen(text) < room);
	strcpy(rest, text);
	if (line == NULL)
		return (0);
	line++;
	end = strptime(line + strlen("Time: "), format, &tm);
	if (end == NULL || *end != '\n')
		return (-1);
	strcpy(rest + (line - text), end + 1);
	return ((int)(timegm(&tm) / 60));
}

static int
same_text(const char *go, const char *ours)
{
	static char rest[2][4 << 20];
	int minute;

	if (strcmp(go, ours) == 0)
		return (1);
	minute =
	    without_time(go, "%Y-%m-%d %H:%M:%S UTC", rest[0], sizeof(rest[0]));
	return (minute > 0 &&
	    minute ==
		without_time(ours, "%b %d, %Y at %I:%M%p (UTC)", rest[1],
		    sizeof(rest[1])) &&
	    strcmp(rest[0], rest[1]) == 0);
}

/* The two texts are one, after the line that says the program's name. */
static int
same_as_go(const struct pp_profile *p, uint32_t value)
{
	struct pp_buf bytes = { 0 }, text = { 0 };
	char options[128];
	const char *said;
	int same;

	assert_int_equal(pp_encode_pprof(p, &bytes), 0);
	assert_int_equal(pp_encode_text_top(p, value, "x", &text), 0);
	pp_buf_append(&text, "", 1);
	snprintf(options, sizeof(options),
	    "-top -nodecount=50 -sample_index=%u", value);
	setenv("TZ", "UTC", 1);
	said = go_pprof(&bytes, options);
	/* It may complain of a file that is not there before it begins. */
	said = strstr(said, "File: ");
	assert_non_null(said);
	same = same_text(said, text.data);
	if (!same)
		differs(said, text.data);
	pp_buf_free(&bytes);
	pp_buf_free(&text);
	return (same);
}

static void
known_tables(void **state)
{
	struct pp_profile *p = known_profile();

	(void)state;
	assert_true(same_as_go(p, 0));
	assert_true(same_as_go(p, 1));
	pp_profile_free(p);
}

static void
shapes(void **state)
{
	static const struct random_shape shape[] = {
		{ 1, 10, 20, 5, 0 },
		{ 2, 10, 20, 5, 0 },
		{ 3, 40, 500, 12, 0 },
		{ 4, 300, 2000, 20, 0 },
		{ 5, 300, 2000, 20, 1 },
		{ 6, 60, 400, 30, 1 },
		{ 7, 1000, 5000, 10, 0 },
		{ 8, 2, 50, 40, 0 },
		{ 9, 3, 10, 3, 1 },
		{ 10, 2000, 3000, 3, 0 },
		{ 11, 35, 5, 4, 0 },
	};
	struct pp_profile *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
		p = random_profile(&shape[i]);
		assert_non_null(p);
		if (!same_as_go(p, 0) || !same_as_go(p, 1))
			fail_msg("seed %u differs", shape[i].seed);
		pp_profile_free(p);
	}
}

static void
nothing_sampled(void **state)
{
	struct pp_profile *p = random_profile(
	    &(struct random_shape){ .seed = 1, .functions = 4, .depth = 1 });

	(void)state;
	assert_true(same_as_go(p, 1));
	pp_profile_free(p);
}

static void
one_line_each(void **state)
{
	struct pp_profile *p = pp_profile_new();
	struct pp_line line = { 0 };
	struct pp_buf out = { 0 };
	int64_t value = 5;

	(void)state;
	p->value_type[0].type = pp_profile_string(p, "a\nb");
	p->value_type[0].unit = pp_profile_string(p, "count");
	p->value_types = 1;
	line.function = pp_profile_function(p, "evil\n 99 100% main\t", "", 0);
	pp_profile_lines(p, pp_profile_location(p, 1, 0), &line, 1);
	pp_profile_sample(p, &value);
	pp_profile_push(p, 1);
	assert_int_equal(pp_encode_text_top(p, 0, "x", &out), 0);
	pp_buf_append(&out, "", 1);
	assert_string_equal(out.data,
	    "Type: a?b\n"
	    "Showing nodes accounting for 5, 100% of 5 total\n"
	    "      flat  flat%   sum%        cum   cum%\n"
	    "         5   100%   100%          5   100%  "
	    "evil? 99 100% main?\n");
	pp_buf_free(&out);
	pp_profile_free(p);
}

static void
measures(void **state)
{
	static const struct {
		int64_t value;
		const char *unit, *want;
	} known[] = {
		{ 0, "nanoseconds", "0" },
		{ 999, "nanoseconds", "999ns" },
		{ 1500, "nanoseconds", "1.50us" },
		{ -1500000, "nanoseconds", "-1.50ms" },
		{ 60000000000, "nanoseconds", "60s" },
		{ 7200000000000, "nanoseconds", "2hrs" },
		{ 512, "bytes", "512B" },
		{ 1536, "bytes", "1.50kB" },
		{ 3LL << 40, "bytes", "3TB" },
		{ 12, "count", "12" },
		{ INT64_MIN, "bytes", "-8192PB" },
	};
	char text[PP_MEASURE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		pp_measure_best(text, known[i].value, known[i].unit);
		assert_string_equal(text, known[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a known profile has the table that go tool pprof prints",
		    known_tables, NULL, NULL, NULL },
		{ "profiles of every shape have go tool pprof's table", shapes,
		    NULL, NULL, NULL },
		{ "a profile without samples has go tool pprof's header",
		    nothing_sampled, NULL, NULL, NULL },
		{ "a name with newlines stays on its line", one_line_each, NULL,
		    NULL, NULL },
		{ "values have the units that go tool pprof gives them",
		    measures, NULL, NULL, NULL },
	};

	return (cmocka_run_group_tests_name("text_top", tests, go_prepare,
	    go_clean));
}
