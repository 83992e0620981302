/*
 * capture/heap when its tables are full: what does not fit is counted, what
 * is in them stays right. Built with small limits (small.mk).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "heap_calls.h"
#include "heap_followed.h"

static uint32_t slot;

static int
prepare(void **state)
{
	if (PP_HEAP_LIVE > 64 || PP_HEAP_COUNTERS > 16 ||
	    PP_STACK_WORDS > 512) {
		fprintf(stderr, "to be built with small limits\n");
		return (-1);
	}
	if (fixture_setup(state) == -1)
		return (-1);
	heap_library = heap_load("calls.c", heap_calls,
	    HEAP_CC "-o calls.so calls.c", "calls.so");
	return (heap_begin());
}

/* Each test finds a slot with empty tables. */
static int
begin(void **state)
{
	(void)state;
	pp_self_leave();
	heap_rate(1);
	pp_self_start(heap_arena, ++slot);
	return (0);
}

static int
end(void **state)
{
	(void)state;
	heap_rate(0);
	return (0);
}

static struct heap_sum
sum_here(void)
{
	struct pp_counters counters = pp_counters_heap(&pp_self.slot->heap);
	struct heap_sum sum = { 0, 0, 0, 0 };
	uint32_t i;

	for (i = 0; i < pp_counters_used(&counters); i++) {
		sum.allocs += counters.counter[i].value[PP_HEAP_ALLOCS];
		sum.bytes += counters.counter[i].value[PP_HEAP_ALLOC_BYTES];
		sum.frees += counters.counter[i].value[PP_HEAP_FREES];
		sum.free_bytes += counters.counter[i].value[PP_HEAP_FREE_BYTES];
	}
	return (sum);
}

static uint64_t
lost(enum pp_loss what)
{
	return (atomic_load(&pp_self.slot->loss[what]));
}

static void *
one(size_t size)
{
	return (heap_function(void *(*)(size_t), "one")(size));
}

static void
gone(void *p)
{
	heap_function(void (*)(void *), "gone")(p);
}

static void
samples_beyond_the_last_row_are_counted(void **state)
{
	void *p[100];
	struct heap_sum sum;
	int i, round;

	(void)state;
	/* 100 classes of sizes. */
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 100; i++)
			p[i] = one((size_t)64 << i / 16 |
			    (size_t)(i % 16) << (2 + i / 16));
		for (i = 0; i < 100; i++)
			gone(p[i]);
	}
	sum = sum_here();
	assert_int_equal(sum.allocs, 2 * PP_HEAP_COUNTERS);
	assert_int_equal(sum.frees, 2 * PP_HEAP_COUNTERS);
	assert_int_equal(sum.bytes, sum.free_bytes);
	assert_int_equal(lost(PP_LOSS_HEAP_DROPPED),
	    200 - 2 * PP_HEAP_COUNTERS);
	assert_int_equal(lost(PP_LOSS_HEAP_UNTRACKED), 0);
}

static void
samples_beyond_the_last_live_one_are_counted_as_ended(void **state)
{
	uint64_t in_use, before = 0;
	struct heap_sum sum;
	void *p[1000];
	int i, round;

	(void)state;
	for (round = 1; round <= 3; round++) {
		for (i = 0; i < 1000; i++)
			p[i] = one(64);
		sum = sum_here();
		in_use = sum.allocs - sum.frees;
		assert_int_equal(sum.allocs, round * 1000);
		assert_int_equal(sum.bytes, round * 64000);
		/* It may not be filled to the last place. */
		assert_true(in_use <= PP_HEAP_LIVE);
		assert_true(in_use >= PP_HEAP_LIVE / 2);
		assert_int_equal(lost(PP_LOSS_HEAP_UNTRACKED) - before,
		    1000 - in_use);
		before = lost(PP_LOSS_HEAP_UNTRACKED);
		for (i = 0; i < 1000; i++)
			gone(p[i]);
		sum = sum_here();
		assert_int_equal(sum.frees, round * 1000);
		assert_int_equal(sum.free_bytes, round * 64000);
	}
}

/* Each depth is a stack of its own, and of as many words. */
static void
samples_without_room_for_their_stack_are_kept(void **state)
{
	void *(*deep)(int) = heap_function(void *(*)(int), "at_depth");
	struct pp_counters counters = pp_counters_heap(&pp_self.slot->heap);
	struct pp_heap_key key;
	struct heap_sum sum;
	uint64_t stackless;
	uint32_t i;
	int depth;

	(void)state;
	for (depth = 60; depth < 72; depth++)
		gone(deep(depth));
	sum = sum_here();
	assert_sum(sum, 12, 12 * 24, 12, 12 * 24);
	stackless = lost(PP_LOSS_HEAP_STACKLESS);
	assert_true(stackless >= 4 && stackless < 12);
	for (i = 0; i < pp_counters_used(&counters); i++) {
		key = pp_heap_unpack(atomic_load(&counters.counter[i].key));
		if (key.stack == 0)
			assert_int_equal(
			    counters.counter[i].value[PP_HEAP_ALLOCS],
			    stackless);
	}
}

static void
realloc_may_lose_its_place(void **state)
{
	struct heap_sum sum;
	void *p[1000];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		p[i] = one(100);
	/* A failing one puts its old sample back. */
	heap_function(void (*)(void), "by_realloc_failing")();
	heap_drop();
	for (i = 0; i < 1000; i++)
		gone(p[i]);
	sum = sum_here();
	assert_sum(sum, 1001, 100040, 1001, 100040);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    samples_beyond_the_last_row_are_counted, begin, end),
		cmocka_unit_test_setup_teardown(
		    samples_beyond_the_last_live_one_are_counted_as_ended,
		    begin, end),
		cmocka_unit_test_setup_teardown(
		    samples_without_room_for_their_stack_are_kept, begin, end),
		cmocka_unit_test_setup_teardown(realloc_may_lose_its_place,
		    begin, end),
	};

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
