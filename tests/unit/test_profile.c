/*
 * Tests of profile/profile.c and its index, idmap.c; texts are in
 * test_strings.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "profile/profile.h"
#include "failing_malloc.h"

static void
ids_count_from_one_in_the_order_of_first_mention(void **state)
{
	struct pp_profile *p = pp_profile_new();
	struct pp_mapping mapping = { .file = "f", .build_id = NULL };
	char name[32];
	uint32_t i, round;

	(void)state;
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 300; i++) {
			mapping.start = (uint64_t)(300 - i) << 32;
			assert_int_equal(pp_profile_mapping(p, &mapping),
			    i + 1);
		}
		for (i = 0; i < 100000; i++) {
			snprintf(name, sizeof(name), "f%u", i % 1000);
			assert_int_equal(pp_profile_location(p,
					     (uint64_t)i * 64, i % 301),
			    i + 1);
			if (i < 1000)
				assert_int_equal(pp_profile_function(p, name,
						     "a.c", 7),
				    i + 1);
		}
	}
	assert_int_equal(p->mappings, 300);
	assert_int_equal(p->locations, 100000);
	assert_int_equal(p->functions, 1000);
	for (i = 0; i < 100000; i++) {
		assert_int_equal(p->location[i].address, (uint64_t)i * 64);
		assert_int_equal(p->location[i].mapping, i % 301);
	}
	assert_string_equal(p->function[999].name, "f999");
	assert_int_equal(p->mapping[299].start, 1ULL << 32);
	assert_string_equal(p->mapping[299].build_id, "");
	pp_profile_free(p);
}

static void
a_function_is_its_name_its_file_and_its_first_line(void **state)
{
	struct pp_profile *p = pp_profile_new();

	(void)state;
	assert_int_equal(pp_profile_function(p, "init", "a.c", 10), 1);
	assert_int_equal(pp_profile_function(p, "init", "b.c", 10), 2);
	assert_int_equal(pp_profile_function(p, "init", "a.c", 11), 3);
	assert_int_equal(pp_profile_function(p, "exit", "a.c", 10), 4);
	assert_int_equal(pp_profile_function(p, "init", NULL, -1), 5);
	assert_int_equal(pp_profile_function(p, "init", "a.c", 10), 1);
	assert_string_equal(p->function[4].file, "");
	assert_int_equal(p->function[4].start_line, -1);
	pp_profile_free(p);
}

static void
samples_keep_their_stacks_and_labels_while_arrays_grow(void **state)
{
	struct pp_profile *p = pp_profile_new();
	const struct pp_sample *sample;
	const struct pp_label *label;
	int64_t values[PP_VALUES_MAX];
	uint32_t i, n;
	char text[32];

	(void)state;
	p->value_types = 3;
	for (i = 0; i < 100; i++)
		pp_profile_location(p, 4096 + i, 0);
	for (i = 0; i < 2000; i++) {
		for (n = 0; n < PP_VALUES_MAX; n++)
			values[n] = (int64_t)i * 10 + n;
		pp_profile_sample(p, values);
		for (n = 0; n < i % 41; n++) {
			pp_profile_push(p, (i + n) % 100 + 1);
			if (n % 5 == 0) /* mixed as the caller likes */
				pp_profile_label_number(p, "n", i + n + 1);
		}
		snprintf(text, sizeof(text), "/route/%u", i);
		pp_profile_label_text(p, "http.route", text);
	}
	assert_int_equal(p->failed, 0);
	assert_int_equal(p->samples, 2000);
	for (i = 0; i < 2000; i++) {
		sample = &p->sample[i];
		assert_int_equal(sample->value[2], i * 10 + 2);
		assert_int_equal(sample->value[3], 0); /* no such type */
		assert_int_equal(sample->locations, i % 41);
		for (n = 0; n < i % 41; n++)
			assert_int_equal(p->stack[sample->first_location + n],
			    (i + n) % 100 + 1);
		label = &p->label[sample->first_label];
		assert_int_equal(sample->labels, (i % 41 + 4) / 5 + 1);
		for (n = 0; n + 1 < sample->labels; n++, label++) {
			assert_string_equal(label->key, "n");
			assert_null(label->text);
			assert_int_equal(label->number, i + n * 5 + 1);
		}
		snprintf(text, sizeof(text), "/route/%u", i);
		assert_string_equal(label->key, "http.route");
		assert_ptr_equal(label->text, pp_profile_string(p, text));
	}
	pp_profile_free(p);
}

static void
labels_that_readers_drop_are_not_added(void **state)
{
	struct pp_profile *p = pp_profile_new();
	int64_t value = 1;

	(void)state;
	p->value_types = 1;
	pp_profile_label_text(p, "early", "before any sample");
	pp_profile_sample(p, &value);
	pp_profile_label_number(p, "worker", 0);
	pp_profile_label_number(p, "worker", -1);
	pp_profile_label_number(p, "", 1);
	pp_profile_label_text(p, "http.route", "");
	pp_profile_label_text(p, "http.route", NULL);
	pp_profile_label_text(p, NULL, "x");
	assert_int_equal(p->labels, 0);
	assert_int_equal(p->sample[0].labels, 0);
	pp_profile_label_number(p, "worker", 1);
	assert_int_equal(p->sample[0].labels, 1);
	assert_int_equal(p->failed, 0);
	pp_profile_free(p);
}

static void
ids_that_were_never_given_out_are_not_taken_over(void **state)
{
	struct pp_profile *p = pp_profile_new();
	struct pp_line lines[2] = { { 1, 10 }, { 2, 20 } };
	int64_t value = 1;

	(void)state;
	p->value_types = 1;
	pp_profile_push(p, 1);
	assert_int_equal(pp_profile_location(p, 16, 9), 1);
	assert_int_equal(p->location[0].mapping, 0);
	assert_int_equal(pp_profile_function(p, "f", "", 0), 1);
	pp_profile_lines(p, 1, lines, 2); /* function 2 does not exist */
	assert_int_equal(p->location[0].lines, 0);
	pp_profile_lines(p, 2, lines, 1);
	pp_profile_lines(p, 0, lines, 1);
	assert_int_equal(p->lines, 0);
	pp_profile_sample(p, &value);
	pp_profile_push(p, 0);
	pp_profile_push(p, 2);
	assert_int_equal(p->stack_used, 0);
	assert_int_equal(p->sample[0].locations, 0);
	pp_profile_free(p);
}

static void
a_location_keeps_the_first_lines_it_got(void **state)
{
	struct pp_profile *p = pp_profile_new();
	struct pp_line inlined[2] = { { 1, 10 }, { 2, 20 } };
	struct pp_line other = { 2, 99 };
	uint32_t at;

	(void)state;
	pp_profile_function(p, "inner", "a.c", 1);
	pp_profile_function(p, "outer", "a.c", 2);
	at = pp_profile_location(p, 16, 0);
	pp_profile_lines(p, at, inlined, 2);
	pp_profile_lines(p, at, &other, 1);
	assert_int_equal(p->lines, 2);
	assert_int_equal(p->location[0].lines, 2);
	assert_memory_equal(&p->line[p->location[0].first_line], inlined,
	    sizeof(inlined));
	pp_profile_free(p);
}

static void
comments_are_formatted_at_any_length(void **state)
{
	struct pp_profile *p = pp_profile_new();
	uint32_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		pp_profile_comment(p, "lost_%u=%u", i, i * i);
	pp_profile_comment(p, "%05000d", 7);
	pp_profile_comment(p, "%s", "bad \xff");
	assert_int_equal(p->comments, 102);
	assert_string_equal(p->comment[99], "lost_99=9801");
	assert_int_equal(strlen(p->comment[100]), 5000);
	assert_string_equal(p->comment[101], "bad \xef\xbf\xbd");
	pp_profile_free(p);
}

/* A profile that makes every array and index grow at least twice. */
static void
fill(struct pp_profile *p)
{
	struct pp_mapping mapping = { .file = "bad \xff", .build_id = "00" };
	struct pp_line line[2];
	int64_t value = 5;
	uint32_t i, at;
	char name[32];

	p->value_types = 1;
	for (i = 0; i < 80; i++) {
		snprintf(name, sizeof(name), "name %u", i);
		mapping.start = i;
		at = pp_profile_location(p, i, pp_profile_mapping(p, &mapping));
		line[0].function = pp_profile_function(p, name, "x.c", 1);
		line[1].function = pp_profile_function(p, "outer", name, 2);
		line[0].line = line[1].line = (int32_t)i;
		pp_profile_lines(p, at, line, 2);
		pp_profile_sample(p, &value);
		pp_profile_push(p, at);
		pp_profile_label_text(p, "key", name);
		pp_profile_label_number(p, "number", i + 1);
		pp_profile_comment(p, "comment %u", i);
	}
}

/* Nothing may refer to what is not there, also in a profile that failed. */
static void
check_references(const struct pp_profile *p)
{
	uint32_t i;

	for (i = 0; i < p->samples; i++) {
		assert_true(
		    p->sample[i].first_location + p->sample[i].locations <=
		    p->stack_used);
		assert_true(p->sample[i].first_label + p->sample[i].labels <=
		    p->labels);
	}
	for (i = 0; i < p->stack_used; i++)
		assert_in_range(p->stack[i], 1, p->locations);
	for (i = 0; i < p->labels; i++)
		assert_true(strlen(p->label[i].key) > 0);
	for (i = 0; i < p->locations; i++) {
		assert_true(p->location[i].mapping <= p->mappings);
		assert_true(p->location[i].first_line + p->location[i].lines <=
		    p->lines);
	}
	for (i = 0; i < p->lines; i++)
		assert_in_range(p->line[i].function, 1, p->functions);
}

static void
any_one_failed_allocation_is_remembered_and_leaks_nothing(void **state)
{
	struct pp_profile *p;
	long n, before, was;
	uint32_t samples, stack_used, comments;

	(void)state;
	if (!PP_TEST_MALLOC)
		skip();
	for (n = 0;; n++) {
		before = live_blocks;
		was = failures;
		fail_after = n;
		p = pp_profile_new();
		if (p != NULL)
			fill(p);
		fail_after = -1;
		if (p != NULL) {
			assert_int_equal(p->failed, failures > was);
			check_references(p);
			samples = p->samples;
			stack_used = p->stack_used;
			comments = p->comments;
			fill(p); /* there is memory again: still failed */
			pp_profile_push(p, 1);
			if (p->failed) {
				assert_int_equal(p->samples, samples);
				assert_int_equal(p->stack_used, stack_used);
				assert_int_equal(p->comments, comments);
			}
			pp_profile_free(p);
		}
		assert_int_equal(live_blocks, before);
		if (failures == was)
			break;
	}
	/* Each array and index at least once, else this tested nothing. */
	print_message("%ld allocations failed one by one\n", n);
	assert_true(n > 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    ids_count_from_one_in_the_order_of_first_mention),
		cmocka_unit_test(
		    a_function_is_its_name_its_file_and_its_first_line),
		cmocka_unit_test(
		    samples_keep_their_stacks_and_labels_while_arrays_grow),
		cmocka_unit_test(labels_that_readers_drop_are_not_added),
		cmocka_unit_test(
		    ids_that_were_never_given_out_are_not_taken_over),
		cmocka_unit_test(a_location_keeps_the_first_lines_it_got),
		cmocka_unit_test(comments_are_formatted_at_any_length),
		cmocka_unit_test(
		    any_one_failed_allocation_is_remembered_and_leaks_nothing),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
