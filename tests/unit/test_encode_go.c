/*
 * Tests of encode/profile/pprof.c by the reader that it is written for: what
 * `go tool pprof` says of a known profile must be what is known of it.
 * Without go these tests fail, they are not skipped.
 *
 * needs: alone, 5 s
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "encode/profile/pprof.h"
#include "known_profile.h"

static char folder[] = "/tmp/pprof-encode-XXXXXX";

static void
save(const struct pp_profile *p, const char *name)
{
	struct pp_buf encoded = { 0 };
	char path[256];
	FILE *file;

	assert_int_equal(pp_encode_pprof(p, &encoded), 0);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_non_null(file = fopen(path, "w"));
	assert_int_equal(fwrite(encoded.data, 1, encoded.len, file),
	    encoded.len);
	assert_int_equal(fclose(file), 0);
	pp_buf_free(&encoded);
}

/* What a command says on both outputs, run in the folder; valid until the
 * next call. It must end well. */
static const char *
output(const char *format, ...)
{
	static char text[65536];
	char command[1024];
	size_t len;
	va_list args;
	FILE *pipe;
	int n, status;

	n = snprintf(command, sizeof(command), "cd %s && exec 2>&1; ", folder);
	va_start(args, format);
	vsnprintf(command + n, sizeof(command) - (size_t)n, format, args);
	va_end(args);
	assert_non_null(pipe = popen(command, "r"));
	len = fread(text, 1, sizeof(text) - 1, pipe);
	text[len] = '\0';
	status = pclose(pipe);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("%s\nended with %d:\n%s", command, status, text);
	return (text);
}

/* The same said as go 1.19 says it, or as 1.27 does. */
static void
assert_either(const char *text, const char *older, const char *newer)
{
	if (strcmp(text, newer) != 0)
		assert_string_equal(text, older);
}

static int
prepare(void **state)
{
	struct pp_profile *p;

	(void)state;
	if (system("go version") != 0) {
		print_error("go is missing, and it is the judge here: "
			    "apt install golang-go\n");
		return (-1);
	}
	if (mkdtemp(folder) == NULL || (p = known_profile()) == NULL)
		return (-1);
	/* pprof prints local times, and looks for objects under HOME. */
	setenv("TZ", "UTC", 1);
	setenv("HOME", folder, 1);
	save(p, "known");
	pp_profile_free(p);
	return (0);
}

static int
clean(void **state)
{
	(void)state;
	if (strstr(folder, "XXXXXX") != NULL)
		return (0);
	output("rm -rf %s", folder);
	return (0);
}

#define RAW_HEAD                                                               \
	"Comment: samples_dropped=3\n"                                         \
	"Comment: two of them\n"                                               \
	"PeriodType: cpu nanoseconds\n"                                        \
	"Period: 10000000\n"                                                   \
	"Time: 2023-11-14 22:13:20 +0000 UTC\n"                                \
	"Duration: 2s\n"                                                       \
	"Samples:\n"                                                           \
	"samples/count cpu/nanoseconds\n"
#define RAW_SAMPLES(concat, fib)                                               \
	"         10  100000000: " concat " \n"                                \
	"                http.method:[GET] http.route:[/concat/]\n"            \
	"                pid:[4000] tid:[5000] worker:[1]\n"                   \
	"         11  110000000: " fib " \n"                                   \
	"                http.method:[GET] http.route:[/fib/]\n"               \
	"                pid:[4000] tid:[5001] worker:[1]\n"                   \
	"         12  120000000: " concat " \n"                                \
	"                http.method:[GET] http.route:[/concat/]\n"            \
	"                pid:[4001] tid:[5002] worker:[2]\n"                   \
	"         13  130000000: " fib " \n"                                   \
	"                http.method:[GET] http.route:[/fib/]\n"               \
	"                pid:[4001] tid:[5003] worker:[2]\n"                   \
	"Locations\n"
#define RAW_MAPPINGS                                                           \
	"Mappings\n"                                                           \
	"1: 0x400000/0x500000/0x1000 /srv/none/kore 0123456789abcdef "         \
	"[FN][FL][LN][IN]\n"                                                   \
	"2: 0x7f0000000000/0x7f0000100000/0x0 /srv/none/libc.so.6 ffee "       \
	"[FN]\n"

/* pprof 1.19 numbers the locations anew, in the order in which samples use
 * them; the newer one keeps ours, and tells columns. */
static void
raw_shows_every_sample_label_line_and_mapping(void **state)
{
	(void)state;
	assert_either(output("go tool pprof -raw known"),
	    RAW_HEAD RAW_SAMPLES("1 2",
		"3 2") "     1: 0x7f0000000100 M=2 memcpy :0 s=0\n"
		       "     2: 0x401400 M=1 http_request_run src/http.c:99 s=90\n"
		       "     3: 0x401234 M=1 fib src/app.c:7 s=5\n"
		       "             page_fib src/app.c:21 s=20\n" RAW_MAPPINGS,
	    RAW_HEAD RAW_SAMPLES("3 1",
		"2 1") "     1: 0x401400 M=1 http_request_run src/http.c:99:0 s=90\n"
		       "     2: 0x401234 M=1 fib src/app.c:7:0 s=5\n"
		       "             page_fib src/app.c:21:0 s=20\n"
		       "     3: 0x7f0000000100 M=2 memcpy :0:0 s=0\n" RAW_MAPPINGS);
}

#define TOP(time)                                                              \
	"File: kore\n"                                                         \
	"Build ID: 0123456789abcdef\n"                                         \
	"samples_dropped=3\n"                                                  \
	"two of them\n"                                                        \
	"Type: cpu\n"                                                          \
	"Time: " time "\n"                                                     \
	"Duration: 2s, Total samples = 460ms (23.00%)\n"                       \
	"Showing nodes accounting for 460ms, 100% of 460ms total\n"            \
	"      flat  flat%   sum%        cum   cum%\n"                         \
	"     240ms 52.17% 52.17%      240ms 52.17%  fib (inline)\n"           \
	"     220ms 47.83%   100%      220ms 47.83%  memcpy\n"                 \
	"         0     0%   100%      460ms   100%  http_request_run\n"       \
	"         0     0%   100%      240ms 52.17%  page_fib\n"

static void
top_adds_up_and_marks_inlined_calls(void **state)
{
	(void)state;
	assert_either(output("go tool pprof -top known"),
	    TOP("Nov 14, 2023 at 10:13pm (UTC)"),
	    TOP("2023-11-14 22:13:20 UTC"));
}

/* How a sum and how one value is written. */
#define TAGS(sum, value)                                                       \
	" http.method: " sum "              460" value " (  100%): GET\n\n"    \
	" http.route: " sum "             240" value " (52.17%): /fib/\n"      \
	"             220" value " (47.83%): /concat/\n\n"                     \
	" pid: " sum "      250" value " (54.35%): 4001\n"                     \
	"      210" value " (45.65%): 4000\n\n"                                \
	" tid: " sum "      130" value " (28.26%): 5003\n"                     \
	"      120" value " (26.09%): 5002\n"                                  \
	"      110" value " (23.91%): 5001\n"                                  \
	"      100" value " (21.74%): 5000\n\n"                                \
	" worker: " sum "         250" value " (54.35%): 2\n"                  \
	"         210" value " (45.65%): 1\n\n"

static void
tags_show_text_and_numbers(void **state)
{
	(void)state;
	assert_either(output("go tool pprof -tags known"),
	    TAGS("Total 460.0ms\n", ".0ms"),
	    TAGS("Total 460ms of 460ms (  100%)\n", "ms"));
}

static void
tagfocus_keeps_one_route(void **state)
{
	const char *text;

	(void)state;
	text = output("go tool pprof -top -tagfocus=http.route=/fib/ known");
	assert_non_null(strstr(text,
	    "Active filters:\n"
	    "   tagfocus=http.route=/fib/\n"
	    "Showing nodes accounting for 240ms, 52.17% of 460ms total\n"));
	assert_non_null(strstr(text, "240ms 52.17%  page_fib\n"));
	assert_null(strstr(text, "memcpy"));

	/* A number without a unit has its key as the unit. */
	text = output("go tool pprof -top -tagfocus=worker=2worker known");
	assert_non_null(strstr(text, "accounting for 250ms, 54.35% of 460ms"));
}

static void
comments_are_printed_as_they_are(void **state)
{
	(void)state;
	assert_string_equal(output("go tool pprof -comments known"),
	    "samples_dropped=3\ntwo of them\n");
}

static void
the_default_value_is_the_last_or_the_one_named(void **state)
{
	struct pp_profile *p = known_profile();

	(void)state;
	p->default_type = pp_profile_string(p, "samples");
	save(p, "named");
	pp_profile_free(p);
	assert_non_null(
	    strstr(output("go tool pprof -top known"), "Type: cpu\n"));
	assert_non_null(
	    strstr(output("go tool pprof -top named"), "Type: samples\n"));
	assert_non_null(strstr(output("go tool pprof -top named"),
	    "        24 52.17% 52.17%         24 52.17%  fib (inline)\n"));
}

static void
two_files_of_one_service_merge(void **state)
{
	(void)state;
	assert_non_null(strstr(output("go tool pprof -top known known"),
	    "Showing nodes accounting for 920ms, 100% of 920ms total\n"));
	assert_non_null(
	    strstr(output("go tool pprof -top -diff_base=known known"),
		"Showing nodes accounting for 0, 0% of 460ms total\n"));
}

static void
long_and_broken_texts_are_read(void **state)
{
	struct pp_profile *p = pp_profile_new();
	int64_t values[2] = { 1, 10000000 };
	static char name[10001];
	struct pp_line line = { 0, 1 };
	const char *text;

	(void)state;
	known_head(p);
	memset(name, 'n', 10000);
	line.function = pp_profile_function(p, name, "caf\xe9.c", 1);
	pp_profile_lines(p, pp_profile_location(p, 16, 0), &line, 1);
	pp_profile_sample(p, values);
	pp_profile_push(p, 1);
	save(p, "long");
	pp_profile_free(p);
	text = output("go tool pprof -raw long");
	assert_non_null(strstr(text, name));
	assert_true(strstr(text, "n caf\xef\xbf\xbd.c:1 s=1\n") != NULL ||
	    strstr(text, "n caf\xef\xbf\xbd.c:1:0 s=1\n") != NULL);
}

static void
a_profile_without_samples_is_read(void **state)
{
	struct pp_profile *p = pp_profile_new();

	(void)state;
	known_head(p);
	save(p, "empty");
	pp_profile_free(p);
	assert_non_null(strstr(output("go tool pprof -raw empty"),
	    "Samples:\nsamples/count cpu/nanoseconds\nLocations\nMappings\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_shows_every_sample_label_line_and_mapping),
		cmocka_unit_test(top_adds_up_and_marks_inlined_calls),
		cmocka_unit_test(tags_show_text_and_numbers),
		cmocka_unit_test(tagfocus_keeps_one_route),
		cmocka_unit_test(comments_are_printed_as_they_are),
		cmocka_unit_test(
		    the_default_value_is_the_last_or_the_one_named),
		cmocka_unit_test(two_files_of_one_service_merge),
		cmocka_unit_test(long_and_broken_texts_are_read),
		cmocka_unit_test(a_profile_without_samples_is_read),
	};

	return (cmocka_run_group_tests(tests, prepare, clean));
}
