/*
 * Tests of encode/profile/pprof.c: the bytes, read back. What happens when memory or
 * room ends is in test_encode_full.c, what readers make of a file in
 * test_encode_go.c.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "encode/profile/pprof.h"
#include "decoded.h"
#include "known_profile.h"

static void
a_decoded_file_is_the_profile(void **state)
{
	struct pp_profile *p = known_profile();
	struct pp_buf file = { 0 };
	struct decoded d;

	(void)state;
	pp_profile_string(p, "interned but not used");
	assert_int_equal(pp_encode_pprof(p, &file), 0);
	d = decode(&file);
	check_rules(d.wire);
	check_same(p, d.wire);
	assert_int_equal(d.wire->n_sample_type, 2);
	assert_text(d.wire, d.wire->sample_type[0]->type, "samples");
	assert_text(d.wire, d.wire->sample_type[1]->unit, "nanoseconds");
	assert_text(d.wire, d.wire->period_type->type, "cpu");
	assert_int_equal(d.wire->period, 10000000);
	assert_int_equal(d.wire->time_nanos, 1700000000000000000LL);
	assert_int_equal(d.wire->duration_nanos, 2000000000);
	assert_true(d.wire->mapping[0]->has_inline_frames);
	assert_true(d.wire->mapping[1]->has_functions);
	assert_false(d.wire->mapping[1]->has_filenames);
	/* The leaf's innermost call stands first. */
	assert_text(d.wire,
	    d.wire->function[d.wire->location[1]->line[0]->function_id - 1]
		->name,
	    "fib");
	/* Each text once: 4 of the types, 4 of the mappings, 6 of the
	 * functions, 5 keys and 3 values of labels, 2 comments, and "". */
	assert_int_equal(d.wire->n_string_table, 25);
	decoded_free(&d);
	pp_buf_free(&file);
	pp_profile_free(p);
}

static void
what_is_not_set_is_not_in_the_file(void **state)
{
	struct pp_profile *p = known_profile();
	struct pp_buf file = { 0 };
	struct decoded d;

	(void)state;
	assert_int_equal(pp_encode_pprof(p, &file), 0);
	d = decode(&file);
	assert_int_equal(d.fields[9], 1); /* time, once */
	assert_int_equal(d.fields[10], 1);
	assert_int_equal(d.fields[14], 0); /* default type */
	decoded_free(&d);
	pp_buf_free(&file);

	p->duration_ns = 0;
	p->default_type = "samples"; /* a literal will do */
	assert_int_equal(pp_encode_pprof(p, &file), 0);
	d = decode(&file);
	assert_int_equal(d.fields[9], 1);
	assert_int_equal(d.fields[10], 0);
	assert_int_equal(d.fields[14], 1);
	assert_text(d.wire, d.wire->default_sample_type, "samples");
	check_rules(d.wire);
	decoded_free(&d);
	pp_buf_free(&file);
	pp_profile_free(p);
}

static void
an_empty_profile_is_a_valid_file(void **state)
{
	struct pp_profile *p = pp_profile_new();
	struct pp_buf file = { 0 };
	struct decoded d;

	(void)state;
	assert_int_equal(pp_encode_pprof(p, &file), 0);
	d = decode(&file);
	check_rules(d.wire);
	assert_int_equal(d.wire->n_string_table, 1);
	assert_int_equal(d.fields[11], 0);
	decoded_free(&d);
	pp_buf_free(&file);
	pp_profile_free(p);
}

static void
odd_texts_numbers_and_depths_arrive_whole(void **state)
{
	struct pp_profile *p = pp_profile_new();
	struct pp_mapping high = { .start = UINT64_MAX - 1,
		.limit = UINT64_MAX,
		.offset = UINT64_MAX };
	struct pp_buf file = { 0 };
	struct pp_line line[40];
	int64_t values[2] = { -1, INT64_MIN };
	static char text[10001];
	struct decoded d;
	uint32_t i;

	(void)state;
	known_head(p);
	memset(text, 'x', 10000);
	text[5000] = '\xff';
	for (i = 0; i < 40; i++) {
		text[i] = '\xc3'; /* a cut sequence before each x */
		line[i].function = pp_profile_function(p, text, text + i, -1);
		line[i].line = INT32_MIN + (int32_t)i;
	}
	pp_profile_location(p, UINT64_MAX, pp_profile_mapping(p, &high));
	pp_profile_lines(p, 1, line, 40);
	pp_profile_sample(p, values);
	for (i = 0; i < 5000; i++) /* a sample larger than the sink's block */
		pp_profile_push(p, 1);
	pp_profile_label_number(p, "big", INT64_MAX);
	pp_profile_label_text(p, "text", text);
	pp_profile_sample(p, values); /* without a stack, without labels */
	pp_profile_comment(p, "%s", text);
	assert_int_equal(p->failed, 0);
	assert_int_equal(pp_encode_pprof(p, &file), 0);
	d = decode(&file);
	check_rules(d.wire);
	check_same(p, d.wire);
	decoded_free(&d);
	pp_buf_free(&file);
	pp_profile_free(p);
}

static void
the_same_profile_gives_the_same_bytes(void **state)
{
	struct pp_buf file[2] = { { 0 } };
	struct pp_profile *p[2];
	void *between;

	(void)state;
	/* Both are alive at once, so no text of theirs has the same address
	 * and the index over addresses is in another order. */
	p[0] = known_profile();
	between = malloc(12345);
	p[1] = known_profile();
	assert_int_equal(pp_encode_pprof(p[0], &file[0]), 0);
	assert_int_equal(pp_encode_pprof(p[1], &file[1]), 0);
	assert_int_equal(file[0].len, file[1].len);
	assert_memory_equal(file[0].data, file[1].data, file[0].len);
	/* gzip, deflate, no name, no time, fastest. */
	assert_memory_equal(file[0].data, "\x1f\x8b\x08\0\0\0\0\0\x04", 9);
	free(between);
	pp_buf_free(&file[0]);
	pp_buf_free(&file[1]);
	pp_profile_free(p[0]);
	pp_profile_free(p[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_decoded_file_is_the_profile),
		cmocka_unit_test(what_is_not_set_is_not_in_the_file),
		cmocka_unit_test(an_empty_profile_is_a_valid_file),
		cmocka_unit_test(odd_texts_numbers_and_depths_arrive_whole),
		cmocka_unit_test(the_same_profile_gives_the_same_bytes),
	};

	/* For mbstowcs(), which judges the UTF-8. */
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		return (1);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
