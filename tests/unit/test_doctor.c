/*
 * service/doctor_*: what is in the arena, and the finding and verdict that it
 * makes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu/recorder_private.h"
#include "service/doctor/doctor.h"
#include "service_fixture.h"

static struct pp_doctor doctor;

static void
examine(void)
{
	memset(&doctor, 0, sizeof(doctor));
	doctor.service = service;
	pp_doctor_abilities(&doctor);
	pp_doctor_losses(&doctor);
	pp_doctor_costs(&doctor);
}

static const struct pp_finding *
finding(const char *name)
{
	uint32_t i;

	for (i = 0; i < doctor.findings; i++) {
		if (strcmp(doctor.finding[i].name, name) == 0)
			return (&doctor.finding[i]);
	}
	return (NULL);
}

/* The arena as it is now gives this finding. `words` separated by '|', all of
 * which are in the sentence. */
static void
expect(const char *name, enum pp_verdict verdict, const char *words)
{
	const struct pp_finding *found;
	char copy[256], *word, *rest = copy;

	examine();
	found = finding(name);
	if (found == NULL)
		fail_msg("no finding %s", name);
	if (found->verdict != verdict)
		fail_msg("%s is %s: %s", name, pp_verdict_names[found->verdict],
		    found->sentence);
	snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, "|")) != NULL) {
		if (strstr(found->sentence, word) == NULL)
			fail_msg("%s: no \"%s\" in: %s", name, word,
			    found->sentence);
	}
	assert_int_equal(found->sentence[strlen(found->sentence) - 1], '.');
	assert_true(strlen(found->sentence) < PP_FINDING_TEXT_MAX - 1);
	assert_true(pp_doctor_verdict(&doctor) >= verdict);
}

static void
each_group_of_entries_is_named(void **state)
{
	static const struct {
		uint32_t refused;
		enum pp_verdict verdict;
		const char *words, *without;
	} row[] = {
		{ 0, PP_VERDICT_OK, "followed", "PPROF" },
		{ PP_ENTRIES_MEMORY, PP_VERDICT_DEGRADED, "allocates",
		    "sleep" },
		{ PP_ENTRIES_INFLIGHT, PP_VERDICT_DEGRADED,
		    "PPROF_ENTRY_PATCH|puts to sleep", "allocates" },
		{ PP_ENTRIES_INSTANTS, PP_VERDICT_DEGRADED, "part of a trace",
		    "sleep" },
		{ PP_ENTRIES_MEMORY | PP_ENTRIES_INFLIGHT | PP_ENTRIES_INSTANTS,
		    PP_VERDICT_DEGRADED, "allocates|sleep|trace", "followed" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		atomic_store(&c.f.arena->entry_refused, row[i].refused);
		expect("entry_patch", row[i].verdict, row[i].words);
		assert_null(
		    strstr(finding("entry_patch")->sentence, row[i].without));
	}
}

/* `used` of a table and its room. */
#define TABLE(name, member, size)                                              \
	{                                                                      \
		name, offsetof(struct pp_slot, member), size                   \
	}

static void
a_table_is_judged_by_how_full_it_is(void **state)
{
	static const struct {
		const char *name;
		size_t used;
		uint32_t room;
	} table[] = {
		TABLE("arena_labels", labels.used, PP_LABEL_WORDS),
		TABLE("arena_stacks", stacks.used, PP_STACK_WORDS),
		TABLE("arena_heap", heap.used, PP_HEAP_COUNTERS),
		TABLE("arena_block", block.used, PP_WAIT_COUNTERS),
		TABLE("arena_mutex", mutex.used, PP_WAIT_COUNTERS),
		TABLE("arena_own", custom.counters.used, PP_WAIT_COUNTERS),
		TABLE("arena_objects", objects.used, PP_OBJECTS_MAX),
		TABLE("arena_flights", inflights.used, PP_INFLIGHT_MAX),
	};
	static const struct {
		unsigned int percent;
		enum pp_verdict verdict;
		const char *words;
	} row[] = {
		{ 0, PP_VERDICT_OK, "0% full" },
		{ 79, PP_VERDICT_OK, "79% full in worker 2, the fullest" },
		{ 80, PP_VERDICT_DEGRADED, "80% full" },
		{ 97, PP_VERDICT_DEGRADED, "97% full" },
		{ 98, PP_VERDICT_BROKEN, "98% full|what is new is lost" },
		{ 250, PP_VERDICT_BROKEN, "100% full" }, /* it lies */
	};
	_Atomic uint32_t *used, *other;
	uint32_t kept;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		used =
		    (_Atomic uint32_t *)(void *)((char *)&c.f.arena->slot[2] +
			table[i].used);
		other =
		    (_Atomic uint32_t *)(void *)((char *)&c.f.arena->slot[1] +
			table[i].used);
		kept = atomic_exchange(other, 0);
		for (k = 0; k < sizeof(row) / sizeof(row[0]); k++) {
			atomic_store(used,
			    (uint32_t)(((uint64_t)table[i].room *
					       row[k].percent +
					   99) /
				100));
			expect(table[i].name, row[k].verdict, row[k].words);
		}
		atomic_store(used, 0);
		atomic_store(other, kept);
	}
}

static void
what_the_parent_found_is_said(void **state)
{
	struct pp_arena *arena = c.f.arena;

	(void)state;
	expect("unwinder", PP_VERDICT_OK, "whole");
	arena->stackless = 1;
	expect("unwinder", PP_VERDICT_BROKEN, "libunwind|one frame");
	expect("sandbox", PP_VERDICT_OK, "has our rules");
	arena->sandbox_left = 1;
	expect("sandbox", PP_VERDICT_BROKEN, "did not take");
	expect("privileges", PP_VERDICT_OK, "in no chroot|the parent's user");
	arena->chrooted = arena->runas = 1;
	expect("privileges", PP_VERDICT_OK, "in a chroot|another user");
	arena->jiffy_ns = 4 * PP_NS_PER_MS;
	expect("tick", PP_VERDICT_OK, "4.0 ms|up to 250");
	arena->jiffy_ns = 10 * PP_NS_PER_MS;
	expect("tick", PP_VERDICT_OK, "10.0 ms|up to 100");
	arena->jiffy_ns = -1; /* it lies */
	expect("tick", PP_VERDICT_OK, "up to 100");
}

static void
workers_that_do_not_run_are_missed(void **state)
{
	struct pp_life *one = &c.f.arena->slot[1].life,
		       *two = &c.f.arena->slot[2].life;

	(void)state;
	atomic_store(&two->deaths, 3);
	expect("workers", PP_VERDICT_DEGRADED, "1 of 2|3 have ended");
	atomic_store(&two->pid, getpid());
	expect("workers", PP_VERDICT_OK, "2 of 2");
	atomic_store(&one->pid, 0);
	atomic_store(&two->pid, 0);
	expect("workers", PP_VERDICT_BROKEN, "0 of 2");
	atomic_store(&one->pid, getpid());
}

static void
clocks_are_what_workers_have_got(void **state)
{
	static const struct {
		uint32_t clocks;
		int paranoid;
		const char *name;
		enum pp_verdict verdict;
		const char *words;
	} row[] = {
		{ 0, 2, "timers", PP_VERDICT_OK, "No thread" },
		{ PP_CLOCK_TIMER, 2, "timers", PP_VERDICT_OK, "work" },
		{ PP_CLOCK_TIMER | PP_CLOCK_TIMER_REFUSED, 2, "timers",
		    PP_VERDICT_BROKEN, "refused" },
		{ 0, -100, "perf_event", PP_VERDICT_OK, "not used" },
		{ PP_CLOCK_WALL, 3, "perf_event", PP_VERDICT_OK, "not used" },
		{ 0, 2, "tick", PP_VERDICT_OK, "250 samples" },
	}, asked[] = {
		{ 0, 3, "perf_event", PP_VERDICT_OK, "not needed" },
		{ PP_CLOCK_PERF, 3, "perf_event", PP_VERDICT_OK, "works" },
		{ PP_CLOCK_WALL, 2, "perf_event", PP_VERDICT_DEGRADED,
		    "refused|is 2|wall" },
	};
	size_t i;

	(void)state;
	c.f.arena->jiffy_ns = 4 * PP_NS_PER_MS;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		atomic_store(&c.f.arena->slot[2].clocks, row[i].clocks);
		c.f.arena->perf_paranoid = row[i].paranoid;
		expect(row[i].name, row[i].verdict, row[i].words);
	}
	c.f.arena->perf_event = 1;
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		atomic_store(&c.f.arena->slot[2].clocks, asked[i].clocks);
		c.f.arena->perf_paranoid = asked[i].paranoid;
		expect(asked[i].name, asked[i].verdict, asked[i].words);
	}
	/* A profile above the tick, and what came of it. */
	assert_null(finding("rate_above_tick"));
	service->fast_asked = 1000;
	service->fast_got = 950;
	expect("rate_above_tick", PP_VERDICT_OK, "1000|950");
	service->fast_got = 890;
	expect("rate_above_tick", PP_VERDICT_DEGRADED, "890");
}

static void
each_counter_of_losses_is_a_finding(void **state)
{
	static const char *const key[] = {
#define KEY(name, key, sentence) key,
		PP_LOSS_TABLE(KEY)
	};
	_Atomic uint64_t *loss = c.f.arena->slot[2].loss;
	size_t i;

	(void)state;
	expect("losses", PP_VERDICT_OK, "Nothing was lost");
	for (i = 0; i < PP_LOSS_COUNT; i++) {
		atomic_store(&loss[i], 4711);
		if (i == PP_LOSS_TIMER_OVERRUNS || i == PP_LOSS_STACKS_SHORT ||
		    i == PP_LOSS_HEAP_SHORT || i == PP_LOSS_WAITS_SHORT) {
			expect(key[i], PP_VERDICT_OK, "4711");
			assert_non_null(finding("losses"));
		} else {
			expect(key[i], PP_VERDICT_DEGRADED, "4711");
			assert_null(finding("losses"));
		}
		atomic_store(&loss[i], 0);
	}
}

static void
cpu_time_is_held_against_the_kernels(void **state)
{
	static const struct {
		double kernel, sampled;
		enum pp_verdict verdict;
		const char *words;
	} row[] = {
		{ 0.9, 0, PP_VERDICT_OK, "too little" },
		{ 10, 10, PP_VERDICT_OK, "10.00 s (100%)" },
		{ 10, 9.1, PP_VERDICT_OK, "(91%)" },
		{ 10, 8.9, PP_VERDICT_DEGRADED, "(89%)" },
		{ 10, 5.1, PP_VERDICT_DEGRADED, "(51%)" },
		{ 10, 4.9, PP_VERDICT_BROKEN, "(49%)" },
		{ 10, 11.2, PP_VERDICT_DEGRADED, "(112%)" },
		{ 10, 15.2, PP_VERDICT_BROKEN, "(152%)" },
	};
	struct pp_slice *slice;
	size_t i;

	(void)state;
	expect("cpu_accounts", PP_VERDICT_OK, "recorder is off");
	expect("recorder", PP_VERDICT_DEGRADED, "off");
	pp_service_free(service);
	c.f.arena->recorder_hz = 19;
	service = pp_service_new(c.f.arena, c.f.fd, symbols);
	assert_non_null(service);
	/* Chance, of which each thread has its part. */
	atomic_store(&c.f.arena->slot[1].threads_used, 0);
	service->recorder->slices = 1;
	slice = pp_recorder_slice(service->recorder, 0);
	slice->begun_ns = pp_clock_mono() - 12 * PP_NS_PER_SEC;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		slice->kernel_s = row[i].kernel;
		slice->sampled_s = row[i].sampled;
		expect("cpu_accounts", row[i].verdict, row[i].words);
	}
	/* 38 threads at 19 Hz: a second, by which each of two slices may be
	 * off. */
	atomic_store(&c.f.arena->slot[1].threads_used, 38);
	slice->sampled_s = 7.7;
	expect("cpu_accounts", PP_VERDICT_OK, "(77%)");
	slice->sampled_s = 7.5;
	expect("cpu_accounts", PP_VERDICT_DEGRADED, "(75%)");
	slice->children_s = 1.25;
	expect("cpu_children", PP_VERDICT_OK, "used 1.25 s of CPU");
	expect("recorder", PP_VERDICT_OK, "19 Hz|back 12 s|0 slices had");
	service->recorder->dropped = 2;
	expect("recorder", PP_VERDICT_DEGRADED, "2 slices had no room");
	c.f.arena->jiffy_ns = 100 * PP_NS_PER_MS;
	expect("recorder_rate", PP_VERDICT_DEGRADED, "is 19|tick's 10");
}

static void
what_samples_cost_is_held_against_what_was_used(void **state)
{
	struct pp_slot *slot = &c.f.arena->slot[2];

	(void)state;
	/* Without this process, whose CPU time nobody knows. */
	atomic_store(&c.f.arena->slot[1].life.pid, 0);
	expect("handler", PP_VERDICT_OK, "No CPU sample");
	atomic_store(&slot->samples, 1000);
	atomic_store(&slot->samples_ns, 1000 * 20000ULL);
	atomic_store(&slot->life.dead_cpu_ns, 100 * PP_NS_PER_SEC);
	expect("handler", PP_VERDICT_OK,
	    "20000 ns|1000 of them 0.020 s|0.020%|100.0 s");
	atomic_store(&slot->life.dead_cpu_ns, 3 * PP_NS_PER_SEC / 2);
	expect("handler", PP_VERDICT_DEGRADED, "1.333%|1.5 s");
	/* Of less than a second nothing follows. */
	atomic_store(&slot->life.dead_cpu_ns, PP_NS_PER_SEC);
	expect("handler", PP_VERDICT_OK, "2.000%");
	atomic_store(&c.f.arena->slot[1].life.pid, getpid());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(test)                                                             \
	cmocka_unit_test_setup_teardown(test, service_setup, service_teardown)
		CASE(each_group_of_entries_is_named),
		CASE(a_table_is_judged_by_how_full_it_is),
		CASE(what_the_parent_found_is_said),
		CASE(workers_that_do_not_run_are_missed),
		CASE(clocks_are_what_workers_have_got),
		CASE(each_counter_of_losses_is_a_finding),
		CASE(cpu_time_is_held_against_the_kernels),
		CASE(what_samples_cost_is_held_against_what_was_used),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
