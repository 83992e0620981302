/*
 * Tests of counts/waits.c, counts/aggregate.c and the text of block and mutex:
 * what workers have counted comes out as a profile, whole, and nothing that
 * they could write there does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "counts/aggregate.h"
#include "counts/waits.h"
#include "counts_fixture.h"
#include "encode/profile/pprof.h"
#include "encode/text/text_count.h"
#include "go_pprof.h"
#include "profile/delta.h"

#define ONE PP_WAIT_ONE

static struct pp_profile *
take(struct counts *c, enum pp_waits which)
{
	struct pp_profile *p = pp_waits_profile(c->resolver, which);

	assert_non_null(p);
	assert_int_equal(p->failed, 0);
	return (p);
}

static void
a_wait_is_a_sample_with_count_delay_labels_and_what_for(void **state)
{
	struct counts c = counts_new();
	struct pp_slot *slot = c.f.arena->slot;
	uint32_t label =
	    fixture_label(&c.f, 2, "http.route\0/pay\0http.method\0GET", 32);
	struct pp_profile *p;

	(void)state;
	counts_add(&slot[2].block, PP_WAIT_PGSQL, label,
	    counts_here(&c, 2, 0x100), 3 * ONE, 150000000);
	counts_add(&slot[1].block, PP_WAIT_MUTEX, 0, counts_here(&c, 1, 0x200),
	    7 * ONE, 1000);
	p = take(&c, PP_WAITS_BLOCK);
	assert_int_equal(p->value_types, 2);
	assert_string_equal(p->value_type[0].type, "contentions");
	assert_string_equal(p->value_type[0].unit, "count");
	assert_string_equal(p->value_type[1].type, "delay");
	assert_string_equal(p->value_type[1].unit, "nanoseconds");
	assert_string_equal(p->period_type.type, "contentions");
	assert_string_equal(p->period_type.unit, "count");
	assert_int_equal(p->period, 1);
	assert_int_equal(p->samples, 2);
	/* The longest delay first. */
	assert_int_equal(p->sample[0].value[0], 3);
	assert_int_equal(p->sample[0].value[1], 150000000);
	assert_int_equal(p->sample[0].locations, 2);
	assert_int_equal(counts_leaf(p, 0), EXE_START + 0x100 - 1);
	assert_string_equal(counts_label(p, 0, "http.route"), "/pay");
	assert_string_equal(counts_label(p, 0, "http.method"), "GET");
	assert_string_equal(counts_label(p, 0, "wait"), "pgsql wait");
	assert_string_equal(counts_label(p, 0, "worker"), "2");
	assert_int_equal(p->sample[1].value[0], 7);
	assert_string_equal(counts_label(p, 1, "wait"), "mutex wait");
	assert_string_equal(counts_label(p, 1, "worker"), "1");
	pp_profile_free(p);
	p = take(&c, PP_WAITS_MUTEX);
	assert_int_equal(p->samples, 0);
	assert_int_equal(pp_waits_count(c.resolver, PP_WAITS_BLOCK), 2);
	assert_int_equal(pp_waits_count(c.resolver, PP_WAITS_MUTEX), 0);
	pp_profile_free(p);
	counts_free(&c);
}

/* One stack, taken before and after some object was loaded, is one sample:
 * halves of contentions add up before they are rounded. */
static void
parts_of_contentions_add_up_before_they_are_rounded(void **state)
{
	uint64_t pc[2] = { EXE_START + 0x100, EXE_START + 0x200 };
	struct counts c = counts_new();
	struct pp_wait_table *table = &c.f.arena->slot[1].mutex;
	struct pp_profile *p;

	(void)state;
	counts_add(table, PP_WAIT_MUTEX, 0, counts_stack(&c, 1, 1, pc, 2),
	    10 * ONE + ONE / 2, 100);
	counts_add(table, PP_WAIT_MUTEX, 0, counts_stack(&c, 1, 2, pc, 2),
	    20 * ONE + ONE / 2, 200);
	counts_add(table, PP_WAIT_RWLOCK, 0, counts_stack(&c, 1, 2, pc, 2),
	    ONE + ONE / 2, 20);
	p = take(&c, PP_WAITS_MUTEX);
	assert_int_equal(p->samples, 2);
	assert_int_equal(p->sample[0].value[0], 31);
	assert_int_equal(p->sample[0].value[1], 300);
	assert_int_equal(p->sample[1].value[0], 2);
	assert_string_equal(counts_label(p, 1, "wait"), "rwlock wait");
	pp_profile_free(p);
	counts_free(&c);
}

static void
what_a_worker_has_waited_stays_when_it_dies(void **state)
{
	struct counts c = counts_new();
	struct pp_profile *p;

	(void)state;
	counts_add(&c.f.arena->slot[1].block, PP_WAIT_SLEEP, 0,
	    counts_here(&c, 1, 0x100), ONE, 5);
	c.f.arena->slot[1].life.pid = 0;
	p = take(&c, PP_WAITS_BLOCK);
	assert_int_equal(p->samples, 1);
	pp_profile_free(p);
	counts_free(&c);
}

static void
a_delta_has_what_was_waited_meanwhile(void **state)
{
	struct counts c = counts_new();
	struct pp_wait_table *table = &c.f.arena->slot[1].block;
	struct pp_profile *before, *after, *delta;

	(void)state;
	counts_add(table, PP_WAIT_COND, 0, counts_here(&c, 1, 0x100), ONE, 5);
	counts_add(table, PP_WAIT_COND, 0, counts_here(&c, 1, 0x200), ONE, 5);
	before = take(&c, PP_WAITS_BLOCK);
	counts_add(table, PP_WAIT_COND, 0, counts_here(&c, 1, 0x200), 2 * ONE,
	    70);
	after = take(&c, PP_WAITS_BLOCK);
	delta = pp_delta(before, after, 1000);
	assert_non_null(delta);
	assert_int_equal(delta->samples, 1);
	assert_int_equal(delta->sample[0].value[0], 2);
	assert_int_equal(delta->sample[0].value[1], 70);
	assert_string_equal(counts_label(delta, 0, "wait"), "cond wait");
	pp_profile_free(before);
	pp_profile_free(after);
	pp_profile_free(delta);
	counts_free(&c);
}

static void
rows_that_lie_are_left_out_or_lose_what_is_a_lie(void **state)
{
	struct counts c = counts_new();
	struct pp_wait_table *table = &c.f.arena->slot[1].block;
	struct pp_profile *p;

	(void)state;
	counts_add(table, PP_WAIT_NONE, 0, counts_here(&c, 1, 0x100), ONE, 1);
	counts_add(table, PP_WAITS_ALL, 0, counts_here(&c, 1, 0x100), ONE, 1);
	counts_add(table, 0xfffff - 1, 0, counts_here(&c, 1, 0x100), ONE, 1);
	counts_add(table, PP_WAIT_SEM, 0, 0xffffff, ONE, 1);
	counts_add(table, PP_WAIT_SEM, 0, 12345, ONE, 2);
	counts_add(table, PP_WAIT_SEM, 0xfffff, 0, ONE, 3);
	/* Made, and nothing added to it yet. */
	counts_add(table, PP_WAIT_JOIN, 0, 0, 0, 0);
	counts_add(table, PP_WAIT_BARRIER, 0, 0, UINT64_MAX, UINT64_MAX);
	table->used = UINT32_MAX;
	p = take(&c, PP_WAITS_BLOCK);
	assert_int_equal(counts_comment(p, "wait_rows_malformed"), 3);
	assert_int_equal(counts_comment(p, "stacks_unreadable"), 2);
	assert_int_equal(counts_comment(p, "labels_unreadable"), 1);
	/* The barrier, and one of semaphores without stack and labels. */
	assert_int_equal(p->samples, 2);
	assert_true(p->sample[0].value[1] == PP_AGGREGATE_MAX);
	assert_true(p->sample[0].value[0] == PP_AGGREGATE_MAX / ONE);
	assert_int_equal(p->sample[1].value[0], 3);
	assert_int_equal(p->sample[1].value[1], 6);
	assert_int_equal(counts_leaf(p, 1), PP_BUILD_NO_STACK);
	pp_profile_free(p);
	counts_free(&c);
}

/* A key is text or a number for its readers, never both, and never twice. */
static void
an_applications_label_does_not_take_the_place_of_ours(void **state)
{
	struct counts c = counts_new();
	uint32_t label = fixture_label(&c.f, 1,
	    "wait\0for godot\0worker\0x\0thread\0y\0a\0b", 37);
	struct pp_profile *p;

	(void)state;
	counts_add(&c.f.arena->slot[1].block, PP_WAIT_SLEEP, label,
	    counts_here(&c, 1, 0x100), ONE, 5);
	p = take(&c, PP_WAITS_BLOCK);
	assert_int_equal(p->sample[0].labels, 3);
	assert_string_equal(counts_label(p, 0, "wait"), "sleeping");
	assert_string_equal(counts_label(p, 0, "worker"), "1");
	assert_string_equal(counts_label(p, 0, "a"), "b");
	pp_profile_free(p);
	counts_free(&c);
}

static struct pp_buf
text_of(struct counts *c, enum pp_waits which, uint64_t rate)
{
	struct pp_profile *p = take(c, which);
	struct pp_buf out = { 0 };

	pp_encode_text_waits(p, which, rate, &out);
	pp_profile_free(p);
	pp_buf_append(&out, "", 1);
	assert_int_equal(out.failed, 0);
	out.len--;
	return (out);
}

static void
the_texts_are_as_go_writes_them(void **state)
{
	struct counts c = counts_new();
	struct pp_buf text;

	(void)state;
	counts_add(&c.f.arena->slot[1].block, PP_WAIT_TASK, 0,
	    counts_here(&c, 1, 0x100), 2 * ONE, 3000000);
	counts_add(&c.f.arena->slot[1].mutex, PP_WAIT_MUTEX, 0, 0, 10 * ONE,
	    9000);
	text = text_of(&c, PP_WAITS_BLOCK, 1);
	assert_string_equal(text.data,
	    "--- contention:\n"
	    "cycles/second=1000000000\n"
	    "3000000 2 @ 0x555555555100 0x55555555d000\n"
	    "# labels: {\"wait\":\"task wait\", \"worker\":1}\n"
	    "#\t0x5555555550ff\n"
	    "#\t0x55555555cfff\n"
	    "\n");
	pp_buf_free(&text);
	text = text_of(&c, PP_WAITS_MUTEX, 0);
	assert_string_equal(text.data,
	    "--- mutex:\n"
	    "cycles/second=1000000000\n"
	    "sampling period=1\n"
	    "# Nothing is sampled now: mutex_fraction is 0. POST settings, or "
	    "PPROF_MUTEX_FRACTION, sets it.\n"
	    "9000 10 @ 0x2000000000000001\n"
	    "# labels: {\"wait\":\"mutex wait\", \"worker\":1}\n"
	    "#\t0x2000000000000000\t[no stack]\n"
	    "\n");
	pp_buf_free(&text);
	counts_free(&c);
}

/* Binary and text, of block and mutex, with and without samples. */
static void
pprof_reads_the_same_from_each_form(void **state)
{
	struct counts c = counts_new();
	struct pp_slot *slot = &c.f.arena->slot[1];
	struct pp_buf bytes;
	struct pp_profile *p;
	const char *said;
	enum pp_waits which;
	int filled;

	(void)state;
	for (filled = 0; filled < 2; filled++) {
		for (which = PP_WAITS_BLOCK; which <= PP_WAITS_MUTEX; which++) {
			memset(&bytes, 0, sizeof(bytes));
			p = take(&c, which);
			assert_int_equal(pp_encode_pprof(p, &bytes), 0);
			said = go_pprof(&bytes, "-raw");
			assert_true(go_says(said,
			    "contentions/count delay/nanoseconds"));
			if (filled)
				assert_true(go_says(said, "5 1234567:"));
			pp_buf_free(&bytes);
			pp_profile_free(p);
			bytes = text_of(&c, which, (uint64_t)filled);
			said = go_pprof(&bytes, "-raw");
			assert_true(go_says(said,
			    "contentions/count delay/nanoseconds"));
			if (filled) {
				assert_true(go_says(said, "5 1234567:"));
				assert_non_null(strstr(said, "0x5555555550ff"));
			}
			pp_buf_free(&bytes);
		}
		counts_add(&slot->block, PP_WAIT_SEM, 0,
		    counts_here(&c, 1, 0x100), 5 * ONE, 1234567);
		counts_add(&slot->mutex, PP_WAIT_MUTEX, 0,
		    counts_here(&c, 1, 0x100), 5 * ONE, 1234567);
	}
	counts_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_wait_is_a_sample_with_count_delay_labels_and_what_for),
		cmocka_unit_test(
		    parts_of_contentions_add_up_before_they_are_rounded),
		cmocka_unit_test(what_a_worker_has_waited_stays_when_it_dies),
		cmocka_unit_test(a_delta_has_what_was_waited_meanwhile),
		cmocka_unit_test(
		    rows_that_lie_are_left_out_or_lose_what_is_a_lie),
		cmocka_unit_test(
		    an_applications_label_does_not_take_the_place_of_ours),
		cmocka_unit_test(the_texts_are_as_go_writes_them),
		cmocka_unit_test(pprof_reads_the_same_from_each_form),
	};

	return (cmocka_run_group_tests(tests, go_prepare, go_clean));
}
