/*
 * store/deaths: words are there when their death is counted, and what is read
 * while the next ones are written is one death's or none.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/deaths.h"

#define DEATHS 20000

static struct pp_slot *slot;

static int
setup(void **state)
{
	(void)state;
	slot = aligned_alloc(_Alignof(struct pp_slot), sizeof(*slot));
	if (slot == NULL)
		return (-1);
	memset(slot, 0, sizeof(*slot));
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	free(slot);
	return (0);
}

/* A table that has nothing but this one number in it. */
static void
flights(uint64_t id)
{
	struct pp_flights *table = &slot->flights;
	uint32_t i;

	for (i = 0; i < PP_LAST_FLIGHTS + 4; i++) {
		atomic_store(&table->flight[i].id, id + i);
		atomic_store(&table->flight[i].label, (uint32_t)id);
		memset(table->flight[i].path, 'a' + (int)(id % 26),
		    sizeof(table->flight[i].path) - 1);
	}
	atomic_store(&table->used, PP_LAST_FLIGHTS + 4);
	atomic_store(&table->running, id + 3);
}

static void
the_one_that_ran_is_the_first_and_all_are_counted(void **state)
{
	struct pp_last_words last;
	uint32_t i;

	(void)state;
	flights(100);
	pp_deaths_put(slot, 1, 77, SIGSEGV, 1);
	assert_int_equal(atomic_load(&slot->life.deaths), 1);
	assert_int_equal(atomic_load(&slot->life.last_status), SIGSEGV);
	assert_int_equal(atomic_load(&slot->life.last_label), 100);
	assert_int_equal(pp_deaths_read(slot, 1, &last), 0);
	assert_int_equal(last.pid, 77);
	assert_int_equal(last.status, SIGSEGV);
	assert_int_equal(last.running, 103);
	assert_int_equal(last.flights, PP_LAST_FLIGHTS + 4);
	assert_int_equal(last.kept, PP_LAST_FLIGHTS);
	assert_int_equal(atomic_load(&last.flight[0].id), 103);
	for (i = 1; i < PP_LAST_FLIGHTS; i++)
		assert_int_equal(atomic_load(&last.flight[i].id),
		    99 + i + (i > 3));
	/* Others have come in its place, or none were left. */
	for (i = 0; i < PP_LAST_DEATHS; i++)
		pp_deaths_put(slot, 2 + i, 78, SIGKILL, 1);
	assert_int_equal(pp_deaths_read(slot, 1, &last), -1);
	assert_int_equal(pp_deaths_read(slot, 2, &last), 0);
	pp_deaths_put(slot, PP_LAST_DEATHS + 2, 79, 0, 0);
	assert_int_equal(atomic_load(&slot->life.deaths), PP_LAST_DEATHS + 2);
	assert_int_equal(pp_deaths_read(slot, PP_LAST_DEATHS + 2, &last), -1);
	assert_int_equal(pp_deaths_read(slot, 2, &last), -1);
	/* A table that lies. */
	memset((char *)&slot->flights, 0xff, sizeof(slot->flights));
	atomic_store(&slot->flights.running, 1);
	pp_deaths_put(slot, PP_LAST_DEATHS + 3, 80, SIGKILL, 1);
	assert_int_equal(pp_deaths_read(slot, PP_LAST_DEATHS + 3, &last), 0);
	assert_int_equal(last.kept, PP_LAST_FLIGHTS);
	assert_int_equal(last.flights, PP_FLIGHTS_MAX);
}

static void *
die_often(void *unused)
{
	uint32_t i;

	for (i = 1; i <= DEATHS; i++) {
		flights(i);
		pp_deaths_put(slot, i, (int32_t)i, (int32_t)i, 1);
	}
	return (unused);
}

/* All of it of the same death. */
static void
whole(const struct pp_last_words *last, uint32_t number)
{
	uint32_t i;

	assert_int_equal(last->pid, number);
	assert_int_equal(last->status, number);
	assert_int_equal(last->running, number + 3);
	assert_int_equal(last->kept, PP_LAST_FLIGHTS);
	for (i = 0; i < PP_LAST_FLIGHTS; i++) {
		assert_int_equal(atomic_load(&last->flight[i].label), number);
		assert_int_equal(last->flight[i].path[PP_FLIGHT_PATH_MAX - 2],
		    'a' + number % 26);
	}
}

static void
a_death_that_is_counted_has_its_words(void **state)
{
	uint32_t deaths, after, seen = 0;
	struct pp_last_words last;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, die_often, NULL), 0);
	do {
		deaths = atomic_load(&slot->life.deaths);
		if (deaths == 0)
			continue;
		if (pp_deaths_read(slot, deaths, &last) == 0) {
			whole(&last, deaths);
			seen++;
			continue;
		}
		/* Then so many have died since that its place is another's. */
		after = atomic_load(&slot->life.deaths);
		assert_true(after + 1 >= deaths + PP_LAST_DEATHS);
	} while (deaths < DEATHS);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(seen > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_one_that_ran_is_the_first_and_all_are_counted, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_death_that_is_counted_has_its_words, setup, teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
