/*
 * Tests of base/buf.c: bytes arrive whole, or not at all and for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "failing_malloc.h"

static void
a_zeroed_buffer_is_empty_and_costs_nothing(void **state)
{
	struct pp_buf buf = { 0 };

	(void)state;
	pp_buf_append(&buf, "", 0);
	pp_buf_text(&buf, "");
	pp_buf_printf(&buf, "%s", "");
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf.failed, 0);
	pp_buf_free(&buf);
}

static void
a_million_small_appends_keep_every_byte(void **state)
{
	struct pp_buf buf = { 0 };
	uint32_t i, read;

	(void)state;
	for (i = 0; i < 1000000; i++)
		pp_buf_append(&buf, &i, sizeof(i));
	assert_int_equal(buf.failed, 0);
	assert_int_equal(buf.len, 1000000 * sizeof(i));
	for (i = 0; i < 1000000; i++) {
		memcpy(&read, buf.data + i * sizeof(i), sizeof(read));
		assert_int_equal(read, i);
	}
	pp_buf_free(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
}

/* Around every boundary of the first blocks, where the NUL that vsnprintf
 * writes just fits or just does not. */
static void
printf_is_whole_at_every_fill(void **state)
{
	static const char want[] = "<-42 and some text>";
	struct pp_buf buf;
	size_t fill, i;

	(void)state;
	for (fill = 0; fill < 600; fill++) {
		buf = (struct pp_buf){ 0 };
		for (i = 0; i < fill; i++)
			pp_buf_append(&buf, "x", 1);
		pp_buf_printf(&buf, "<%d and %s>", -42, "some text");
		assert_int_equal(buf.failed, 0);
		assert_int_equal(buf.len, fill + strlen(want));
		assert_memory_equal(buf.data + fill, want, strlen(want));
		assert_true(buf.room >= buf.len);
		pp_buf_free(&buf);
	}
}

static void
printf_takes_a_text_far_longer_than_the_room(void **state)
{
	struct pp_buf buf = { 0 };

	(void)state;
	pp_buf_text(&buf, "abc");
	pp_buf_printf(&buf, "%0100000d", 7);
	assert_int_equal(buf.len, 100003);
	assert_int_equal(buf.data[100002], '7');
	assert_memory_equal(buf.data, "abc0", 4);
	pp_buf_free(&buf);
}

static void
an_append_over_the_limit_fails_whole_and_for_ever(void **state)
{
	struct pp_buf buf = { .limit = 10 };

	(void)state;
	pp_buf_text(&buf, "1234");
	pp_buf_printf(&buf, "%d", 567890);
	assert_int_equal(buf.failed, 0);
	assert_int_equal(buf.len, 10);

	pp_buf_text(&buf, "x");
	assert_int_equal(buf.failed, 1);
	assert_int_equal(buf.len, 10);
	assert_memory_equal(buf.data, "1234567890", 10);

	pp_buf_free(&buf);
	assert_int_equal(buf.failed, 0);
	assert_int_equal(buf.limit, 10);
	pp_buf_text(&buf, "12345678");
	pp_buf_printf(&buf, "%s", "abc");
	assert_int_equal(buf.failed, 1);
	assert_int_equal(buf.len, 8);
	/* These two would fit, but the text before them is missing. */
	pp_buf_append(&buf, "y", 1);
	pp_buf_printf(&buf, "%d", 1);
	assert_int_equal(buf.len, 8);
	pp_buf_free(&buf);
}

static void
a_length_that_no_memory_has_fails_without_wrapping(void **state)
{
	struct pp_buf buf = { 0 };

	(void)state;
	pp_buf_text(&buf, "abc");
	pp_buf_append(&buf, "x", SIZE_MAX - 1);
	assert_int_equal(buf.failed, 1);
	assert_int_equal(buf.len, 3);
	pp_buf_free(&buf);
}

static void
a_failed_allocation_is_remembered(void **state)
{
	struct pp_buf buf = { 0 };
	int i;

	(void)state;
	if (!PP_TEST_MALLOC)
		skip();
	for (i = 0; i < 2; i++) {
		pp_buf_text(&buf, "kept");
		fail_after = 0;
		if (i == 0)
			pp_buf_printf(&buf, "%0300d", 1);
		else
			pp_buf_append(&buf, (char[300]){ 0 }, 300);
		assert_int_equal(fail_after, -1);
		assert_int_equal(buf.failed, 1);
		pp_buf_text(&buf, "x");
		assert_int_equal(buf.len, 4);
		assert_memory_equal(buf.data, "kept", 4);
		pp_buf_free(&buf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zeroed_buffer_is_empty_and_costs_nothing),
		cmocka_unit_test(a_million_small_appends_keep_every_byte),
		cmocka_unit_test(printf_is_whole_at_every_fill),
		cmocka_unit_test(printf_takes_a_text_far_longer_than_the_room),
		cmocka_unit_test(
		    an_append_over_the_limit_fails_whole_and_for_ever),
		cmocka_unit_test(
		    a_length_that_no_memory_has_fails_without_wrapping),
		cmocka_unit_test(a_failed_allocation_is_remembered),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
