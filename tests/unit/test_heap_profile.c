/*
 * Tests of counts/heap*.c: rows that a worker could have written become the
 * samples that the formula asks for, and those that none could have written
 * become nothing. Deltas are at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "heap_counters_fixture.h"
#include "profile/delta.h"

#define ALLOC_N PP_HEAP_TYPE_ALLOC_OBJECTS
#define ALLOC_B PP_HEAP_TYPE_ALLOC_SPACE
#define INUSE_N PP_HEAP_TYPE_INUSE_OBJECTS
#define INUSE_B PP_HEAP_TYPE_INUSE_SPACE

/* The right column was computed with 40 digits, not with this program. */
static void
samples_are_scaled_by_the_formula_to_the_last_unit(void **state)
{
	static const struct {
		uint64_t count, bytes, rate;
		int64_t want[2];
	} counter[] = {
		{ 1, 1, 524288, { 524289, 524289 } },
		{ 1, 16, 524288, { 32769, 524296 } },
		{ 3, 96, 524288, { 49154, 1572912 } },
		{ 1, 524288, 524288, { 2, 829411 } },
		{ 7, 7000, 4096, { 32, 32314 } },
		{ 2, 209715200, 524288, { 2, 209715200 } },
		{ 1000, 48000, 524288, { 10923167, 524312000 } },
		{ 5, 40960, 65536, { 43, 348587 } },
		{ 1, 40, 2, { 1, 40 } },
		{ 1, 1, 1073741824, { 1073741825, 1073741825 } },
		{ 123, 36900000, 524288, { 282, 84687426 } },
		/* Every allocation was sampled, or nothing is known. */
		{ 9, 900, 1, { 9, 900 } },
		{ 9, 900, 0, { 9, 900 } },
		{ 9, 0, 524288, { 9, 0 } },
		{ 0, 0, 524288, { 0, 0 } },
		{ (1ULL << 53) + 1, 1ULL << 60, 1,
		    { (1LL << 53) + 1, 1LL << 60 } },
		{ UINT64_MAX, UINT64_MAX, 1,
		    { PP_HEAP_VALUE_MAX, PP_HEAP_VALUE_MAX } },
		{ 1ULL << 60, 1ULL << 60, 1 << 30,
		    { PP_HEAP_VALUE_MAX, PP_HEAP_VALUE_MAX } },
	};
	int64_t got[2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(counter) / sizeof(counter[0]); i++) {
		pp_heap_scale(counter[i].count, counter[i].bytes,
		    counter[i].rate, got);
		if (got[0] != counter[i].want[0] ||
		    got[1] != counter[i].want[1])
			fail_msg("row %zu: %lld, %lld", i, (long long)got[0],
			    (long long)got[1]);
	}
}

static void
classes_are_a_sixteenth_of_a_power_of_two_wide(void **state)
{
	uint64_t size, first, last;
	uint32_t number;
	int shift;

	(void)state;
	for (size = 0; size < 100000; size++) {
		number = pp_heap_class(size);
		assert_in_range(size, pp_heap_class_first(number),
		    pp_heap_class_last(number));
	}
	for (shift = 4; shift < 64; shift++) {
		number = pp_heap_class(1ULL << shift);
		first = pp_heap_class_first(number);
		last = pp_heap_class_last(number);
		assert_true(first == 1ULL << shift);
		assert_true(last - first + 1 == first / 16);
	}
	assert_true(
	    pp_heap_class_last(pp_heap_class(UINT64_MAX)) == UINT64_MAX);
}

static void
a_sample_has_stack_labels_and_four_scaled_values(void **state)
{
	struct heap h = heap_new();
	uint32_t label =
	    fixture_label(&h.f, 2, "http.route\0/fib/\0worker\0x", 26);
	struct pp_profile *p;

	(void)state;
	heap_put(&h, 2, heap_here(&h, 2, 0x100), label, 32, RATE, 3, 1);
	p = heap_take(&h);
	assert_int_equal(p->samples, 1);
	assert_int_equal(p->sample[0].value[ALLOC_N], 49154);
	assert_int_equal(p->sample[0].value[ALLOC_B], 1572912);
	assert_int_equal(p->sample[0].value[INUSE_N], 32769);
	assert_int_equal(p->sample[0].value[INUSE_B], 1048608);
	/* All are callers: the call is before the address. */
	assert_int_equal(profile_frame(p, 0, 0)->address, EXE_START + 0xff);
	assert_int_equal(profile_frame(p, 0, 1)->address, EXE_START + 0x7fff);
	assert_null(profile_frame(p, 0, 2));
	assert_string_equal(p->mapping[0].file, "/usr/bin/kore");
	assert_int_equal(p->sample[0].labels, 3);
	assert_int_equal(profile_sum_label(p, ALLOC_N, "http.route", "/fib/",
			     0),
	    49154);
	assert_int_equal(sample_number(p, 0, "worker"), 2);
	assert_int_equal(sample_number(p, 0, "bytes"), 32);
	assert_string_equal(p->value_type[0].type, "alloc_objects");
	assert_string_equal(p->value_type[1].unit, "bytes");
	assert_string_equal(p->value_type[2].unit, "count");
	assert_string_equal(p->value_type[3].type, "inuse_space");
	assert_string_equal(p->period_type.type, "space");
	assert_string_equal(p->period_type.unit, "bytes");
	assert_int_equal(p->period, RATE);
	assert_int_equal(p->duration_ns, 0);
	assert_true(p->time_ns > 0);
	assert_string_equal(p->default_type, "inuse_space");
	assert_string_equal(profile_comment(p, "heap_rate"), "524288");
	assert_string_equal(profile_comment(p, "workers"), "2");
	assert_string_equal(profile_comment(p, "heap_samples_dropped"), "0");
	pp_profile_free(p);
	heap_free(&h);
}

static void
each_row_is_scaled_by_its_own_rate_and_equal_samples_are_one(void **state)
{
	struct heap h = heap_new();
	struct pp_profile *p;
	uint32_t stack;

	(void)state;
	stack = heap_here(&h, 1, 0x100);
	heap_put(&h, 1, stack, 0, 1024, RATE, 2, 0);
	heap_put(&h, 1, stack, 0, 1024, 1, 100, 0);
	heap_put(&h, 1, stack, 0, 1030, 4096, 1, 0);
	p = heap_take(&h);
	assert_int_equal(p->samples, 1);
	/* 2 and 1 from the 40-digit table: 1025.000 and 4.492 times. */
	assert_int_equal(p->sample[0].value[ALLOC_N], 1025 + 100 + 4);
	pp_profile_free(p);
	heap_put(&h, 1, stack, 0, 2048, RATE, 1, 0);
	heap_put(&h, 2, heap_here(&h, 2, 0x100), 0, 1024, RATE, 2, 0);
	p = heap_take(&h);
	assert_int_equal(p->samples, 3); /* another class, another worker */
	assert_int_equal(profile_sum_label(p, ALLOC_N, "worker", NULL, 2),
	    1025);
	assert_int_equal(profile_sum_label(p, ALLOC_N, "bytes", NULL, 2048),
	    257);
	pp_profile_free(p);
	heap_free(&h);
}

static void
at_rate_one_counts_are_exact_also_of_nothing(void **state)
{
	struct heap h = heap_new();
	struct pp_profile *p;

	(void)state;
	h.f.arena->control.heap_rate = 1;
	heap_put(&h, 1, heap_here(&h, 1, 0x100), 0, 0, 1, 17, 7);
	heap_put(&h, 1, heap_here(&h, 1, 0x200), 0, 1001, 1, 5, 5);
	p = heap_take(&h);
	assert_int_equal(p->samples, 2);
	assert_int_equal(profile_sum(p, ALLOC_N), 22);
	assert_int_equal(profile_sum(p, ALLOC_B), 5005);
	assert_int_equal(profile_sum(p, INUSE_N), 10);
	assert_int_equal(profile_sum(p, INUSE_B), 0);
	assert_int_equal(p->period, 1);
	pp_profile_free(p);
	heap_free(&h);
}

static void
what_a_worker_held_goes_with_it_and_what_it_allocated_stays(void **state)
{
	struct heap h = heap_new();
	struct pp_counter *counter;
	struct pp_profile *p;
	uint32_t stack;

	(void)state;
	stack = heap_here(&h, 1, 0x100);
	heap_put(&h, 1, stack, 0, 1024, RATE, 4, 1);
	heap_put(&h, 2, heap_here(&h, 2, 0x100), 0, 1024, RATE, 1, 0);
	h.f.arena->slot[1].life.pid = 0;
	p = heap_take(&h);
	assert_int_equal(profile_sum_label(p, INUSE_B, "worker", NULL, 1), 0);
	assert_true(profile_sum_label(p, INUSE_B, "worker", NULL, 2) > 0);
	assert_int_equal(profile_sum_label(p, ALLOC_N, "worker", NULL, 1),
	    2050);
	assert_string_equal(profile_comment(p, "workers"), "1");
	pp_profile_free(p);

	/* The next one begins as capture/alloc_sample.c does, and allocates. */
	counter = heap_counter(&h, 1, stack, 0, 1024, RATE);
	counter->value[PP_HEAP_FREES] = counter->value[PP_HEAP_ALLOCS];
	counter->value[PP_HEAP_FREE_BYTES] =
	    counter->value[PP_HEAP_ALLOC_BYTES];
	h.f.arena->slot[1].life.pid = 1;
	h.f.arena->slot[1].life.generation++;
	heap_put(&h, 1, stack, 0, 1024, RATE, 2, 0);
	p = heap_take(&h);
	assert_int_equal(profile_sum_label(p, INUSE_N, "worker", NULL, 1),
	    1025);
	assert_int_equal(profile_sum_label(p, ALLOC_N, "worker", NULL, 1),
	    3075);
	pp_profile_free(p);
	heap_free(&h);
}

/* Two modules at one address, in two lives of the slot: a stack means the one
 * that its process had. */
static void
a_stack_means_the_objects_of_its_own_time(void **state)
{
	struct heap h = heap_new();
	uint64_t pc = 0x7fff00001001ULL;
	const struct pp_location *old, *now, *never;
	struct pp_profile *p;
	int i;

	(void)state;
	heap_put(&h, 1, heap_stack(&h, 1, 2, &pc, 1), 0, 64, 1, 1, 0);
	fixture_load(&h.f, 1, "/app/old.so", 0x7fff00000000ULL, 11);
	heap_put(&h, 1, heap_stack(&h, 1, 3, &pc, 1), 0, 64, 1, 2, 0);
	fixture_load(&h.f, 1, "/app/new.so", 0x7fff00000000ULL, 12);
	heap_put(&h, 1, heap_stack(&h, 1, 4, &pc, 1), 0, 64, 1, 3, 0);
	/* And one that has nothing to do with it. */
	fixture_load(&h.f, 1, "/app/more.so", 0x7ffe00000000ULL, 13);
	heap_put(&h, 1, heap_stack(&h, 1, 5, &pc, 1), 0, 64, 1, 4, 0);
	for (i = 0; i < 2; i++) {
		p = heap_take(&h);
		assert_int_equal(p->samples, 3);
		now = profile_frame(p, 0, 0);
		old = profile_frame(p, 1, 0);
		never = profile_frame(p, 2, 0);
		assert_int_equal(p->sample[0].value[ALLOC_N], 3 + 4);
		assert_string_equal(p->mapping[now->mapping - 1].file,
		    "/app/new.so");
		assert_int_equal(p->sample[1].value[ALLOC_N], 2);
		assert_string_equal(p->mapping[old->mapping - 1].file,
		    "/app/old.so");
		assert_int_equal(now->address -
			p->mapping[now->mapping - 1].start,
		    0x1000);
		assert_int_equal(old->address -
			p->mapping[old->mapping - 1].start,
		    0x1000);
		assert_int_equal(never->mapping, 0);
		assert_true(never->address != old->address &&
		    never->address != now->address);
		pp_profile_free(p);
	}
	heap_free(&h);
}

static void
without_a_stack_a_sample_says_so(void **state)
{
	struct heap h = heap_new();
	struct pp_profile *p;
	uint64_t none = 0;

	(void)state;
	heap_put(&h, 1, 0, 0, 64, 1, 1, 0);
	heap_put(&h, 1, heap_stack(&h, 1, 2, &none, 0), 0, 64, 1, 1, 0);
	p = heap_take(&h);
	assert_int_equal(p->samples, 1);
	assert_int_equal(p->sample[0].value[ALLOC_N], 2);
	assert_int_equal(p->sample[0].locations, 1);
	assert_true(profile_is_no_stack(p, profile_frame(p, 0, 0)));
	assert_string_equal(profile_comment(p, "heap_stacks_unreadable"), "1");
	pp_profile_free(p);
	h.reader->words_max = 2;
	heap_put(&h, 1, heap_here(&h, 1, 0x100), 0, 64, 1, 1, 0);
	p = heap_take(&h);
	assert_int_equal(profile_sum(p, ALLOC_N), 3);
	assert_string_equal(profile_comment(p, "heap_stacks_dropped"), "1");
	pp_profile_free(p);
	heap_free(&h);
}

static int
same_profile(const struct pp_profile *a, const struct pp_profile *b)
{
	uint32_t i, k;

	if (a->samples != b->samples || a->locations != b->locations)
		return (0);
	for (i = 0; i < a->samples; i++) {
		if (memcmp(a->sample[i].value, b->sample[i].value,
			sizeof(a->sample[i].value)) != 0)
			return (0);
		for (k = 0; k < a->sample[i].locations; k++) {
			if (profile_frame(a, i, k)->address !=
			    profile_frame(b, i, k)->address)
				return (0);
		}
	}
	return (1);
}

static void
the_order_is_of_the_values_and_not_of_the_rows(void **state)
{
	struct heap a = heap_new(), b = heap_new();
	struct pp_profile *p, *q;
	uint32_t i;

	(void)state;
	for (i = 0; i < 50; i++) {
		heap_put(&a, 1 + i % 2, heap_here(&a, 1 + i % 2, 0x100 + i), 0,
		    64, 1, 1 + i / 7, 0);
		heap_put(&b, 1 + (49 - i) % 2,
		    heap_here(&b, 1 + (49 - i) % 2, 0x100 + 49 - i), 0, 64, 1,
		    1 + (49 - i) / 7, 0);
	}
	p = heap_take(&a);
	q = heap_take(&b);
	assert_int_equal(p->samples, 50);
	assert_true(same_profile(p, q));
	for (i = 1; i < p->samples; i++)
		assert_true(p->sample[i - 1].value[INUSE_B] >=
		    p->sample[i].value[INUSE_B]);
	pp_profile_free(p);
	pp_profile_free(q);
	heap_free(&a);
	heap_free(&b);
}

static void
raw_values_are_given_only_beside_one_rate(void **state)
{
	struct pp_heap_view view = { .raw = 1 };
	struct heap h = heap_new();
	struct pp_profile *p;

	(void)state;
	p = pp_heap_reader_profile(h.reader, &view);
	assert_int_equal(view.rate, RATE);
	assert_int_equal(view.mixed, 0);
	pp_profile_free(p);
	/* Not the rate of today: that of the samples. */
	heap_put(&h, 1, heap_here(&h, 1, 0x100), 0, 32, 4096, 3, 1);
	p = pp_heap_reader_profile(h.reader, &view);
	assert_int_equal(view.rate, 4096);
	assert_int_equal(p->sample[0].value[ALLOC_N], 3);
	assert_int_equal(p->sample[0].value[ALLOC_B], 96);
	assert_int_equal(p->sample[0].value[INUSE_N], 2);
	assert_int_equal(view.live[0], 0);
	assert_int_equal(view.live[1], 8224); /* scaled: 2 of 32 bytes */
	pp_profile_free(p);
	heap_put(&h, 2, heap_here(&h, 2, 0x100), 0, 32, RATE, 1, 0);
	p = pp_heap_reader_profile(h.reader, &view);
	assert_int_equal(view.rate, 1);
	assert_int_equal(view.mixed, 1);
	assert_int_equal(profile_sum_label(p, ALLOC_B, "worker", NULL, 2),
	    524304);
	pp_profile_free(p);
	heap_free(&h);
}

/* A row with that key and these four values, past the owner's checks. */
static void
lie(struct heap *h, struct pp_heap_key key, uint64_t allocs, uint64_t bytes,
    uint64_t frees, uint64_t free_bytes)
{
	struct pp_heap_table *table = &h->f.arena->slot[1].heap;
	struct pp_counter *counter = &table->counter[table->used++];

	counter->key = pp_heap_pack(key);
	counter->value[PP_HEAP_ALLOCS] = allocs;
	counter->value[PP_HEAP_ALLOC_BYTES] = bytes;
	counter->value[PP_HEAP_FREES] = frees;
	counter->value[PP_HEAP_FREE_BYTES] = free_bytes;
}

static void
rows_that_nobody_can_have_written_are_left_out_and_counted(void **state)
{
	struct pp_heap_key key = { .size_class = pp_heap_class(64) };
	struct heap h = heap_new();
	struct pp_heap_table *table = &h.f.arena->slot[1].heap;
	struct pp_profile *p;

	(void)state;
	table->rate[0] = 1;
	table->rate[1] = (uint64_t)PP_HEAP_RATE_MAX + 1;
	lie(&h, (struct pp_heap_key){ .rate = 1 }, 1, 0, 0, 0);
	lie(&h, (struct pp_heap_key){ .rate = 2 }, 1, 0, 0, 0); /* unused */
	lie(&h, (struct pp_heap_key){ .rate = 16 }, 1, 0, 0, 0);
	lie(&h, (struct pp_heap_key){ .rate = 254 }, 1, 0, 0, 0);
	lie(&h, (struct pp_heap_key){ .size_class = 976 }, 1, 1, 0, 0);
	lie(&h, (struct pp_heap_key){ .size_class = 4095 }, 1, 1, 0, 0);
	lie(&h, key, UINT64_MAX, UINT64_MAX, 0, 0);
	lie(&h, key, 1ULL << 53, 1ULL << 59, 0, 0);
	/* A hole, and a row to which nothing was added yet: no damage. */
	table->used++;
	lie(&h, key, 0, 0, 0, 0);
	p = heap_take(&h);
	assert_int_equal(p->samples, 0);
	assert_string_equal(profile_comment(p, "heap_rows_malformed"), "8");
	assert_int_equal(pp_heap_reader_count(h.reader), 9);
	pp_profile_free(p);
	table->used = UINT32_MAX;
	p = heap_take(&h);
	assert_int_equal(p->samples, 0);
	pp_profile_free(p);
	heap_free(&h);
}

/* A reader may come between the two additions of a sample, and a worker may
 * die there. No mean outside of the class, nothing below 0. */
static void
pairs_that_do_not_agree_are_mended_within_their_class(void **state)
{
	struct pp_heap_key key = { .size_class = pp_heap_class(64) };
	struct heap h = heap_new();
	struct pp_profile *p;

	(void)state;
	h.f.arena->slot[1].heap.rate[0] = 1;
	lie(&h, key, 1, 0, 0, 0); /* the bytes are still to come */
	p = heap_take(&h);
	assert_int_equal(profile_sum(p, ALLOC_N), 1);
	assert_int_equal(profile_sum(p, ALLOC_B), 64);
	assert_int_equal(profile_sum(p, INUSE_B), 64);
	pp_profile_free(p);
	lie(&h, key, 10, 640, 12, 9000); /* more freed than allocated */
	lie(&h, key, 10, 1ULL << 40, 0, 0);
	p = heap_take(&h);
	assert_int_equal(profile_sum(p, ALLOC_N), 21);
	assert_int_equal(profile_sum(p, ALLOC_B), 64 + 640 + 670);
	assert_int_equal(profile_sum(p, INUSE_N), 11);
	assert_int_equal(profile_sum(p, INUSE_B), 64 + 670);
	pp_profile_free(p);
	heap_free(&h);
}

static void
ids_that_lie_cost_stack_or_labels_and_nothing_else(void **state)
{
	struct pp_heap_key key = { .size_class = pp_heap_class(64) };
	struct heap h = heap_new();
	struct pp_slot *slot = &h.f.arena->slot[1];
	uint64_t pc[3] = { 0, UINT64_MAX, 1ULL << 63 };
	struct pp_profile *p;
	uint32_t i;

	(void)state;
	slot->heap.rate[0] = 1;
	key.stack = (1U << PP_HEAP_KEY_STACK_BITS) - 1;
	key.label = (1U << PP_HEAP_KEY_LABEL_BITS) - 1;
	lie(&h, key, 1, 64, 0, 0);
	key.stack = PP_STACK_WORDS - 1;
	key.label = PP_LABEL_WORDS - 1;
	slot->stacks.words[key.stack] = UINT32_MAX;
	slot->labels.words[key.label] = UINT32_MAX;
	lie(&h, key, 1, 64, 0, 0);
	key.stack = 5000; /* longer than any stack of ours */
	key.label = 7;	  /* not of the form key, value */
	slot->stacks.words[key.stack] = PP_FRAMES_MAX + 2;
	slot->labels.words[key.label] = 1;
	memcpy(&slot->labels.words[key.label + 1], "\0value\0\0", 8);
	lie(&h, key, 1, 64, 0, 0);
	key.label = 0;
	key.stack = heap_stack(&h, 1, UINT64_MAX, pc, 3);
	lie(&h, key, 1, 64, 0, 0);
	p = heap_take(&h);
	assert_int_equal(profile_sum(p, ALLOC_N), 4);
	assert_string_equal(profile_comment(p, "heap_stacks_unreadable"), "3");
	assert_string_equal(profile_comment(p, "heap_labels_unreadable"), "3");
	for (i = 0; i < p->locations; i++)
		assert_true(p->location[i].address != 0);
	pp_profile_free(p);
	heap_free(&h);
}

static void
a_delta_keeps_what_is_negative_and_drops_what_is_nothing(void **state)
{
	struct heap h = heap_new();
	struct pp_profile *before, *after, *p;
	uint32_t shrinks, grows, label;

	(void)state;
	label = fixture_label(&h.f, 1, "http.route\0/a\0", 14);
	shrinks = heap_here(&h, 1, 0x100);
	grows = heap_here(&h, 1, 0x200);
	heap_put(&h, 1, shrinks, label, 64, 1, 10, 2);
	heap_put(&h, 1, grows, label, 64, 1, 10, 10);
	heap_put(&h, 1, 0, 0, 64, 1, 5, 5);
	heap_put(&h, 2, heap_here(&h, 2, 0x300), 0, 64, 1, 7, 0);
	before = heap_take(&h);
	heap_put(&h, 1, shrinks, label, 64, 1, 0, 6);
	heap_put(&h, 1, grows, label, 64, 1, 4, 1);
	heap_put(&h, 1, heap_here(&h, 1, 0x400), 0, 64, 1, 1, 1);
	h.f.arena->slot[2].life.pid = 0;
	after = heap_take(&h);
	p = pp_delta(before, after, 3 * (int64_t)PP_NS_PER_SEC);
	assert_non_null(p);
	assert_int_equal(p->samples, 4);
	assert_int_equal(profile_sum(p, ALLOC_N), 5);
	assert_int_equal(profile_sum_label(p, INUSE_N, "http.route", "/a", 0),
	    -6 + 3);
	assert_int_equal(profile_sum_label(p, INUSE_B, "worker", NULL, 2),
	    -7 * 64);
	assert_int_equal(profile_sum_label(p, ALLOC_B, "worker", NULL, 2), 0);
	assert_int_equal(profile_sum_label(p, INUSE_N, "bytes", NULL, 64),
	    -6 + 3 - 7);
	assert_true(p->time_ns == after->time_ns);
	assert_true(p->duration_ns == 3 * (int64_t)PP_NS_PER_SEC);
	assert_null(p->default_type);
	assert_int_equal(p->period, RATE);
	assert_string_equal(p->mapping[0].file, "/usr/bin/kore");
	assert_string_equal(profile_comment(p, "heap_rate"), "524288");
	pp_profile_free(p);
	p = pp_delta(after, after, 1);
	assert_int_equal(p->samples, 0);
	pp_profile_free(p);
	pp_profile_free(before);
	pp_profile_free(after);
	heap_free(&h);
}

/* The mean of a row moves with each sample; the sample must stay the same one
 * for whoever takes differences by addresses and labels. */
static void
a_sample_stays_the_same_when_its_mean_size_moves(void **state)
{
	struct heap h = heap_new();
	struct pp_profile *before, *after, *p;
	uint32_t stack;
	int64_t was, is;

	(void)state;
	stack = heap_here(&h, 1, 0x100);
	heap_put(&h, 1, stack, 0, 1024, RATE, 1, 0);
	before = heap_take(&h);
	heap_put(&h, 1, stack, 0, 1087, RATE, 1, 0);
	after = heap_take(&h);
	assert_int_equal(before->samples, 1);
	assert_int_equal(after->samples, 1);
	assert_int_equal(sample_number(before, 0, "bytes"), 1024);
	assert_int_equal(sample_number(after, 0, "bytes"), 1024);
	was = before->sample[0].value[ALLOC_B];
	is = after->sample[0].value[ALLOC_B];
	p = pp_delta(before, after, 1);
	assert_int_equal(p->samples, 1);
	assert_int_equal(p->sample[0].value[ALLOC_B], is - was);
	assert_true(is > was);
	pp_profile_free(p);
	pp_profile_free(before);
	pp_profile_free(after);
	heap_free(&h);
}

static void
a_delta_has_the_line_that_stands_for_no_stack(void **state)
{
	struct heap h = heap_new();
	struct pp_profile *before, *after, *p;

	(void)state;
	before = heap_take(&h);
	heap_put(&h, 1, 0, 0, 64, 1, 1, 0);
	after = heap_take(&h);
	p = pp_delta(before, after, 1);
	assert_int_equal(p->samples, 1);
	assert_true(profile_is_no_stack(p, profile_frame(p, 0, 0)));
	pp_profile_free(p);
	pp_profile_free(before);
	pp_profile_free(after);
	heap_free(&h);
}

/* While a row only gains samples, no scaled total may fall: scrapers take
 * differences. Sizes go from the class's one end to the other. */
static void
scaled_totals_never_fall_while_samples_come(void **state)
{
	static const uint64_t size[] = { 2175, 2048, 2100, 2048, 2175, 2175 };
	struct heap h = heap_new();
	int64_t count = 0, bytes = 0;
	struct pp_profile *p;
	uint32_t stack, i;

	(void)state;
	stack = heap_here(&h, 1, 0x100);
	for (i = 0; i < 200; i++) {
		heap_put(&h, 1, stack, 0, size[i % 6], 4096, 1, 0);
		p = heap_take(&h);
		assert_true(p->sample[0].value[ALLOC_N] >= count);
		assert_true(p->sample[0].value[ALLOC_B] >= bytes);
		count = p->sample[0].value[ALLOC_N];
		bytes = p->sample[0].value[ALLOC_B];
		pp_profile_free(p);
	}
	heap_free(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    samples_are_scaled_by_the_formula_to_the_last_unit),
		cmocka_unit_test(
		    classes_are_a_sixteenth_of_a_power_of_two_wide),
		cmocka_unit_test(
		    a_sample_has_stack_labels_and_four_scaled_values),
		cmocka_unit_test(
		    each_row_is_scaled_by_its_own_rate_and_equal_samples_are_one),
		cmocka_unit_test(at_rate_one_counts_are_exact_also_of_nothing),
		cmocka_unit_test(
		    what_a_worker_held_goes_with_it_and_what_it_allocated_stays),
		cmocka_unit_test(a_stack_means_the_objects_of_its_own_time),
		cmocka_unit_test(without_a_stack_a_sample_says_so),
		cmocka_unit_test(
		    the_order_is_of_the_values_and_not_of_the_rows),
		cmocka_unit_test(raw_values_are_given_only_beside_one_rate),
		cmocka_unit_test(
		    rows_that_nobody_can_have_written_are_left_out_and_counted),
		cmocka_unit_test(
		    pairs_that_do_not_agree_are_mended_within_their_class),
		cmocka_unit_test(
		    ids_that_lie_cost_stack_or_labels_and_nothing_else),
		cmocka_unit_test(
		    a_delta_keeps_what_is_negative_and_drops_what_is_nothing),
		cmocka_unit_test(
		    a_sample_stays_the_same_when_its_mean_size_moves),
		cmocka_unit_test(a_delta_has_the_line_that_stands_for_no_stack),
		cmocka_unit_test(scaled_totals_never_fall_while_samples_come),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
