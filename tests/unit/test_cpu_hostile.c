/*
 * Tests of cpu/cpu*.c against full tables, damage and lies: nothing
 * crashes, and the totals hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu_fixture.h"

static void
a_full_session_table_keeps_totals_and_leaves(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *s;
	uint64_t pc[3] = { EXE_START + 0x10, EXE_START + 0x20, 0 };
	int64_t in_leaf = 0;
	struct pp_profile *p;
	uint32_t i;

	(void)state;
	f.cpu->samples_max = 64;
	s = pp_cpu_begin(f.cpu, 100);
	for (i = 0; i < 1000; i++) {
		pc[2] = EXE_START + 0x1000 + i;
		fixture_put(&f, 1, 501, 501, 10 * MS, 0, pc, 3);
	}
	p = pp_cpu_end(s);
	assert_true(p->samples <= 64);
	assert_int_equal(profile_sum(p, 0), 1000);
	assert_int_equal(profile_sum(p, 1), 10000 * MS);
	assert_string_equal(profile_comment(p, "session_samples_dropped"),
	    "944");
	assert_int_equal(p->sample[0].value[0], 944);
	assert_int_equal(p->sample[0].locations, 2);
	assert_true(profile_is_no_stack(p, profile_frame(p, 0, 1)));
	for (i = 0; i < p->samples; i++) {
		if (profile_frame(p, i, 0)->address == EXE_START + 0x10)
			in_leaf += p->sample[i].value[0];
	}
	assert_int_equal(in_leaf, 1000);
	pp_profile_free(p);
	fixture_free(&f);
}

/* Every record another thread and another leaf: more than any table has. */
static void
more_threads_and_leaves_than_any_table_holds_keep_the_totals(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *s;
	struct pp_profile *p;
	int i, no_stack = 0;

	(void)state;
	f.cpu->samples_max = 32;
	f.cpu->words_max = 200;
	s = pp_cpu_begin(f.cpu, 100);
	for (i = 0; i < 2 * PP_CPU_THREADS_MAX; i++) {
		fixture_leaf(&f, 1, 501, 1000 + i, 10 * MS, (uint64_t)i);
		if (i % 1000 == 0)
			pp_cpu_tick(f.cpu, pp_clock_mono());
	}
	assert_true(s->threads <= PP_CPU_THREADS_MAX);
	p = pp_cpu_end(s);
	assert_int_equal(profile_sum(p, 0), 2 * PP_CPU_THREADS_MAX);
	assert_int_equal(profile_sum(p, 1),
	    2 * PP_CPU_THREADS_MAX * 10 * (int64_t)MS);
	assert_true(p->samples <= 33);
	for (i = 0; i < (int)p->samples; i++)
		no_stack +=
		    profile_is_no_stack(p, profile_frame(p, (uint32_t)i, 0));
	assert_true(no_stack > 0);
	pp_profile_free(p);
	fixture_free(&f);
}

/* A long session beside many short ones, as scrapers make them: what the
 * short ones left behind must not fill the store for ever. */
/* Scrapers that overlap, and labels that come and go with the workers. */
static void
labels_that_no_session_has_are_forgotten(void **state)
{
	enum { EACH = 700, WORKERS = 14 };
	struct fixture f = fixture_of(WORKERS);
	struct pp_cpu_session *session = NULL, *last;
	uint64_t pc = EXE_START + 16;
	struct pp_profile *p;
	char text[64];
	uint32_t slot, i;
	int len;

	(void)state;
	assert_true(EACH * WORKERS > PP_LABELS_MAX);
	for (slot = 1; slot <= WORKERS; slot++) {
		last = session;
		session = pp_cpu_begin(f.cpu, 100);
		for (i = 0; i < EACH; i++) {
			len = snprintf(text, sizeof(text), "user%c%u.%u%c", 0,
			    slot, i, 0);
			fixture_put(&f, slot, (int)slot, (int)slot, 10 * MS,
			    fixture_label(&f, slot, text, (size_t)len), &pc, 1);
		}
		if (last == NULL)
			continue;
		/* The one before saw this worker and its own. */
		p = pp_cpu_end(last);
		assert_int_equal(p->samples, 2 * EACH);
		for (i = 0; i < EACH; i += 99) {
			snprintf(text, sizeof(text), "%u.%u", slot, i);
			assert_int_equal(profile_sum_label(p, 0, "user", text,
					     0),
			    1);
			snprintf(text, sizeof(text), "%u.%u", slot - 1, i);
			assert_int_equal(profile_sum_label(p, 0, "user", text,
					     0),
			    1);
		}
		assert_string_equal(profile_comment(p,
					"session_labels_dropped"),
		    "0");
		pp_profile_free(p);
		assert_true(
		    pp_labels_count(f.cpu->labels) <= PP_LABELS_MAX / 2);
		/* A set that is seen again is the same line. */
		snprintf(text, sizeof(text), "user%c%u.%u%c", 0, slot, 5, 0);
		len = (int)(6 + strlen(text + 5));
		fixture_put(&f, slot, (int)slot, (int)slot, 10 * MS,
		    fixture_label(&f, slot, text, (size_t)len), &pc, 1);
		pp_cpu_tick(f.cpu, 0);
		assert_int_equal(session->entries, EACH);
	}
	pp_cpu_cancel(session);
	fixture_free(&f);
}

static void
overlapping_sessions_do_not_fill_the_store_for_ever(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *s, *next;
	uint64_t pc[3] = { EXE_START + 0x10, 0, EXE_START + 0x20 };
	struct pp_profile *p;
	int round, i;

	(void)state;
	f.cpu->words_max = 4000;
	s = pp_cpu_begin(f.cpu, 100);
	for (round = 0; round < 100; round++) {
		for (i = 0; i < 50; i++) {
			pc[1] = EXE_START + 0x1000 +
			    (uint64_t)(round * 50 + i) * 16;
			fixture_put(&f, 1, 501, 501, 10 * MS, 0, pc, 3);
		}
		next = pp_cpu_begin(f.cpu, 100);
		p = pp_cpu_end(s);
		assert_int_equal(p->samples, 50);
		assert_string_equal(profile_comment(p,
					"session_samples_dropped"),
		    "0");
		pp_profile_free(p);
		s = next;
	}
	assert_true(pp_stacks_fill(f.cpu->stacks) < 500);
	pp_cpu_cancel(s);
	assert_null(f.cpu->stacks);
	fixture_free(&f);
}

static void
object_tables_that_lie_cost_names_and_nothing_else(void **state)
{
	struct fixture f = fixture_new();
	struct pp_objects *o = &f.arena->slot[1].objects;
	struct pp_cpu_session *s = pp_cpu_begin(f.cpu, 100);
	uint64_t pc[] = { EXE_START + 1, 0, 1, UINT64_MAX, 1ULL << 63,
		1ULL << 48, 0x1234, PP_BUILD_NO_STACK, PP_BUILD_OUTSIDE };
	const struct pp_location *at;
	struct pp_profile *p;
	uint32_t i;

	(void)state;
	o->object[0].limit = o->object[0].start - 1;
	o->object[1].name_len = UINT32_MAX;
	fixture_load(&f, 1, "/huge", 0x1000, 7);
	o->object[2].limit = UINT64_MAX;
	atomic_store(&o->used, UINT32_MAX);
	atomic_fetch_add(&o->changes, 1);
	fixture_put(&f, 1, 501, 501, 10 * MS, UINT64_MAX, pc, 9);
	p = pp_cpu_end(s);
	assert_int_equal(profile_sum(p, 0), 1);
	assert_string_equal(profile_comment(p, "session_labels_dropped"), "1");
	for (i = 0; i < p->sample[0].locations; i++) {
		at = profile_frame(p, 0, i);
		assert_int_not_equal(at->address, 0);
		assert_int_equal(at->mapping, 0);
	}
	/* The program's place is worker 2's; worker 1 lost its claim. */
	assert_non_null(pp_address_map_find(f.map, EXE_START + 1, NULL));
	assert_int_not_equal(profile_frame(p, 0, 0)->address, EXE_START + 1);
	/* What is nobody's keeps its own address where that is free. */
	assert_int_equal(profile_frame(p, 0, 6)->address, 0x1233);
	pp_profile_free(p);
	fixture_free(&f);
}

static void
label_sets_that_are_damaged_are_no_labels(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
		{ "key\0valu", 8 },	 /* not terminated */
		{ "a\0b\0key", 8 },	 /* a key without value */
		{ "\0\0\0\0\0\0\0", 8 }, /* nothing */
		{ "a\0b\0\0x\0", 8 },	 /* text after the end */
		{ "a\0\0a\0\0a\0\0a\0\0a\0\0a\0\0a\0\0a\0\0a\0\0a\0\0a\0\0a\0\0"
		  "a\0\0a\0\0a\0\0a\0\0a\0\0",
		    51 }, /* 17 pairs */
	};
	struct fixture f = fixture_new();
	struct pp_cpu_session *s = pp_cpu_begin(f.cpu, 100);
	uint64_t pc = EXE_START;
	struct pp_profile *p;
	uint32_t i, id;

	(void)state;
	for (i = 0; i < 5; i++) {
		id = fixture_label(&f, 1, bad[i].text, bad[i].len);
		assert_int_not_equal(id, 0);
		fixture_put(&f, 1, 501, 501, 10 * MS, id, &pc, 1);
	}
	p = pp_cpu_end(s);
	assert_string_equal(profile_comment(p, "session_labels_dropped"), "5");
	assert_int_equal(p->samples, 1);
	assert_int_equal(p->sample[0].labels, 3);
	pp_profile_free(p);
	fixture_free(&f);
}

static void
weights_without_limit_do_not_overflow(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *s = pp_cpu_begin(f.cpu, 10000);
	struct pp_profile *p;
	uint32_t i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		fixture_leaf(&f, 1, 501, 501, UINT64_MAX, 1);
		if (i % 5000 == 0)
			pp_cpu_tick(f.cpu, pp_clock_mono());
	}
	p = pp_cpu_end(s);
	assert_int_equal(p->samples, 1);
	assert_true(p->sample[0].value[0] > 0);
	assert_true(p->sample[0].value[1] == INT64_MAX);
	assert_true(p->period > 0);
	pp_profile_free(p);
	fixture_free(&f);
}

static void
rings_full_of_anything_are_drained_in_bounded_time(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *s = pp_cpu_begin(f.cpu, 100);
	struct pp_ring *ring = &f.arena->slot[1].cpu;
	struct pp_life *life = &f.arena->slot[2].life;
	uint64_t word = 0;
	struct pp_profile *p;
	uint32_t round, i;

	(void)state;
	srandom(1);
	for (round = 0; round < 200; round++) {
		for (i = 0; i < 4000; i++) {
			word = (uint64_t)random() << 32 ^ (uint64_t)random();
			if (i % 3 == 0) /* small headers, also valid ones */
				word = (word % 12) << 8 | word >> 60;
			ring->words[(round * 4000 + i) % PP_CPU_RING_WORDS] =
			    word;
		}
		if (round % 3 == 0)
			ring->head =
			    (uint64_t)random() * (round % 2 ? 1 : word);
		else
			ring->head = ring->tail + (uint64_t)random() % 60000;
		ring->sealed = (uint64_t)random();
		/* Not the pid: it would be signalled. */
		atomic_store(&life->generation, (uint32_t)word);
		atomic_store(&life->dead_cpu_ns, (int64_t)word);
		atomic_fetch_add(&f.arena->slot[1].objects.changes, 1);
		pp_cpu_tick(f.cpu, pp_clock_mono());
	}
	p = pp_cpu_end(s);
	assert_non_null(p);
	assert_true(atoi(profile_comment(p, "rings_repaired")) > 20);
	assert_true(atoi(profile_comment(p, "records_malformed")) > 0);
	pp_profile_free(p);
	/* And after all that it works as before. */
	ring->head = ring->tail = 0;
	ring->sealed = 0;
	for (i = 0; i < PP_CPU_RING_WORDS; i++)
		ring->words[i] = 0;
	s = pp_cpu_begin(f.cpu, 100);
	fixture_leaf(&f, 1, 501, 501, 10 * MS, 1);
	p = pp_cpu_end(s);
	assert_int_equal(profile_sum(p, 0), 1);
	pp_profile_free(p);
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_session_table_keeps_totals_and_leaves),
		cmocka_unit_test(
		    more_threads_and_leaves_than_any_table_holds_keep_the_totals),
		cmocka_unit_test(
		    overlapping_sessions_do_not_fill_the_store_for_ever),
		cmocka_unit_test(labels_that_no_session_has_are_forgotten),
		cmocka_unit_test(
		    object_tables_that_lie_cost_names_and_nothing_else),
		cmocka_unit_test(label_sets_that_are_damaged_are_no_labels),
		cmocka_unit_test(weights_without_limit_do_not_overflow),
		cmocka_unit_test(
		    rings_full_of_anything_are_drained_in_bounded_time),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
