/*
 * Tests of cpu/cpu*.c: what honest workers sampled comes out, whole and
 * under the right names. Hostile arenas are in test_cpu_hostile.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu_fixture.h"

static void
samples_of_all_workers_come_out_with_their_stacks_and_threads(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *s = pp_cpu_begin(f.cpu, 100);
	uint64_t pc[] = { LIBC_START + 0x10, EXE_START + 0x205,
		EXE_START + 0x105 };
	struct pp_profile *p;
	int i;

	(void)state;
	assert_int_equal(f.arena->control.cpu_period_ns, 10 * MS);
	for (i = 0; i < 30; i++) {
		fixture_put(&f, 1, 501, 501, 10 * MS, 0, pc, 3);
		if (i % 3 == 0)
			fixture_put(&f, 2, 502, 509, 10 * MS, 0, pc, 2);
	}
	p = pp_cpu_end(s);
	assert_non_null(p);
	assert_int_equal(f.arena->control.cpu_period_ns, 0);
	assert_int_equal(p->samples, 2);
	assert_string_equal(p->value_type[0].type, "samples");
	assert_string_equal(p->value_type[1].unit, "nanoseconds");
	assert_int_equal(p->period, 10 * MS);
	assert_true(p->time_ns > 1600000000LL * PP_NS_PER_SEC);
	assert_true(p->duration_ns > 0);
	/* The heavier one first. */
	assert_int_equal(p->sample[0].value[0], 30);
	assert_int_equal(p->sample[0].value[1], 300 * MS);
	assert_int_equal(p->sample[1].value[0], 10);
	/* Leaf exact, callers at the call. */
	assert_int_equal(p->sample[0].locations, 3);
	assert_int_equal(profile_frame(p, 0, 0)->address, LIBC_START + 0x10);
	assert_int_equal(profile_frame(p, 0, 1)->address, EXE_START + 0x204);
	assert_int_equal(profile_frame(p, 0, 2)->address, EXE_START + 0x104);
	assert_string_equal(p->mapping[0].file, "/usr/bin/kore");
	assert_int_equal(p->mapping[0].start, EXE_START);
	assert_int_equal(p->mapping[0].limit, EXE_START + SEGMENT);
	assert_int_equal(p->mapping[0].offset, 0x1000);
	assert_string_equal(p->mapping[1].build_id,
	    "0202020202020202020202020202020202020202");
	assert_int_equal(profile_frame(p, 0, 0)->mapping, 2);
	assert_int_equal(profile_frame(p, 0, 1)->mapping, 1);
	assert_int_equal(profile_sum_label(p, 0, "worker", NULL, 1), 30);
	assert_int_equal(profile_sum_label(p, 0, "pid", NULL, 501), 30);
	assert_int_equal(profile_sum_label(p, 0, "worker", NULL, 2), 10);
	assert_int_equal(profile_sum_label(p, 0, "tid", NULL, 509), 10);
	pp_profile_free(p);
	fixture_free(&f);
}

static void
sessions_at_three_rates_each_get_theirs_and_the_same_cpu_time(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *slow, *fast, *odd;
	struct pp_profile *p;
	int i;

	(void)state;
	slow = pp_cpu_begin(f.cpu, 100);
	fast = pp_cpu_begin(f.cpu, 1000);
	odd = pp_cpu_begin(f.cpu, 30);
	assert_int_equal(f.arena->control.cpu_period_ns, MS);
	for (i = 0; i < 5000; i++) {
		fixture_leaf(&f, 1, 501, 501, MS, (uint64_t)i % 10);
		if (i % 500 == 0)
			pp_cpu_tick(f.cpu, pp_clock_mono());
	}
	p = pp_cpu_end(fast);
	assert_int_equal(f.arena->control.cpu_period_ns, 10 * MS);
	assert_int_equal(profile_sum(p, 0), 5000);
	assert_int_equal(profile_sum(p, 1), 5000 * MS);
	assert_int_equal(p->period, MS);
	pp_profile_free(p);
	p = pp_cpu_end(slow);
	assert_true(llabs(profile_sum(p, 0) - 500) <= 1);
	assert_int_equal(profile_sum(p, 1), 5000 * MS);
	assert_int_equal(p->period, 10 * MS);
	pp_profile_free(p);
	p = pp_cpu_end(odd);
	assert_true(llabs(profile_sum(p, 0) - 150) <= 1);
	assert_int_equal(profile_sum(p, 1), 5000 * MS);
	pp_profile_free(p);
	fixture_free(&f);
}

/* Ticks as a kernel of 250 Hz gives them for 100 Hz: 8 and 12 ms. Each is a
 * sample; and any weights at all sum up, of threads that last and of those
 * that end. */
static void
nanoseconds_are_exact(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *s = pp_cpu_begin(f.cpu, 100), *t;
	uint64_t total = 0, weight, pc = EXE_START + 1;
	struct pp_profile *p;
	int i, tid;

	(void)state;
	for (i = 0; i < 500; i++)
		fixture_leaf(&f, 1, 501, 501, i % 2 ? 12 * MS : 8 * MS, 1);
	p = pp_cpu_end(s);
	assert_int_equal(profile_sum(p, 0), 500);
	assert_int_equal(profile_sum(p, 1), 5000 * MS);
	pp_profile_free(p);

	s = pp_cpu_begin(f.cpu, 97);
	t = pp_cpu_begin(f.cpu, 19);
	srandom(7);
	for (i = 0; i < 6000; i++) {
		weight = (uint64_t)random() % (30 * MS);
		tid = 501 + i % 500;
		total += weight;
		fixture_kind(&f,
		    i % 3 == 2 ? PP_RECORD_CPU_LEFT : PP_RECORD_CPU, 2, 501,
		    tid, weight, 0, &pc, 1);
	}
	p = pp_cpu_end(s);
	assert_int_equal(profile_sum(p, 0), 4000);
	assert_int_equal(profile_sum(p, 1), total);
	pp_profile_free(p);
	p = pp_cpu_end(t);
	assert_int_equal(profile_sum(p, 1), total);
	pp_profile_free(p);
	fixture_free(&f);
}

/* A thread of 3 ms is a sample of 100 Hz with a chance of 3 in 10, whatever
 * rate the worker samples at. */
static void
short_threads_have_their_share_of_the_samples(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *fast = pp_cpu_begin(f.cpu, 1000);
	struct pp_cpu_session *s = pp_cpu_begin(f.cpu, 100);
	uint64_t pc = EXE_START + 1;
	struct pp_profile *p;
	int i, k;

	(void)state;
	for (i = 0; i < 3000; i++) {
		for (k = 0; k < 3; k++)
			fixture_leaf(&f, 1, 501, 1000 + i, MS, 1);
		fixture_kind(&f, PP_RECORD_CPU_LEFT, 1, 501, 1000 + i, 0, 0,
		    &pc, 1);
		if (i % 100 == 0)
			pp_cpu_tick(f.cpu, pp_clock_mono());
	}
	p = pp_cpu_end(s);
	print_message("%ld samples of 900\n", (long)profile_sum(p, 0));
	/* Five standard deviations of 25. */
	assert_true(llabs(profile_sum(p, 0) - 900) < 125);
	assert_int_equal(profile_sum(p, 1), 9000 * MS);
	pp_profile_free(p);
	pp_cpu_cancel(fast);
	fixture_free(&f);
}

/* What its thread had used before the window is not the window's, and what
 * it has used since its last sample is. */
static void
a_window_has_edges(void **state)
{
	struct fixture f = fixture_new();
	struct pp_slot *slot = &f.arena->slot[1];
	struct pp_thread_facts *facts = &slot->thread[3];
	struct pp_cpu_session *s;
	struct pp_profile *p;
	uint32_t i;

	(void)state;
	atomic_store(&slot->threads_used, 4);
	for (i = 0; i < 3; i++) {
		/* 0: quiet in the window; 1: a sample; 2: no answer. */
		atomic_store(&facts->tid, 777);
		atomic_store(&facts->unsampled_ns, 30 * MS);
		atomic_store(&slot->clocks_answered,
		    i == 2 ? 0 : f.cpu->clocks + 1);
		s = pp_cpu_begin(f.cpu, 10);
		if (i > 0)
			fixture_leaf(&f, 1, 0, 777, 100 * MS, 1);
		atomic_store(&facts->unsampled_ns, i == 1 ? 4 * MS : 45 * MS);
		atomic_store(&slot->clocks_answered,
		    i == 2 ? 0 : f.cpu->clocks + 1);
		p = pp_cpu_end(s);
		assert_int_equal(profile_sum(p, 0), i == 0 ? 0 : 1);
		assert_int_equal(profile_sum(p, 1),
		    (i == 0	     ? 15
			    : i == 1 ? 70 + 4
				     : 100) *
			MS);
		pp_profile_free(p);
	}
	fixture_free(&f);
}

static void
a_rate_that_did_not_happen_is_not_claimed(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *s = pp_cpu_begin(f.cpu, 1000);
	struct pp_profile *p;
	int i;

	(void)state;
	for (i = 0; i < 250; i++)
		fixture_leaf(&f, 1, 501, 501, 4 * MS, 1);
	p = pp_cpu_end(s);
	assert_int_equal(profile_sum(p, 0), 250);
	assert_int_equal(profile_sum(p, 1), 1000 * MS);
	assert_int_equal(p->period, 4 * MS);
	assert_string_equal(profile_comment(p, "hz_asked"), "1000");
	assert_string_equal(profile_comment(p, "hz_actual"), "250.0");
	assert_string_equal(profile_comment(p, "cpu_seconds_sampled"), "1.000");
	pp_profile_free(p);
	fixture_free(&f);
}

static void
labels_are_text_and_equal_sets_of_two_workers_are_equal(void **state)
{
	static const char fib[] = "http.route\0/fib/\0http.method\0GET";
	static const char cat[] = "http.route\0/concat/\0pid\0x\0empty\0";
	struct fixture f = fixture_new();
	struct pp_cpu_session *s = pp_cpu_begin(f.cpu, 100);
	uint64_t pc = EXE_START + 1;
	uint32_t one, two, other;
	struct pp_profile *p;
	int i;

	(void)state;
	other = fixture_label(&f, 2, cat, sizeof(cat));
	one = fixture_label(&f, 1, fib, sizeof(fib));
	two = fixture_label(&f, 2, fib, sizeof(fib));
	assert_int_not_equal(one, two);
	for (i = 0; i < 10; i++) {
		fixture_put(&f, 1, 501, 501, 10 * MS, one, &pc, 1);
		fixture_put(&f, 2, 502, 502, 10 * MS, two, &pc, 1);
		fixture_put(&f, 2, 502, 502, 10 * MS, other, &pc, 1);
		fixture_put(&f, 2, 502, 502, 10 * MS, 0, &pc, 1);
	}
	assert_int_equal(pp_cpu_tick(f.cpu, 0), 250 * MS);
	assert_int_equal(f.cpu->cache[2].count, 2);
	p = pp_cpu_end(s);
	assert_int_equal(p->samples, 4);
	assert_int_equal(profile_sum(p, 0), 40);
	assert_int_equal(profile_sum_label(p, 0, "http.route", "/fib/", 0), 20);
	assert_int_equal(profile_sum_label(p, 0, "http.method", "GET", 0), 20);
	assert_int_equal(profile_sum_label(p, 0, "http.route", "/concat/", 0),
	    10);
	/* A text may not take a number's key. */
	assert_int_equal(profile_sum_label(p, 0, "pid", "x", 0), 0);
	assert_int_equal(profile_sum_label(p, 0, "pid", NULL, 502), 30);
	assert_string_equal(profile_comment(p, "session_labels_dropped"), "0");
	pp_profile_free(p);
	fixture_free(&f);
}

static void
a_worker_that_is_replaced_keeps_its_samples_and_is_counted(void **state)
{
	struct fixture f = fixture_new();
	struct pp_life *life = &f.arena->slot[1].life;
	struct pp_cpu_session *s;
	uint64_t pc = LIBC_START + 0x2000000;
	struct pp_profile *p;
	int index;

	(void)state;
	atomic_store(&life->generation, 1);
	atomic_store(&life->pid, 0);
	s = pp_cpu_begin(f.cpu, 100);
	/* Module of the first process, gone again before anybody reads. */
	index = fixture_load(&f, 1, "/app/old.so", pc, 0);
	fixture_put(&f, 1, 501, 501, 10 * MS, 0, &pc, 1);
	pp_objects_retire(&f.arena->slot[1].objects, (uint32_t)index);
	pp_cpu_tick(f.cpu, pp_clock_mono());
	/* It dies, and another one takes the slot. */
	atomic_store(&life->dead_cpu_ns, 1500 * (int64_t)MS);
	atomic_store(&life->generation, 2);
	pp_ring_seal(&f.arena->slot[1].cpu);
	fixture_load(&f, 1, "/app/new.so", pc - SEGMENT / 2, 9);
	fixture_put(&f, 1, 601, 601, 10 * MS, 0, &pc, 1);
	p = pp_cpu_end(s);
	/* The third is what the kernel says, and neither has sampled. */
	assert_int_equal(p->samples, 3);
	assert_int_equal(profile_sum_label(p, 0, "pid", NULL, 501), 1);
	assert_int_equal(profile_sum_label(p, 0, "pid", NULL, 601), 1);
	assert_int_equal(profile_sum(p, 1), 1500 * MS);
	assert_string_equal(profile_comment(p, "cpu_seconds_not_sampled"),
	    "1.480");
	assert_string_equal(profile_comment(p, "worker_restarts"), "1");
	assert_string_equal(profile_comment(p, "cpu_seconds_kernel"), "1.500");
	/* One pc, two files, two addresses. */
	assert_int_not_equal(profile_frame(p, 1, 0)->address,
	    profile_frame(p, 2, 0)->address);
	assert_int_equal(p->mappings, 3);
	pp_profile_free(p);
	fixture_free(&f);
}

static void
the_window_starts_clean_and_losses_are_its_own(void **state)
{
	struct fixture f = fixture_new();
	struct pp_slot *slot = &f.arena->slot[2];
	struct pp_cpu_session *s;
	struct pp_profile *p;

	(void)state;
	fixture_leaf(&f, 1, 501, 501, 10 * MS, 1);
	pp_slot_lose(slot, PP_LOSS_SAMPLES_DROPPED, 5);
	s = pp_cpu_begin(f.cpu, 100);
	fixture_leaf(&f, 1, 501, 501, 10 * MS, 2);
	pp_slot_lose(slot, PP_LOSS_SAMPLES_DROPPED, 3);
	pp_slot_lose(&f.arena->slot[0], PP_LOSS_OBJECTS_DROPPED, 1);
	p = pp_cpu_end(s);
	assert_int_equal(profile_sum(p, 0), 1);
	assert_int_equal(profile_frame(p, 0, 0)->address, EXE_START + 2);
	assert_string_equal(profile_comment(p, "samples_dropped"), "3");
	assert_string_equal(profile_comment(p, "objects_dropped"), "1");
	assert_string_equal(profile_comment(p, "timer_overruns"), "0");
	pp_profile_free(p);
	fixture_free(&f);
}

static void
a_sample_without_frames_says_no_stack_and_an_idle_profile_is_whole(void **state)
{
	struct fixture f = fixture_new();
	struct pp_cpu_session *s = pp_cpu_begin(f.cpu, 100);
	struct pp_profile *p;

	(void)state;
	fixture_put(&f, 1, 501, 501, 20 * MS, 0, NULL, 0);
	p = pp_cpu_end(s);
	assert_int_equal(p->samples, 1);
	assert_int_equal(profile_sum(p, 1), 20 * MS);
	assert_true(profile_is_no_stack(p, profile_frame(p, 0, 0)));
	assert_string_equal(profile_comment(p, "session_samples_dropped"), "0");
	pp_profile_free(p);
	s = pp_cpu_begin(f.cpu, 10);
	p = pp_cpu_end(s);
	assert_int_equal(p->samples, 0);
	assert_int_equal(p->period, 100 * MS);
	assert_int_equal(p->mappings, 1);
	assert_string_equal(p->mapping[0].file, "/usr/bin/kore");
	pp_profile_free(p);
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    samples_of_all_workers_come_out_with_their_stacks_and_threads),
		cmocka_unit_test(
		    sessions_at_three_rates_each_get_theirs_and_the_same_cpu_time),
		cmocka_unit_test(nanoseconds_are_exact),
		cmocka_unit_test(short_threads_have_their_share_of_the_samples),
		cmocka_unit_test(a_window_has_edges),
		cmocka_unit_test(a_rate_that_did_not_happen_is_not_claimed),
		cmocka_unit_test(
		    labels_are_text_and_equal_sets_of_two_workers_are_equal),
		cmocka_unit_test(
		    a_worker_that_is_replaced_keeps_its_samples_and_is_counted),
		cmocka_unit_test(
		    the_window_starts_clean_and_losses_are_its_own),
		cmocka_unit_test(
		    a_sample_without_frames_says_no_stack_and_an_idle_profile_is_whole),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
