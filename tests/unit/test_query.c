/*
 * Tests of service/http/query.c: queries and numbers are read as Go reads them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "service/http/query.h"

static struct pp_query_value
get(const char *query, const char *key)
{
	struct pp_query_value value;

	memset(&value, 0x55, sizeof(value));
	pp_query_get(query, strlen(query), key, &value);
	return (value);
}

#define assert_value(query, key, want)                                         \
	do {                                                                   \
		struct pp_query_value v_ = get(query, key);                    \
		assert_string_equal(v_.text, want);                            \
		assert_int_equal(v_.len, strlen(want));                        \
		assert_int_equal(v_.cut, 0);                                   \
	} while (0)

static void
the_first_pair_of_a_key_wins(void **state)
{
	(void)state;
	assert_value("seconds=1&seconds=2", "seconds", "1");
	assert_value("a=1&seconds=2&b", "seconds", "2");
	assert_value("hz=9&seconds=", "hz", "9");
	assert_value("seconds=&seconds=2", "seconds", "");
	assert_value("&&x=1&", "x", "1");
}

static void
a_key_is_matched_whole(void **state)
{
	(void)state;
	assert_value("xseconds=1", "seconds", "");
	assert_value("second=1", "seconds", "");
	assert_value("secondss=1", "seconds", "");
	assert_value("Seconds=1", "seconds", "");
	assert_value("", "seconds", "");
	assert_value("seconds", "seconds", "");
	assert_value("=1", "seconds", "");
	assert_value("seconds==1", "seconds", "=1");
}

static void
escapes_are_decoded_in_keys_and_values(void **state)
{
	(void)state;
	assert_value("%73econds=%35%30", "seconds", "50");
	assert_value("x=a+b%20c%2Bd%2bE", "x", "a b c+d+E");
	assert_value("x=%26%3d", "x", "&=");
}

static void
a_broken_pair_does_not_count(void **state)
{
	(void)state;
	assert_value("x=%zz&x=2", "x", "2");
	assert_value("x=%4&x=2", "x", "2");
	assert_value("x=%&x=2", "x", "2");
	assert_value("x=1;y=2&x=3", "x", "3");
	assert_value("x=%", "x", "");
	assert_value("%=1&x=4", "x", "4");
}

static void
a_long_value_is_cut_and_says_so(void **state)
{
	char query[300] = "x=", shown[PP_QUERY_VALUE_MAX + 4];
	struct pp_query_value value;
	int64_t number;

	(void)state;
	memset(query + 2, '1', PP_QUERY_VALUE_MAX);
	value = get(query, "x");
	assert_int_equal(value.len, PP_QUERY_VALUE_MAX);
	assert_int_equal(value.cut, 0);
	pp_query_show(&value, shown);
	assert_string_equal(shown, query + 2);
	query[2 + PP_QUERY_VALUE_MAX] = '1';
	value = get(query, "x");
	assert_int_equal(value.len, PP_QUERY_VALUE_MAX);
	assert_int_equal(value.cut, 1);
	pp_query_show(&value, shown);
	assert_int_equal(strlen(shown), PP_QUERY_VALUE_MAX + 3);
	assert_string_equal(shown + PP_QUERY_VALUE_MAX, "...");
	assert_int_equal(pp_query_int(&value, &number), PP_QUERY_TOO_LARGE);
}

static void
a_value_is_shown_in_printable_ascii(void **state)
{
	struct pp_query_value value = get("x=a%00%0d%0a%ff%7f~", "x");
	char shown[PP_QUERY_VALUE_MAX + 4];

	(void)state;
	assert_int_equal(value.len, 7);
	pp_query_show(&value, shown);
	assert_string_equal(shown, "a?????~");
}

static void
whole_numbers_are_read_to_the_last_one(void **state)
{
	static const struct {
		const char *query;
		enum pp_query_number kind;
		int64_t number;
	} row[] = {
		{ "x=0", PP_QUERY_NUMBER, 0 },
		{ "x=007", PP_QUERY_NUMBER, 7 },
		{ "x=%2B5", PP_QUERY_NUMBER, 5 },
		{ "x=-5", PP_QUERY_NUMBER, -5 },
		{ "x=9223372036854775807", PP_QUERY_NUMBER, INT64_MAX },
		{ "x=9223372036854775808", PP_QUERY_TOO_LARGE, 0 },
		{ "x=-9223372036854775808", PP_QUERY_NUMBER, INT64_MIN },
		{ "x=-9223372036854775809", PP_QUERY_TOO_SMALL, 0 },
		{ "x=99999999999999999999999", PP_QUERY_TOO_LARGE, 0 },
		{ "x=", PP_QUERY_NOT_NUMBER, 0 },
		{ "x=-", PP_QUERY_NOT_NUMBER, 0 },
		{ "x=%2B", PP_QUERY_NOT_NUMBER, 0 },
		{ "x=+5", PP_QUERY_NOT_NUMBER, 0 }, /* a space */
		{ "x=1.5", PP_QUERY_NOT_NUMBER, 0 },
		{ "x=1_0", PP_QUERY_NOT_NUMBER, 0 },
		{ "x=0x10", PP_QUERY_NOT_NUMBER, 0 },
		{ "x=5%00", PP_QUERY_NOT_NUMBER, 0 },
		{ "x=99999999999999999999999z", PP_QUERY_NOT_NUMBER, 0 },
	};
	struct pp_query_value value;
	int64_t number;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		value = get(row[i].query, "x");
		if (pp_query_int(&value, &number) != row[i].kind)
			fail_msg("%s is taken for something else",
			    row[i].query);
		if (row[i].kind == PP_QUERY_NUMBER)
			assert_int_equal(number, row[i].number);
	}
}

/* The values are what strconv.ParseUint(s, 0, 64) gives. */
static void
addresses_have_the_base_of_their_prefix(void **state)
{
	static const struct {
		const char *text;
		uint64_t number;
	} row[] = {
		{ "0x401400", 0x401400 },
		{ "0X4fF", 0x4ff },
		{ "0xffffffffffffffff", UINT64_MAX },
		{ "0x10000000000000000", 0 },
		{ "18446744073709551615", UINT64_MAX },
		{ "18446744073709551616", 0 },
		{ "42", 42 },
		{ "0755", 0755 },
		{ "0o17", 017 },
		{ "0O17", 017 },
		{ "0b101", 5 },
		{ "0", 0 },
		{ "00", 0 },
		{ "0x", 0 },
		{ "0b", 0 },
		{ "08", 0 },
		{ "0b2", 0 },
		{ "4f", 0 },
		{ "1_000", 1000 },
		{ "0x_1f", 0x1f },
		{ "0_7", 7 },
		{ "1__0", 0 },
		{ "_1", 0 },
		{ "1_", 0 },
		{ "", 0 },
		{ "-1", 0 },
		{ "+1", 0 },
		{ " 1", 0 },
		{ "1 ", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		if (pp_query_address(row[i].text, strlen(row[i].text)) !=
		    row[i].number)
			fail_msg("%s is read wrong", row[i].text);
	}
}

/* Every buffer is exactly as long as its text, so that a sanitizer sees a
 * byte read beyond it. The seed is fixed: a failure comes again. */
static void
no_text_is_read_beyond_its_end(void **state)
{
	static const char letters[] = "x=&;%+0123456789abfABFxo_-\0";
	struct pp_query_value value;
	int64_t number;
	unsigned int seed = 1;
	size_t len, i;
	char *text;
	int round;

	(void)state;
	for (round = 0; round < 20000; round++) {
		len = (size_t)(rand_r(&seed) % 40);
		text = malloc(len == 0 ? 1 : len);
		assert_non_null(text);
		for (i = 0; i < len; i++)
			text[i] =
			    letters[(size_t)rand_r(&seed) % sizeof(letters)];
		pp_query_get(text, len, "x", &value);
		assert_true(value.len <= len);
		assert_int_equal(value.text[value.len], '\0');
		if (pp_query_int(&value, &number) == PP_QUERY_NUMBER)
			assert_true(value.len > 0);
		(void)pp_query_address(text, len);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_pair_of_a_key_wins),
		cmocka_unit_test(a_key_is_matched_whole),
		cmocka_unit_test(escapes_are_decoded_in_keys_and_values),
		cmocka_unit_test(a_broken_pair_does_not_count),
		cmocka_unit_test(a_long_value_is_cut_and_says_so),
		cmocka_unit_test(a_value_is_shown_in_printable_ascii),
		cmocka_unit_test(whole_numbers_are_read_to_the_last_one),
		cmocka_unit_test(addresses_have_the_base_of_their_prefix),
		cmocka_unit_test(no_text_is_read_beyond_its_end),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
