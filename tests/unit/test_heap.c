/*
 * capture/heap and hook/alloc at rate 1: each way to allocate is counted
 * once, to the object and the byte, and so is its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>

#include "heap_calls.h"
#include "heap_followed.h"
#include "store/intern.h"

static void *cc_library;

static const struct {
	const char *call;
	uint64_t allocs, bytes, frees, free_bytes;
	int failures;
} calls[] = {
	{ "by_malloc", 3, 101, 0, 0, 0 },
	{ "by_calloc", 3, 21 + (1 << 20), 0, 0, 0 },
	{ "by_realloc_null", 1, 50, 0, 0, 0 },
	{ "by_realloc_moving", 3, 100124, 1, 100, 0 },
	{ "by_realloc_shrinking", 2, 1010, 1, 1000, 0 },
	{ "by_realloc_in_place", 2, 200, 1, 100, 0 },
	{ "by_realloc_zero", 1, 30, 1, 30, 0 },
	{ "by_realloc_failing", 1, 40, 0, 0, 1 },
	{ "by_reallocarray", 2, 45, 1, 15, 1 },
	{ "by_posix_memalign", 1, 200, 0, 0, 1 },
	{ "by_aligned_alloc", 1, 64, 0, 0, 0 },
	{ "by_memalign", 1, 10, 0, 0, 0 },
	{ "by_valloc", 1, 11, 0, 0, 0 },
	{ "by_pvalloc", 1, 12, 0, 0, 0 },
	{ "by_strdup", 1, 6, 0, 0, 0 },
	{ "by_strndup", 1, 3, 0, 0, 0 },
	/* By pointers that the object's data began with. */
	{ "by_pointer", 2, 67, 1, 7, 0 },
	{ "ended_by_pointer", 1, 70, 1, 70, 0 },
	{ "by_failing", 0, 0, 0, 0, 4 },
	{ "by_many", 2000, 1999000, 0, 0, 0 },
};

static const struct {
	const char *call;
	uint64_t allocs, bytes;
} calls_cc[] = {
	{ "by_new", 2, 104 },
	/* Sizes of types with an alignment are multiples of it. */
	{ "by_new_aligned", 1, 128 },
	/* The objects, and what each holds. */
	{ "by_vector", 4,
	    3 * sizeof(void *) + 10 * sizeof(int) + 4 * sizeof(void *) + 41 },
};

/* What the parent allocates before a worker is there is nobody's; it must
 * not make the worker look away either. */
static int
prepare(void **state)
{
	const char *why;
	int fd;

	if (fixture_setup(state) == -1)
		return (-1);
	heap_library = heap_load("calls.c", heap_calls,
	    HEAP_CC "-o calls.so calls.c", "calls.so");
	cc_library = heap_load("calls.cc", heap_calls_cc,
	    "c++ -std=c++17 -g -O1 -fno-builtin -fPIC -shared -o cc.so "
	    "calls.cc",
	    "cc.so");
	heap_arena = pp_arena_create(HEAP_WORKERS, &fd);
	if (heap_arena == NULL || pp_self_prepare(&why) == -1 ||
	    pp_process_hook(NULL, 0, NULL, &why) == -1)
		return (-1);
	atomic_store(&heap_arena->control.heap_rate, 1);
	heap_function(void (*)(void), "by_malloc")();
	heap_drop();
	pp_self_start(heap_arena, HEAP_SLOT);
	return (0);
}

static void
a_workers_first_allocation_is_counted(void **state)
{
	uint32_t label = heap_label("first"), was;

	(void)state;
	was = pp_label_swap(label);
	heap_function(void (*)(void), "by_malloc")();
	(void)pp_label_swap(was);
	assert_sum(heap_sum(label), 3, 101, 0, 0);
	heap_drop();
	assert_sum(heap_sum(label), 3, 101, 3, 101);
}

static void
each_call_counts_once_to_the_byte(void **state)
{
	int *failures = heap_symbol(heap_library, "failures");
	struct heap_sum sum;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		print_message("%s\n", calls[i].call);
		*failures = 0;
		sum = heap_run(calls[i].call);
		assert_sum(sum, calls[i].allocs, calls[i].bytes, calls[i].frees,
		    calls[i].free_bytes);
		assert_int_equal(*failures, calls[i].failures);
		heap_drop();
		sum = heap_sum(heap_label(calls[i].call));
		assert_sum(sum, calls[i].allocs, calls[i].bytes,
		    calls[i].allocs, calls[i].bytes);
	}
	assert_int_equal(*(int *)heap_symbol(heap_library, "last_errno"),
	    ENOMEM);
}

/* How often libc allocates on the way is its own business. */
static void
what_libc_makes_for_its_caller_is_live_until_freed(void **state)
{
	struct heap_sum sum;

	(void)state;
	sum = heap_run("by_asprintf");
	assert_int_equal(sum.allocs - sum.frees, 1);
	assert_int_equal(sum.bytes - sum.free_bytes, 6);
	sum = heap_run("by_getline");
	assert_int_equal(sum.allocs - sum.frees, 1);
	assert_int_equal(sum.bytes - sum.free_bytes, 120);
	heap_drop();
	sum = heap_sum(heap_label("by_asprintf"));
	assert_sum(sum, sum.allocs, sum.bytes, sum.allocs, sum.bytes);
	sum = heap_sum(heap_label("by_getline"));
	assert_sum(sum, sum.allocs, sum.bytes, sum.allocs, sum.bytes);
}

static void
cpp_counts_through_malloc(void **state)
{
	void *c = heap_library;
	struct heap_sum sum;
	size_t i;

	(void)state;
	heap_library = cc_library;
	for (i = 0; i < sizeof(calls_cc) / sizeof(calls_cc[0]); i++) {
		print_message("%s\n", calls_cc[i].call);
		sum = heap_run(calls_cc[i].call);
		assert_sum(sum, calls_cc[i].allocs, calls_cc[i].bytes, 0, 0);
		heap_drop();
		sum = heap_sum(heap_label(calls_cc[i].call));
		assert_sum(sum, calls_cc[i].allocs, calls_cc[i].bytes,
		    calls_cc[i].allocs, calls_cc[i].bytes);
	}
	/* libstdc++ throws and catches in there. */
	sum = heap_run("by_nothrow");
	assert_sum(sum, sum.allocs, sum.bytes, sum.allocs, sum.bytes);
	sum = heap_run("by_throw");
	assert_true(sum.allocs >= 2);
	assert_true(sum.bytes >= 51 + sizeof(void *) * 4);
	assert_sum(sum, sum.allocs, sum.bytes, sum.allocs, sum.bytes);
	assert_int_equal(*(int *)heap_symbol(cc_library, "thrown"), 51);
	heap_library = c;
}

/* With a sample under every hash there is one under that of NULL, too. */
static void
free_of_null_frees_nothing(void **state)
{
	void *(*one)(size_t) = heap_function(void *(*)(size_t), "one");
	void (*gone)(void *) = heap_function(void (*)(void *), "gone");
	uint32_t label = heap_label("null"), was, hash;
	static void *many[65536];
	size_t i, under = 0;

	(void)state;
	hash = pp_alloc_hash(NULL) % PP_ALLOC_FILTER;
	was = pp_label_swap(label);
	for (i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
		many[i] = one(512);
		under += pp_alloc_hash(many[i]) % PP_ALLOC_FILTER == hash;
	}
	(void)pp_label_swap(was);
	assert_true(under > 0);
	heap_function(void (*)(void), "free_null")();
	assert_sum(heap_sum(label), i, i * 512, 0, 0);
	for (i = 0; i < sizeof(many) / sizeof(many[0]); i++)
		gone(many[i]);
	assert_sum(heap_sum(label), i, i * 512, i, i * 512);
}

/* The free() in the middle is the test's own, which is not followed. */
static void
an_address_given_out_again_ends_its_old_sample(void **state)
{
	void *(*one)(size_t) = heap_function(void *(*)(size_t), "one");
	uint32_t label = heap_label("again"), was;
	void *first, *second;

	(void)state;
	was = pp_label_swap(label);
	first = one(200);
	assert_sum(heap_sum(label), 1, 200, 0, 0);
	free(first);
	second = one(196);
	(void)pp_label_swap(was);
	assert_ptr_equal(first, second);
	assert_sum(heap_sum(label), 2, 396, 1, 200);
	heap_function(void (*)(void *), "gone")(second);
	assert_sum(heap_sum(label), 2, 396, 2, 396);
}

/* The first frame is in the function that called malloc(). */
static void
a_stack_begins_at_the_caller(void **state)
{
	struct pp_counters counters = pp_counters_heap(&heap_slot()->heap);
	struct pp_intern_table stacks = pp_intern_stacks(&heap_slot()->stacks);
	uint64_t words[1 + PP_FRAMES_MAX];
	uint32_t label, was, i, found = 0;
	struct pp_heap_key key;
	Dl_info info;

	(void)state;
	label = heap_label("by_memalign, called here");
	was = pp_label_swap(label);
	heap_function(void (*)(void), "by_memalign")();
	(void)pp_label_swap(was);
	heap_drop();
	for (i = 0; i < pp_counters_used(&counters); i++) {
		key = pp_heap_unpack(atomic_load(&counters.counter[i].key));
		if (key.label != label)
			continue;
		found++;
		assert_int_equal(key.size_class, pp_heap_class(10));
		assert_true(pp_intern_read(&stacks, key.stack, words,
				1 + PP_FRAMES_MAX) > 3);
		assert_int_not_equal(dladdr((void *)(uintptr_t)words[1], &info),
		    0);
		assert_string_equal(info.dli_sname, "by_memalign");
	}
	assert_int_equal(found, 1);
}

static void
size_classes_are_a_sixteenth_wide(void **state)
{
	uint64_t size, before;
	uint32_t class;

	(void)state;
	for (before = 0, size = 1; size < (uint64_t)1 << 40;
	     size += 1 + size / 97) {
		class = pp_heap_class(size);
		assert_true(class >= before && class < 1024);
		assert_true(class - before <= 1);
		before = class;
	}
	assert_int_equal(pp_heap_class(1024), pp_heap_class(1024 + 63));
	assert_int_not_equal(pp_heap_class(1024), pp_heap_class(1024 + 64));
	assert_true(pp_heap_class(UINT64_MAX) < 1024);
}

static void
off_counts_nothing(void **state)
{
	struct heap_sum sum;

	(void)state;
	heap_rate(0);
	sum = heap_run("by_many");
	heap_drop();
	assert_sum(sum, 2000, 1999000, 2000, 1999000); /* as it was */
	heap_rate(1);
}

static void
a_restarted_worker_holds_nothing_but_its_sums_stay(void **state)
{
	struct heap_sum sum;

	(void)state;
	sum = heap_run("by_valloc");
	assert_int_equal(sum.allocs, sum.frees + 1);
	pp_self_leave();
	pp_self_start(heap_arena, HEAP_SLOT);
	sum = heap_sum(heap_label("by_valloc"));
	assert_sum(sum, 2, 22, 2, 22);
	heap_drop(); /* of the life before: not this one's */
	sum = heap_sum(heap_label("by_valloc"));
	assert_sum(sum, 2, 22, 2, 22);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_workers_first_allocation_is_counted),
		cmocka_unit_test(each_call_counts_once_to_the_byte),
		cmocka_unit_test(
		    what_libc_makes_for_its_caller_is_live_until_freed),
		cmocka_unit_test(cpp_counts_through_malloc),
		cmocka_unit_test(free_of_null_frees_nothing),
		cmocka_unit_test(
		    an_address_given_out_again_ends_its_old_sample),
		cmocka_unit_test(a_stack_begins_at_the_caller),
		cmocka_unit_test(size_classes_are_a_sixteenth_wide),
		cmocka_unit_test(off_counts_nothing),
		cmocka_unit_test(
		    a_restarted_worker_holds_nothing_but_its_sums_stay),
	};

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
