/*
 * capture/trace_user: what an application writes into a trace, and to what it
 * belongs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "capture/trace.h"
#include "capture/trace_user.h"

#define SLOT	1
#define REQUEST 1001

static struct pp_arena *arena;
static struct pp_slot *slot;

static uint64_t record[PP_TRACE_RECORD_MAX];
static uint32_t record_n, record_m;

/* The kind of the next record; 0: there is none. */
static unsigned int
take(void)
{
	int words;

	memset(record, 0xff, sizeof(record));
	words = pp_record_take(slot, 0, pp_record_reached(slot, 0), record);
	if (words == 0)
		return (0);
	assert_true(words > 0);
	record_n = (uint32_t)(record[0] >> 16 & 0xffff);
	record_m = (uint32_t)(record[0] >> 32);
	return ((unsigned int)(record[0] >> 8 & 0xff));
}

static void
trace_with(uint32_t number)
{
	atomic_store(&arena->control.trace, number);
	pp_trace_apply();
	pp_trace_begin_loop();
	pp_record_skip(slot, 0);
}

static int
begin(void **state)
{
	static uint32_t number;

	(void)state;
	trace_with(number += 2);
	pp_self_inflight = pp_self_request = REQUEST;
	return (0);
}

static int
end(void **state)
{
	(void)state;
	pp_trace_user_returned();
	trace_with(0);
	return (0);
}

#define assert_text(words, len, text)                                          \
	do {                                                                   \
		assert_int_equal(len, strlen(text));                           \
		assert_memory_equal(words, text, strlen(text));                \
	} while (0)

static void
a_task_is_a_part_of_the_request(void **state)
{
	(void)state;
	assert_int_equal(pp_trace_user_task(7, "invoice"), 0);
	assert_int_equal(take(), PP_TRACE_USER_TASK);
	assert_int_equal(record[2], 7);
	assert_int_equal(record[3], REQUEST);
	assert_text(record + 4, record_n, "invoice");
	pp_trace_user_task_end(7);
	assert_int_equal(take(), PP_TRACE_USER_TASK_END);
	assert_int_equal(record[2], 7);
	assert_int_equal(take(), 0);
}

static void
a_region_belongs_to_the_task_that_began_last(void **state)
{
	(void)state;
	pp_trace_user_region("outside");
	assert_int_equal(take(), PP_TRACE_USER_REGION);
	assert_int_equal(record[2], REQUEST);
	assert_text(record + 3, record_n, "outside");
	(void)pp_trace_user_task(7, "one");
	(void)pp_trace_user_task(8, "two");
	assert_int_equal(take(), PP_TRACE_USER_TASK);
	assert_int_equal(take(), PP_TRACE_USER_TASK);
	assert_int_equal(record[3], 7);
	/* The one below ends first. */
	pp_trace_user_task_end(7);
	assert_int_equal(take(), PP_TRACE_USER_TASK_END);
	pp_trace_user_region("inside");
	assert_int_equal(take(), PP_TRACE_USER_REGION);
	assert_int_equal(record[2], 8);
	pp_trace_user_task_end(8);
	assert_int_equal(take(), PP_TRACE_USER_TASK_END);
	pp_trace_user_log("", "after");
	assert_int_equal(take(), PP_TRACE_USER_LOG);
	assert_int_equal(record[2], REQUEST);
	pp_trace_user_region_end();
	pp_trace_user_region_end();
	pp_trace_user_region_end();
	assert_int_equal(take(), PP_TRACE_USER_REGION_END);
	assert_int_equal(take(), PP_TRACE_USER_REGION_END);
	assert_int_equal(take(), 0);
}

static void
what_is_forgotten_ends_with_the_handler(void **state)
{
	(void)state;
	(void)pp_trace_user_task(7, "stays");
	pp_trace_user_region("a");
	pp_trace_user_region("b");
	pp_trace_user_returned();
	assert_int_equal(take(), PP_TRACE_USER_TASK);
	assert_int_equal(take(), PP_TRACE_USER_REGION);
	assert_int_equal(take(), PP_TRACE_USER_REGION);
	assert_int_equal(take(), PP_TRACE_USER_REGION_END);
	assert_int_equal(take(), PP_TRACE_USER_REGION_END);
	assert_int_equal(take(), 0);
	pp_self_request = REQUEST + 1;
	pp_trace_user_region("of the next request");
	assert_int_equal(take(), PP_TRACE_USER_REGION);
	assert_int_equal(record[2], REQUEST + 1);
	/* The task ends in another handler than it began in. */
	pp_trace_user_task_end(7);
	assert_int_equal(take(), PP_TRACE_USER_TASK_END);
	assert_int_equal(record[2], 7);
}

static void
an_end_is_written_only_where_its_beginning_was(void **state)
{
	uint32_t number = atomic_load(&arena->control.trace), i;

	(void)state;
	pp_trace_user_region("before");
	trace_with(number + 1);
	pp_trace_user_region_end();
	assert_int_equal(take(), 0);
	/* The ring is full when it begins, and has room when it ends. */
	pp_trace_user_region("first");
	for (i = 0; i < PP_TRACE_LOOP_WORDS / 2; i++)
		pp_trace(PP_TRACE_POLL, 0, 0);
	pp_trace_user_region("lost");
	pp_record_skip(slot, 0);
	pp_trace_user_region_end();
	assert_int_equal(take(), 0);
	pp_trace_user_region_end();
	assert_int_equal(take(), PP_TRACE_DROPPED);
	assert_int_equal(take(), PP_TRACE_USER_REGION_END);
	assert_int_equal(take(), 0);
}

static void
regions_that_are_too_deep_are_left_out(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < PP_TRACE_REGIONS_MAX + 10; i++)
		pp_trace_user_region("deep");
	for (i = 0; i < PP_TRACE_REGIONS_MAX; i++)
		assert_int_equal(take(), PP_TRACE_USER_REGION);
	assert_int_equal(take(), 0);
	for (i = 0; i < 10; i++)
		pp_trace_user_region_end();
	assert_int_equal(take(), 0);
	for (i = 0; i < PP_TRACE_REGIONS_MAX; i++) {
		pp_trace_user_region_end();
		assert_int_equal(take(), PP_TRACE_USER_REGION_END);
	}
	for (i = 0; i < PP_TRACE_TASKS_MAX + 1; i++)
		assert_int_equal(pp_trace_user_task((uint64_t)(100 + i),
				     "deep"),
		    0);
	pp_trace_user_log("", "within");
	for (i = 0; i < PP_TRACE_TASKS_MAX + 1; i++)
		assert_int_equal(take(), PP_TRACE_USER_TASK);
	assert_int_equal(take(), PP_TRACE_USER_LOG);
	assert_int_equal(record[2], 100 + PP_TRACE_TASKS_MAX - 1);
}

static void
texts_are_whole_or_end_with_a_character(void **state)
{
	char longer[PP_TRACE_TEXT_MAX + 100];
	uint32_t i;

	(void)state;
	pp_trace_user_log("eight ch", "12345678 and one");
	assert_int_equal(take(), PP_TRACE_USER_LOG);
	assert_text(record + 3, record_n, "eight ch");
	assert_text(record + 4, record_m, "12345678 and one");
	pp_trace_user_log("", "");
	assert_int_equal(take(), PP_TRACE_USER_LOG);
	assert_int_equal(record[0] & 0xff, 3);
	/* Padded with 0. */
	pp_trace_user_region("abc");
	assert_int_equal(take(), PP_TRACE_USER_REGION);
	assert_int_equal(record[3], 0x636261);
	for (i = 0; i < 4; i++) {
		memset(longer, 'x', sizeof(longer));
		longer[sizeof(longer) - 1] = '\0';
		/* A character of four bytes, of which i fit. */
		memcpy(longer + PP_TRACE_TEXT_MAX - i, "\xf0\x9f\x92\xa1", 4);
		pp_trace_user_log(longer, longer);
		assert_int_equal(take(), PP_TRACE_USER_LOG);
		assert_int_equal(record_n, PP_TRACE_TEXT_MAX - i);
		assert_int_equal(record_m, PP_TRACE_TEXT_MAX - i);
	}
	/* What is no UTF-8 is cut somewhere. */
	memset(longer, 0x80, sizeof(longer) - 1);
	pp_trace_user_log(longer, "");
	assert_int_equal(take(), PP_TRACE_USER_LOG);
	assert_in_range(record_n, PP_TRACE_TEXT_MAX - 4, PP_TRACE_TEXT_MAX);
	longer[PP_TRACE_TEXT_MAX] = '\0';
	pp_trace_user_log(longer, "");
	assert_int_equal(take(), PP_TRACE_USER_LOG);
	assert_int_equal(record_n, PP_TRACE_TEXT_MAX);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_task_is_a_part_of_the_request),
		TEST(a_region_belongs_to_the_task_that_began_last),
		TEST(what_is_forgotten_ends_with_the_handler),
		TEST(an_end_is_written_only_where_its_beginning_was),
		TEST(regions_that_are_too_deep_are_left_out),
		TEST(texts_are_whole_or_end_with_a_character),
	};
	const char *why;
	int fd;

	arena = pp_arena_create(2, &fd);
	if (arena == NULL || pp_self_prepare(&why) == -1)
		return (1);
	pp_self_start(arena, SLOT);
	slot = &arena->slot[SLOT];
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
