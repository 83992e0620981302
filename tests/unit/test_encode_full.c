/*
 * Tests of encode/: what happens when the room or the memory ends, and how
 * much memory a large profile takes.
 */
#include <locale.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "encode/profile/pprof.h"
#include "encode/bytes/sink.h"
#include "failing_malloc.h"
#include "decoded.h"
#include "known_profile.h"

#define LARGE_SAMPLES	100000
#define LARGE_FRAMES	30
#define LARGE_LOCATIONS 4000
#define LARGE_KB_OVER	8192

static void
a_file_that_does_not_fit_the_limit_says_so(void **state)
{
	struct pp_profile *p = known_profile();
	struct pp_buf whole = { 0 }, file;
	size_t limit;

	(void)state;
	assert_int_equal(pp_encode_pprof(p, &whole), 0);
	for (limit = 1; limit <= whole.len; limit++) {
		file = (struct pp_buf){ .limit = limit };
		if (limit < whole.len) {
			assert_int_equal(pp_encode_pprof(p, &file), -1);
			assert_int_equal(file.failed, 1);
			assert_true(file.len <= limit);
		} else {
			assert_int_equal(pp_encode_pprof(p, &file), 0);
			assert_memory_equal(file.data, whole.data, whole.len);
		}
		pp_buf_free(&file);
	}
	pp_buf_free(&whole);
	pp_profile_free(p);
}

static void
a_buffer_that_has_failed_before_stays_as_it_is(void **state)
{
	struct pp_profile *p = known_profile();
	struct pp_buf file = { .limit = 4 };

	(void)state;
	pp_buf_text(&file, "abc");
	pp_buf_text(&file, "too long");
	assert_int_equal(pp_encode_pprof(p, &file), -1);
	assert_int_equal(file.len, 3);
	pp_buf_free(&file);
	pp_profile_free(p);
}

static void
a_profile_that_is_not_whole_is_not_written(void **state)
{
	struct pp_profile *p = known_profile();
	struct pp_buf file = { 0 };

	(void)state;
	p->failed = 1;
	assert_int_equal(pp_encode_pprof(p, &file), -1);
	assert_null(file.data);
	p->failed = 0;
	p->value_types = PP_VALUES_MAX + 1;
	assert_int_equal(pp_encode_pprof(p, &file), -1);
	assert_null(file.data);
	pp_buf_free(&file);
	pp_profile_free(p);
}

static void
any_one_failed_allocation_fails_the_file_and_leaks_nothing(void **state)
{
	struct pp_profile *p;
	struct pp_buf file = { 0 };
	long n, before, was;
	uint32_t i;
	int status;

	(void)state;
	if (!PP_TEST_MALLOC)
		skip();
	p = known_profile();
	for (i = 0; i < 500; i++) /* more strings than the first table has */
		pp_profile_comment(p, "comment %u", i);
	before = live_blocks;
	for (n = 0;; n++) {
		was = failures;
		fail_after = n;
		status = pp_encode_pprof(p, &file);
		fail_after = -1;
		assert_int_equal(status, failures > was ? -1 : 0);
		assert_int_equal(file.failed, failures > was);
		assert_int_equal(p->failed, 0);
		pp_buf_free(&file);
		assert_int_equal(live_blocks, before);
		if (failures == was)
			break;
	}
	/* The sink, zlib's own, the tables and the output. */
	print_message("%ld allocations failed one by one\n", n);
	assert_true(n > 15);
	pp_profile_free(p);
}

static void
a_plain_sink_hands_the_bytes_through(void **state)
{
	struct pp_buf out = { 0 };
	struct pp_sink *sink;

	(void)state;
	sink = pp_sink_open(&out, 0);
	assert_non_null(sink);
	pp_sink_write(sink, "abc", 3);
	pp_sink_write(sink, "\0d", 2);
	assert_int_equal(pp_sink_close(sink), 0);
	assert_int_equal(out.len, 5);
	assert_memory_equal(out.data, "abc\0d", 5);

	out.limit = 6;
	sink = pp_sink_open(&out, 0);
	pp_sink_write(sink, "ef", 2);
	assert_int_equal(pp_sink_close(sink), -1);
	pp_buf_free(&out);
}

/* Pieces below, at and above the sink's blocks, which repeat and which do
 * not, come out as they went in. */
static void
a_gzip_sink_keeps_pieces_of_every_size(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 1, 300000, 5,
		16384, 3 };
	static unsigned char noise[300000 + 10];
	struct pp_buf out = { 0 }, want = { 0 };
	struct pp_sink *sink = pp_sink_open(&out, 1);
	unsigned char *plain;
	size_t i, len;
	uint32_t seed = 1;

	(void)state;
	for (i = 0; i < sizeof(noise); i++) {
		seed = seed * 1664525 + 1013904223;
		noise[i] = i < 150000 ? (unsigned char)(seed >> 24) : 'a';
	}
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		pp_sink_write(sink, noise + i, sizes[i]);
		pp_buf_append(&want, noise + i, sizes[i]);
	}
	assert_int_equal(pp_sink_close(sink), 0);
	plain = gunzip(&out, &len);
	assert_int_equal(len, want.len);
	assert_memory_equal(plain, want.data, len);
	free(plain);
	pp_buf_free(&out);
	pp_buf_free(&want);
}

/* Few shared roots, random leaves: the worst that recursion gives. */
static struct pp_profile *
large_profile(void)
{
	struct pp_mapping kore = { .start = 0x400000,
		.limit = 0x900000,
		.file = "/srv/none/kore",
		.has_functions = 1 };
	struct pp_profile *p = pp_profile_new();
	struct pp_line line = { 0 };
	uint64_t seed = 88172645463325252ULL;
	int64_t values[2];
	char text[64];
	uint32_t i, n;

	known_head(p);
	pp_profile_mapping(p, &kore);
	for (i = 0; i < LARGE_LOCATIONS; i++) {
		snprintf(text, sizeof(text), "function_number_%u", i);
		line.function = pp_profile_function(p, text, "src/app.c", 1);
		line.line = (int32_t)(i % 500 + 1);
		pp_profile_lines(p,
		    pp_profile_location(p, 0x400000 + i * 37ULL, 1), &line, 1);
	}
	for (i = 0; i < LARGE_SAMPLES; i++) {
		values[0] = 1 + i % 7;
		values[1] = values[0] * 10000000;
		pp_profile_sample(p, values);
		for (n = 0; n < LARGE_FRAMES; n++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			pp_profile_push(p,
			    n >= LARGE_FRAMES - 8
				? LARGE_FRAMES - n
				: 9 + (uint32_t)(seed % (LARGE_LOCATIONS - 9)));
		}
		snprintf(text, sizeof(text), "/route/%u", i % 8);
		pp_profile_label_text(p, "http.route", text);
		pp_profile_label_number(p, "worker", i % 2 + 1);
	}
	return (p);
}

/* A line of /proc/self/status, in KiB. */
static long
memory_kb(const char *key)
{
	char line[256];
	long kb = -1;
	FILE *file;

	assert_non_null(file = fopen("/proc/self/status", "r"));
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, key, strlen(key)) == 0)
			kb = strtol(line + strlen(key), NULL, 10);
	}
	fclose(file);
	assert_true(kb > 0);
	return (kb);
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return ((double)now.tv_sec + (double)now.tv_nsec / 1e9);
}

static void
a_large_profile_takes_little_memory_beside_its_output(void **state)
{
	struct pp_profile *p = large_profile();
	struct pp_buf file = { 0 };
	struct decoded d;
	long before, over;
	double began;
	FILE *peak;

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->failed, 0);
	malloc_trim(0); /* or free memory from before would hide some */
	assert_non_null(peak = fopen("/proc/self/clear_refs", "w"));
	fputs("5", peak); /* forget the peak */
	assert_int_equal(fclose(peak), 0);
	before = memory_kb("VmRSS:");
	began = seconds();
	assert_int_equal(pp_encode_pprof(p, &file), 0);
	began = seconds() - began;
	over = memory_kb("VmHWM:") - before - (long)(file.len / 1024);
	print_message("%d samples of %d frames: %.3f s CPU, %zu KiB out, "
		      "%ld KiB more at the peak\n",
	    LARGE_SAMPLES, LARGE_FRAMES, began, file.len / 1024, over);
	/* A sanitizer's own memory would be measured, not ours. */
	if (PP_TEST_MALLOC)
		assert_true(over < LARGE_KB_OVER);
	d = decode(&file);
	check_rules(d.wire);
	check_same(p, d.wire);
	decoded_free(&d);
	pp_buf_free(&file);
	pp_profile_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_does_not_fit_the_limit_says_so),
		cmocka_unit_test(
		    a_buffer_that_has_failed_before_stays_as_it_is),
		cmocka_unit_test(a_profile_that_is_not_whole_is_not_written),
		cmocka_unit_test(
		    any_one_failed_allocation_fails_the_file_and_leaks_nothing),
		cmocka_unit_test(a_plain_sink_hands_the_bytes_through),
		cmocka_unit_test(a_gzip_sink_keeps_pieces_of_every_size),
		cmocka_unit_test(
		    a_large_profile_takes_little_memory_beside_its_output),
	};

	/* For mbstowcs(), which judges the UTF-8. */
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		return (1);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
