/*
 * Tests of merge/stacks.c: stacks are stored once, bounded, and survive a
 * sweep when they are needed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "merge/stacks.h"

/* Stack number n: n % 9 + 3 words that only it has. */
static uint32_t
make(uint64_t *words, uint32_t n)
{
	uint32_t i, count = n % 9 + 3;

	for (i = 0; i < count; i++)
		words[i] = (uint64_t)n << 16 | i;
	return (count);
}

static void
equal_stacks_have_one_id_and_read_back(void **state)
{
	struct pp_stacks *stacks = pp_stacks_new(40000);
	uint64_t words[16];
	const uint64_t *back;
	uint32_t id[500], n, count, read;

	(void)state;
	for (n = 0; n < 500; n++) {
		count = make(words, n);
		id[n] = pp_stacks_intern(stacks, words, count);
		assert_int_not_equal(id[n], PP_STACKS_NONE);
	}
	for (n = 0; n < 500; n++) {
		count = make(words, n);
		assert_int_equal(pp_stacks_intern(stacks, words, count), id[n]);
		back = pp_stacks_get(stacks, id[n], &read);
		assert_int_equal(read, count);
		assert_memory_equal(back, words, count * sizeof(*words));
	}
	/* A prefix is another stack. */
	count = make(words, 8);
	assert_int_not_equal(pp_stacks_intern(stacks, words, count - 1), id[8]);
	assert_int_equal(pp_stacks_intern(stacks, words, 0), PP_STACKS_NONE);
	pp_stacks_free(stacks);
}

static void
a_full_store_keeps_room_for_leaves(void **state)
{
	struct pp_stacks *stacks = pp_stacks_new(1000);
	uint64_t words[16];
	uint32_t n, count, first = 0, shorts = 0;

	(void)state;
	for (n = 0; n < 10000; n++) {
		count = make(words, n);
		if (pp_stacks_intern(stacks, words, count) == PP_STACKS_NONE)
			break;
		if (n == 0)
			first = 1;
	}
	assert_int_equal(first, 1);
	assert_true(n < 1000);
	for (n = 20000; n < 30000; n++) {
		words[0] = n;
		words[1] = 1;
		if (pp_stacks_intern(stacks, words, 2) == PP_STACKS_NONE)
			break;
		shorts++;
	}
	assert_true(shorts >= 2);
	assert_true(pp_stacks_fill(stacks) <= 1000);
	count = make(words, 0);
	assert_int_not_equal(pp_stacks_intern(stacks, words, count),
	    PP_STACKS_NONE);
	pp_stacks_free(stacks);
}

static void
a_sweep_keeps_what_is_marked_and_makes_room(void **state)
{
	struct pp_stacks *stacks = pp_stacks_new(40000);
	static uint32_t id[1000], hash[1000];
	uint64_t words[16];
	const uint64_t *back;
	uint32_t n, count, read, before, kept = 0;

	(void)state;
	for (n = 0; n < 1000; n++) {
		count = make(words, n);
		id[n] = pp_stacks_intern(stacks, words, count);
		hash[n] = pp_stacks_hash(stacks, id[n]);
	}
	before = pp_stacks_fill(stacks);
	for (n = 0; n < 1000; n += 3)
		pp_stacks_mark(stacks, id[n]);
	pp_stacks_mark(stacks, PP_STACKS_NONE);
	pp_stacks_settle(stacks);
	for (n = 0; n < 1000; n += 3)
		id[n] = pp_stacks_moved(stacks, id[n]);
	assert_int_equal(pp_stacks_moved(stacks, PP_STACKS_NONE),
	    PP_STACKS_NONE);
	pp_stacks_sweep(stacks);
	assert_true(pp_stacks_fill(stacks) < before / 2);
	for (n = 0; n < 1000; n += 3) {
		count = make(words, n);
		back = pp_stacks_get(stacks, id[n], &read);
		assert_int_equal(read, count);
		assert_memory_equal(back, words, count * sizeof(*words));
		assert_int_equal(pp_stacks_hash(stacks, id[n]), hash[n]);
		assert_int_equal(pp_stacks_intern(stacks, words, count), id[n]);
		kept = id[n] + count + 1;
	}
	/* What was not marked is gone, and comes back behind the rest. */
	count = make(words, 1);
	assert_int_equal(pp_stacks_intern(stacks, words, count), kept);
	pp_stacks_free(stacks);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_stacks_have_one_id_and_read_back),
		cmocka_unit_test(a_full_store_keeps_room_for_leaves),
		cmocka_unit_test(a_sweep_keeps_what_is_marked_and_makes_room),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
