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
inflights(uint64_t id)
{
	struct pp_inflights *table = &slot->inflights;
	uint32_t i;

	for (i = 0; i < PP_CRASH_INFLIGHT + 4; i++) {
		atomic_store(&table->inflight[i].id, id + i);
		atomic_store(&table->inflight[i].label, (uint32_t)id);
		memset(table->inflight[i].path, 'a' + (int)(id % 26),
		    sizeof(table->inflight[i].path) - 1);
	}
	atomic_store(&table->used, PP_CRASH_INFLIGHT + 4);
	atomic_store(&table->running, id + 3);
}

static void
the_one_that_ran_is_the_first_and_all_are_counted(void **state)
{
	struct pp_crash_record last;
	uint32_t i;

	(void)state;
	inflights(100);
	pp_deaths_put(slot, 1, 77, SIGSEGV, 1);
	assert_int_equal(atomic_load(&slot->life.deaths), 1);
	assert_int_equal(atomic_load(&slot->life.last_status), SIGSEGV);
	assert_int_equal(atomic_load(&slot->life.last_label), 100);
	assert_int_equal(pp_deaths_read(slot, 1, &last), 0);
	assert_int_equal(last.pid, 77);
	assert_int_equal(last.status, SIGSEGV);
	assert_int_equal(last.running, 103);
	assert_int_equal(last.inflights, PP_CRASH_INFLIGHT + 4);
	assert_int_equal(last.kept, PP_CRASH_INFLIGHT);
	assert_int_equal(atomic_load(&last.inflight[0].id), 103);
	for (i = 1; i < PP_CRASH_INFLIGHT; i++)
		assert_int_equal(atomic_load(&last.inflight[i].id),
		    99 + i + (i > 3));
	/* Others have come in its place, or none were left. */
	for (i = 0; i < PP_CRASH_RECORDS; i++)
		pp_deaths_put(slot, 2 + i, 78, SIGKILL, 1);
	assert_int_equal(pp_deaths_read(slot, 1, &last), -1);
	assert_int_equal(pp_deaths_read(slot, 2, &last), 0);
	pp_deaths_put(slot, PP_CRASH_RECORDS + 2, 79, 0, 0);
	assert_int_equal(atomic_load(&slot->life.deaths), PP_CRASH_RECORDS + 2);
	assert_int_equal(pp_deaths_read(slot, PP_CRASH_RECORDS + 2, &last), -1);
	assert_int_equal(pp_deaths_read(slot, 2, &last), -1);
	/* A table that lies. */
	memset((char *)&slot->inflights, 0xff, sizeof(slot->inflights));
	atomic_store(&slot->inflights.running, 1);
	pp_deaths_put(slot, PP_CRASH_RECORDS + 3, 80, SIGKILL, 1);
	assert_int_equal(pp_deaths_read(slot, PP_CRASH_RECORDS + 3, &last), 0);
	assert_int_equal(last.kept, PP_CRASH_INFLIGHT);
	assert_int_equal(last.inflights, PP_INFLIGHT_MAX);
}

static void *
die_often(void *unused)
{
	uint32_t i;

	for (i = 1; i <= DEATHS; i++) {
		inflights(i);
		pp_deaths_put(slot, i, (int32_t)i, (int32_t)i, 1);
	}
	return (unused);
}

/* All of it of the same death. */
static void
whole(const struct pp_crash_record *last, uint32_t number)
{
	uint32_t i;

	assert_int_equal(last->pid, number);
	assert_int_equal(last->status, number);
	assert_int_equal(last->running, number + 3);
	assert_int_equal(last->kept, PP_CRASH_INFLIGHT);
	for (i = 0; i < PP_CRASH_INFLIGHT; i++) {
		assert_int_equal(atomic_load(&last->inflight[i].label), number);
		assert_int_equal(
		    last->inflight[i].path[PP_INFLIGHT_PATH_MAX - 2],
		    'a' + number % 26);
	}
}

static void
a_death_that_is_counted_has_its_crash_record(void **state)
{
	uint32_t deaths, after, seen = 0;
	struct pp_crash_record last;
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
		assert_true(after + 1 >= deaths + PP_CRASH_RECORDS);
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
		    a_death_that_is_counted_has_its_crash_record, setup,
		    teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
