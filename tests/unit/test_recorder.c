/*
 * cpu/recorder: what goes in comes out, in its window, in bounded memory.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu/recorder_private.h"
#include "cpu_fixture.h"

#define HZ     20
#define PERIOD (PP_NS_PER_SEC / HZ)

static struct fixture f;
static struct pp_recorder *recorder;

static void
begin(void)
{
	f = fixture_new();
	recorder = pp_recorder_new(f.cpu, HZ);
	assert_non_null(recorder);
	assert_int_equal(pp_recorder_hz(recorder), HZ);
	assert_int_equal(atomic_load(&f.arena->control.cpu_period_ns), PERIOD);
}

static void
end(void)
{
	pp_recorder_free(recorder);
	assert_int_equal(atomic_load(&f.arena->control.cpu_period_ns), 0);
	fixture_free(&f);
}

/* Samples of one slice are over; the slice is said to have been `ago` seconds
 * back. */
static void
slice(int64_t ago)
{
	uint32_t before = recorder->slices;
	struct pp_slice *last;
	int64_t now = pp_clock_mono();

	(void)pp_recorder_tick(recorder, now + PP_SLICE_NS);
	assert_int_equal(recorder->slices, before + 1);
	last = pp_recorder_slice(recorder, before);
	last->begun_ns = now - ago * PP_NS_PER_SEC;
	last->ended_ns = last->begun_ns + PP_SLICE_NS;
}

static void
put(uint32_t slot, int pid, const char *route, uint64_t at, int periods)
{
	char text[64];
	uint64_t pc[3] = { EXE_START + at, LIBC_START + at, EXE_START };
	uint64_t label;
	int len;

	len = snprintf(text, sizeof(text), "http.route%c%s%c", 0, route, 0);
	label = fixture_label(&f, slot, text, (size_t)len);
	assert_int_equal(fixture_put(&f, slot, pid, pid,
			     (uint64_t)periods * PERIOD, label, pc, 3),
	    0);
}

static struct pp_profile *
window(int64_t since, int64_t until)
{
	return (pp_recorder_profile(recorder, pp_clock_mono(), since, until));
}

static void
what_went_in_comes_out(void **state)
{
	struct pp_profile *direct, *p;
	struct pp_cpu_session *session;
	uint32_t i, k;

	(void)state;
	begin();
	session = pp_cpu_begin(f.cpu, HZ);
	for (i = 0; i < 300; i++)
		put(1 + i % 2, (int)(100 + i % 3), i % 5 ? "/a" : "/b",
		    i % 70 * 16, 1 + (int)(i % 4));
	/* A pc of no object, and one sample without a stack or labels. */
	assert_int_equal(fixture_put(&f, 1, 7, 7, PERIOD, 0,
			     (uint64_t[]){ 0x1234, UINT64_MAX }, 2),
	    0);
	assert_int_equal(fixture_put(&f, 1, 7, 7, PERIOD, 0, NULL, 0), 0);
	slice(10);
	p = window(15, 0);
	direct = pp_cpu_end(session);
	assert_non_null(p);
	assert_non_null(direct);
	assert_int_equal(p->samples, direct->samples);
	assert_int_equal(p->period, direct->period);
	assert_int_equal(p->stack_used, direct->stack_used);
	for (i = 0; i < p->samples; i++) {
		assert_int_equal(p->sample[i].value[0],
		    direct->sample[i].value[0]);
		assert_int_equal(p->sample[i].value[1],
		    direct->sample[i].value[1]);
		assert_int_equal(p->sample[i].labels, direct->sample[i].labels);
		for (k = 0; k < p->sample[i].locations; k++)
			assert_int_equal(profile_frame(p, i, k)->address,
			    profile_frame(direct, i, k)->address);
		for (k = 0; k < p->sample[i].labels; k++) {
			const struct pp_label *one, *other;

			one = &p->label[p->sample[i].first_label + k];
			other =
			    &direct->label[direct->sample[i].first_label + k];
			assert_string_equal(one->key, other->key);
			assert_int_equal(one->number, other->number);
			if (other->text != NULL)
				assert_string_equal(one->text, other->text);
		}
	}
	pp_profile_free(p);
	pp_profile_free(direct);
	end();
}

static int64_t
of_route(int64_t since, int64_t until, const char *route)
{
	struct pp_profile *p = window(since, until);
	int64_t ns;

	assert_non_null(p);
	ns = profile_sum_label(p, 1, "http.route", route, 0);
	pp_profile_free(p);
	return (ns / (int64_t)PERIOD);
}

static void
a_window_has_the_slices_that_lie_in_it(void **state)
{
	int64_t at;

	(void)state;
	begin();
	/* From 120 to 70 seconds ago /a, then /b until 10 ago, now /c. */
	for (at = 120; at >= 20; at -= 10) {
		put(1, 100, at > 70 ? "/a" : "/b", 0, 1);
		slice(at);
	}
	put(1, 100, "/c", 0, 3);
	assert_int_equal(of_route(900, 0, "/a"), 5);
	assert_int_equal(of_route(900, 0, "/b"), 6);
	assert_int_equal(of_route(900, 0, "/c"), 3);
	assert_int_equal(of_route(900, 70, "/a"), 5);
	assert_int_equal(of_route(900, 70, "/b"), 0);
	assert_int_equal(of_route(70, 10, "/b"), 6);
	assert_int_equal(of_route(70, 10, "/a"), 0);
	/* To the nearest slice: 4 s of one do not count, 6 do. */
	assert_int_equal(of_route(74, 20, "/a"), 0);
	assert_int_equal(of_route(76, 20, "/a"), 1);
	/* A window that is less than a slice. */
	assert_int_equal(of_route(97, 94, "/a"), 1);
	assert_null(window(900, 600));
	assert_int_equal(errno, ENOENT);
	end();
}

/* The question's moment is a nanosecond after the slice began, and the copy is
 * made many of them later. */
static void
what_has_just_begun_is_in_an_answer_made_at_once(void **state)
{
	struct pp_profile *p;

	(void)state;
	begin();
	put(1, 100, "/a", 0, 1);
	p = pp_recorder_profile(recorder, recorder->session->mono_ns + 1, 900,
	    0);
	assert_non_null(p);
	assert_int_equal(p->samples, 1);
	pp_profile_free(p);
	end();
}

static void
what_is_too_old_or_too_much_goes_oldest_first(void **state)
{
	struct pp_recorder_facts facts;
	uint32_t i, kept;

	(void)state;
	begin();
	for (i = 0; i < PP_SLICES_MAX + 20; i++) {
		put(1, 100, "/a", i, 1);
		(void)pp_recorder_tick(recorder, pp_clock_mono() + PP_SLICE_NS);
		assert_in_range(recorder->slices, 1, PP_SLICES_MAX);
	}
	end();
	begin();
	for (i = 0; i < 10; i++) {
		put(1, 100, "/a", i, 1);
		slice(10);
	}
	for (i = 0; i < 10; i++)
		pp_recorder_slice(recorder, i)->ended_ns =
		    pp_clock_mono() - (940 - (int64_t)i * 10) * PP_NS_PER_SEC;
	/* They ended 940 to 850 s ago, and in 10 s what is over 900 goes. */
	put(1, 100, "/a", 0, 1);
	(void)pp_recorder_tick(recorder, pp_clock_mono() + PP_SLICE_NS);
	kept = recorder->slices;
	assert_in_range(kept, 5, 6);
	recorder->bytes_max =
	    recorder->bytes - pp_recorder_slice(recorder, 0)->data.room;
	put(1, 100, "/a", 0, 1);
	(void)pp_recorder_tick(recorder, pp_clock_mono() + PP_SLICE_NS);
	pp_recorder_measure(recorder, pp_clock_mono(), &facts);
	assert_true(facts.bytes <= recorder->bytes_max);
	assert_true(facts.dropped > 0);
	assert_true(facts.slices < kept + 1);
	end();
}

static int
address_compare(const void *one, const void *two)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)two;

	return ((a > b) - (a < b));
}

static void
addresses_of_a_slice_are_given_out_once_each(void **state)
{
	uint64_t address[200], want[200];
	uint32_t i, k, turn, count;

	(void)state;
	begin();
	assert_int_equal(pp_recorder_unnamed(recorder, address, 200), 0);
	for (turn = 0; turn < 2; turn++) {
		for (i = 0; i < 150; i++)
			put(1, 100, "/a", 16 + i % 50 * 16, 1);
		slice(10);
		/* In pieces. 50 leaves, 50 callers in libc, and one above. */
		for (count = 0; (k = pp_recorder_unnamed(recorder,
				     address + count, 7)) > 0;
		     count += k)
			assert_true(k <= 7 && count + k < 200);
		assert_int_equal(count, 101);
		qsort(address, count, sizeof(*address), address_compare);
		for (i = 1; i < count; i++)
			assert_true(address[i] != address[i - 1]);
		/* Those that are in a profile of it. */
		if (turn == 0)
			memcpy(want, address, sizeof(want));
		assert_memory_equal(want, address, count * sizeof(*address));
	}
	/* More than there is room for, and nobody who takes them. */
	for (turn = 0; turn < 3; turn++) {
		for (i = 0; i < 12000; i++) {
			put(1, 100, "/a", 16 + i * 16, 1);
			if (i % 1000 == 0)
				(void)pp_cpu_tick(f.cpu, pp_clock_mono());
		}
		slice(10);
	}
	for (count = 0; (k = pp_recorder_unnamed(recorder, address, 200)) > 0;
	     count += k)
		continue;
	assert_in_range(count, 1, PP_RECORDER_NAMES_MAX);
	end();
}

static void
a_profile_beside_it_has_its_own_rate_and_leaves_it_alone(void **state)
{
	struct pp_cpu_session *session;
	struct pp_profile *p;
	int i;

	(void)state;
	begin();
	session = pp_cpu_begin(f.cpu, 10 * HZ);
	assert_int_equal(atomic_load(&f.arena->control.cpu_period_ns),
	    PERIOD / 10);
	for (i = 0; i < 100; i++)
		assert_int_equal(fixture_leaf(&f, 1, 5, 5, PERIOD / 10, 0), 0);
	slice(10);
	p = pp_cpu_end(session);
	assert_int_equal(profile_sum(p, 0), 100);
	pp_profile_free(p);
	p = window(20, 0);
	assert_int_equal(profile_sum(p, 0), 10);
	pp_profile_free(p);
	assert_int_equal(atomic_load(&f.arena->control.cpu_period_ns), PERIOD);
	end();
}

static void
off_is_off_and_a_rate_that_cannot_be_is_off(void **state)
{
	static const uint64_t bad[] = { 0, PP_RECORDER_HZ_MAX + 1, UINT64_MAX };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f = fixture_new();
		recorder = pp_recorder_new(f.cpu, bad[i]);
		assert_non_null(recorder);
		assert_int_equal(pp_recorder_hz(recorder), 0);
		assert_int_equal(atomic_load(&f.arena->control.cpu_period_ns),
		    0);
		assert_true(pp_recorder_tick(recorder, 1) == INT64_MAX);
		assert_null(window(10, 0));
		end();
	}
}

/* Not that anybody else writes them: a mistake of ours must not be more. */
static void
damaged_slices_end_within_their_bytes(void **state)
{
	struct pp_slice *last;
	uint32_t i, k;

	(void)state;
	begin();
	for (i = 0; i < 40; i++)
		put(1, 100, i % 2 ? "/a" : "/b", i * 16, 1);
	slice(10);
	last = pp_recorder_slice(recorder, 0);
	for (i = 0; i < 2000; i++) {
		k = (i * 7919U) % (uint32_t)last->data.len;
		last->data.data[k] = (char)(i * 31);
		if (i % 8 == 0)
			pp_profile_free(window(20, 5));
	}
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_went_in_comes_out),
		cmocka_unit_test(a_window_has_the_slices_that_lie_in_it),
		cmocka_unit_test(
		    what_has_just_begun_is_in_an_answer_made_at_once),
		cmocka_unit_test(what_is_too_old_or_too_much_goes_oldest_first),
		cmocka_unit_test(addresses_of_a_slice_are_given_out_once_each),
		cmocka_unit_test(
		    a_profile_beside_it_has_its_own_rate_and_leaves_it_alone),
		cmocka_unit_test(off_is_off_and_a_rate_that_cannot_be_is_off),
		cmocka_unit_test(damaged_slices_end_within_their_bytes),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
