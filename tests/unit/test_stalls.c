/*
 * live/stalls: which event loops count as held, and what is kept of the
 * dead. The test writes what a worker and the parent would.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpu_fixture.h"
#include "live/stalls_private.h"

#define SLOT  1
#define BEGUN (100 * PP_NS_PER_SEC)

static struct fixture f;
static struct pp_resolver *resolver;
static struct pp_stalls *stalls;
static unsigned int told;
static struct pp_stall last_told;

static void
tell(void *arg, const struct pp_stall *stall)
{
	assert_ptr_equal(arg, &told);
	told++;
	last_told = *stall;
}

static const char *
no_name(void *arg, uint64_t address)
{
	(void)arg;
	(void)address;
	return (NULL);
}

static void
begin(uint64_t stall_ms)
{
	f = fixture_new();
	/* Nobody is signalled: the pid is no process's. */
	atomic_store(&f.arena->slot[SLOT].life.pid, 0x3fffffff);
	resolver = pp_resolver_new(f.arena, f.arena->slots, f.map);
	stalls = pp_stalls_new(resolver, f.cpu, getpid(), stall_ms);
	assert_non_null(stalls);
	pp_stalls_report_to(stalls, tell, no_name, &told);
	told = 0;
}

static void
end(void)
{
	pp_stalls_free(stalls);
	pp_resolver_free(resolver);
	fixture_free(&f);
}

/* As the event loop's thread writes it. */
static void
handler(uint64_t id, int64_t since, const char *path)
{
	struct pp_inflights *inflights = &f.arena->slot[SLOT].inflights;
	struct pp_inflight *inflight = &inflights->inflight[0];

	atomic_store(&inflights->used, 1);
	atomic_fetch_add(&inflights->requests, 1);
	atomic_store(&inflight->started_ns, since);
	atomic_store(&inflight->since_ns, since);
	snprintf(inflight->path, sizeof(inflight->path), "%s", path);
	atomic_store(&inflight->id, id);
	atomic_store(&inflights->running, id);
}

static void
busy(int64_t since)
{
	atomic_store(&f.arena->slot[SLOT].busy_ns, since);
}

static void
idle(void)
{
	struct pp_inflights *inflights = &f.arena->slot[SLOT].inflights;

	atomic_store(&inflights->running, 0);
	atomic_store(&inflights->inflight[0].id, 0);
	busy(0);
}

/* Call it as it wants to be called, from `from` to `to`. */
static void
run(int64_t from, int64_t to)
{
	int64_t next;
	unsigned int looks = 0;

	while (from <= to) {
		next = pp_stalls_tick(stalls, from);
		assert_true(next > from);
		assert_true(++looks < 20000);
		if (next > to)
			break;
		from = next;
	}
}

static void
a_loop_that_waits_or_goes_on_is_never_told(void **state)
{
	int64_t at;
	uint64_t id = 0;

	(void)state;
	begin(1000);
	idle();
	run(BEGUN, BEGUN + 10 * PP_NS_PER_SEC);
	/* Handlers of 900 ms one after the other, in one turn of the loop. */
	at = BEGUN + 10 * PP_NS_PER_SEC;
	busy(at);
	for (; id < 20; at += 900 * PP_NS_PER_MS) {
		handler(++id, at, "/x");
		run(at, at + 890 * PP_NS_PER_MS);
	}
	assert_int_equal(told, 0);
	assert_int_equal(pp_stalls_count(stalls), 0);
	end();
}

static void
a_handler_that_holds_its_loop_is_told_in_time_once_and_at_its_end(void **state)
{
	int64_t since = BEGUN + 123 * PP_NS_PER_MS;

	(void)state;
	begin(1000);
	idle();
	run(BEGUN, BEGUN + 100 * PP_NS_PER_MS);
	busy(since);
	handler(7, since, "/slow\n\x01");
	run(since, since + 999 * PP_NS_PER_MS);
	assert_int_equal(told, 0);
	/* The thread does not answer, as there is none. */
	run(since + 999 * PP_NS_PER_MS, since + 1105 * PP_NS_PER_MS);
	assert_int_equal(told, 1);
	assert_int_equal(last_told.kind, PP_STALL_HELD);
	assert_int_equal(last_told.slot, SLOT);
	assert_int_equal(last_told.over, 0);
	assert_int_equal(last_told.handler, 1);
	assert_int_equal(last_told.words, 0);
	assert_string_equal(last_told.path, "/slow??");
	assert_in_range(last_told.held_ns, 1000 * PP_NS_PER_MS,
	    1110 * PP_NS_PER_MS);
	run(since + 1110 * PP_NS_PER_MS, since + 5000 * PP_NS_PER_MS);
	assert_int_equal(told, 1);
	idle();
	run(since + 5000 * PP_NS_PER_MS, since + 6000 * PP_NS_PER_MS);
	assert_int_equal(told, 2);
	assert_int_equal(last_told.over, 1);
	assert_int_equal(last_told.died, 0);
	assert_in_range(last_told.held_ns, 5000 * PP_NS_PER_MS,
	    5060 * PP_NS_PER_MS);
	assert_int_equal(pp_stalls_count(stalls), 1);
	end();
}

static void
a_loop_held_outside_of_handlers_is_told(void **state)
{
	(void)state;
	begin(200);
	idle();
	run(BEGUN, BEGUN + PP_NS_PER_SEC);
	busy(BEGUN + PP_NS_PER_SEC);
	run(BEGUN + PP_NS_PER_SEC, BEGUN + 2 * PP_NS_PER_SEC);
	assert_int_equal(told, 1);
	assert_int_equal(last_told.handler, 0);
	assert_in_range(last_told.held_ns, 200 * PP_NS_PER_MS,
	    320 * PP_NS_PER_MS);
	end();
}

static void
a_worker_that_dies_in_it_ends_it(void **state)
{
	(void)state;
	begin(200);
	busy(BEGUN);
	handler(7, BEGUN, "/x");
	run(BEGUN, BEGUN + PP_NS_PER_SEC);
	assert_int_equal(told, 1);
	atomic_store(&f.arena->slot[SLOT].life.pid, 0);
	run(BEGUN + PP_NS_PER_SEC, BEGUN + 2 * PP_NS_PER_SEC);
	assert_int_equal(told, 2);
	assert_int_equal(last_told.over, 1);
	assert_int_equal(last_told.died, 1);
	end();
}

static void
nothing_is_watched_when_it_is_off(void **state)
{
	(void)state;
	begin(0);
	busy(BEGUN);
	handler(7, BEGUN, "/x");
	run(BEGUN, BEGUN + 100 * PP_NS_PER_SEC);
	assert_int_equal(told, 0);
	end();
}

static void
the_last_hundred_are_remembered(void **state)
{
	int64_t at = BEGUN;
	unsigned int i;

	(void)state;
	begin(100);
	for (i = 1; i <= PP_STALLS_MAX + 30; i++) {
		busy(at);
		handler(i, at, "/x");
		run(at, at + 300 * PP_NS_PER_MS);
		idle();
		run(at + 300 * PP_NS_PER_MS, at + 900 * PP_NS_PER_MS);
		at += PP_NS_PER_SEC;
	}
	assert_int_equal(told, 2 * (PP_STALLS_MAX + 30));
	assert_int_equal(pp_stalls_count(stalls), PP_STALLS_MAX);
	assert_int_equal(pp_stalls_get(stalls, 0)->number, PP_STALLS_MAX + 30);
	assert_int_equal(pp_stalls_get(stalls, PP_STALLS_MAX - 1)->number, 31);
	end();
}

static struct pp_crash_record *
words_of(uint32_t number)
{
	return (&f.arena->slot[SLOT].last[number % PP_CRASH_RECORDS]);
}

static void
die(uint32_t number, int status)
{
	struct pp_crash_record *last = words_of(number);

	last->pid = 4711;
	last->status = status;
	last->died_ns = pp_clock_mono();
	atomic_store(&last->number, number);
	atomic_store(&f.arena->slot[SLOT].life.deaths, number);
}

static void
a_crash_record_has_the_requests_and_samples_of_the_dead(void **state)
{
	struct pp_crash_record *last;
	uint64_t pcs[] = { EXE_START + 0x10, EXE_START + 0x20 };
	struct pp_profile *p;

	(void)state;
	begin(1000);
	last = words_of(1);
	last->running = 9;
	last->inflights = 2;
	last->kept = 2;
	last->inflight[0].id = 9;
	last->inflight[0].started_ns = pp_clock_mono() - 3 * PP_NS_PER_SEC;
	last->inflight[0].since_ns = last->inflight[0].started_ns;
	strcpy(last->inflight[0].path, "/crash");
	last->inflight[1].id = 8;
	last->inflight[1].started_ns = pp_clock_mono() - 5 * PP_NS_PER_SEC;
	strcpy(last->inflight[1].path, "/waits");
	assert_non_null(pp_cpu_begin(f.cpu, 100));
	fixture_put(&f, SLOT, 4711, 4711, 20 * MS, 0, pcs, 2);
	die(1, SIGSEGV);
	(void)pp_stalls_tick(stalls, pp_clock_mono());
	assert_int_equal(told, 1);
	assert_int_equal(last_told.kind, PP_STALL_DIED);
	assert_int_equal(last_told.pid, 4711);
	assert_int_equal(last_told.handler, 1);
	assert_string_equal(last_told.path, "/crash");
	assert_int_equal(last_told.death->signal, SIGSEGV);
	assert_int_equal(last_told.death->kept, 2);
	assert_int_equal(last_told.death->inflight[0].ran, 1);
	assert_int_equal(last_told.death->inflight[1].ran, 0);
	assert_string_equal(last_told.death->inflight[1].path, "/waits");
	assert_in_range(last_told.death->inflight[1].age_ns, 5 * PP_NS_PER_SEC,
	    6 * PP_NS_PER_SEC);
	assert_int_equal(last_told.death->samples, 1);
	assert_int_equal(last_told.words, 2);
	p = pp_stalls_profile(stalls);
	assert_non_null(p);
	assert_int_equal(p->samples, 2);
	assert_int_equal(p->sample[0].value[0], 1);
	assert_int_equal(p->sample[1].value[0], 0);
	assert_int_equal(p->sample[1].value[1], 20 * MS);
	pp_profile_free(p);
	end();
}

/* A collector that begins, as it does at the start and after one has died. */
static void
begin_again(void)
{
	pp_stalls_free(stalls);
	stalls = pp_stalls_new(resolver, f.cpu, getpid(), 1000);
	assert_non_null(stalls);
	pp_stalls_report_to(stalls, tell, no_name, &told);
	told = 0;
	(void)pp_stalls_tick(stalls, pp_clock_mono());
}

static void
a_death_is_told_by_the_collector_that_sees_it_first(void **state)
{
	(void)state;
	begin(1000);
	die(1, SIGKILL);
	begin_again();
	assert_int_equal(told, 1);
	assert_int_equal(last_told.death->signal, SIGKILL);
	begin_again();
	assert_int_equal(told, 0);
	die(2, SIGSEGV);
	begin_again();
	assert_int_equal(told, 1);
	assert_int_equal(last_told.death->signal, SIGSEGV);
	end();
}

static void
numbers_and_texts_that_lie_are_kept_within_bounds(void **state)
{
	struct pp_crash_record *last;

	(void)state;
	begin(1000);
	last = words_of(1);
	memset((char *)last, 0xff, sizeof(*last));
	die(1, -1);
	memset((char *)&f.arena->slot[SLOT].inflights, 0xff,
	    sizeof(f.arena->slot[SLOT].inflights));
	busy(INT64_MAX);
	run(BEGUN, BEGUN + 5 * PP_NS_PER_SEC);
	busy(1);
	run(BEGUN + 5 * PP_NS_PER_SEC, BEGUN + 9 * PP_NS_PER_SEC);
	pp_profile_free(pp_stalls_profile(stalls));
	end();
	/* More deaths than there is room for, and a count that goes round. */
	begin(1000);
	atomic_store(&f.arena->slot[SLOT].life.deaths, 0xfffffff0U);
	(void)pp_stalls_tick(stalls, BEGUN);
	assert_int_equal(told, 0);
	end();
	/* And more that are told than there are. */
	begin(1000);
	die(1, SIGKILL);
	atomic_store(&f.arena->slot[SLOT].deaths_reported, 0xfffffff0U);
	begin_again();
	assert_int_equal(told, 1);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loop_that_waits_or_goes_on_is_never_told),
		cmocka_unit_test(
		    a_handler_that_holds_its_loop_is_told_in_time_once_and_at_its_end),
		cmocka_unit_test(a_loop_held_outside_of_handlers_is_told),
		cmocka_unit_test(a_worker_that_dies_in_it_ends_it),
		cmocka_unit_test(nothing_is_watched_when_it_is_off),
		cmocka_unit_test(the_last_hundred_are_remembered),
		cmocka_unit_test(
		    a_crash_record_has_the_requests_and_samples_of_the_dead),
		cmocka_unit_test(
		    a_death_is_told_by_the_collector_that_sees_it_first),
		cmocka_unit_test(
		    numbers_and_texts_that_lie_are_kept_within_bounds),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
