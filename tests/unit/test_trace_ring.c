/*
 * store/trace: threads write records into rings of their own while another
 * takes them, around the end of the ring many times. Nothing comes torn,
 * doubled, or in another order; what did not fit was refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "store/trace.h"

#define WRITERS 3
#define RECORDS 100000

static struct pp_arena *arena;
static struct pp_slot *slot;
static unsigned int refused[WRITERS]; /* read after the thread has ended */

/* As many words as the number says, each with the number in it. */
static uint32_t
make(uint64_t number, uint64_t *record)
{
	uint32_t words = 3 + (uint32_t)(number % 5), i;

	record[0] = pp_trace_head(PP_TRACE_RUN, words, 0, (uint32_t)number);
	for (i = 1; i < words; i++)
		record[i] = number;
	return (words);
}

static void *
write_records(void *arg)
{
	uint32_t place = (uint32_t)(uintptr_t)arg;
	uint64_t record[PP_TRACE_RECORD_MAX], number;

	for (number = 1; number <= RECORDS; number++) {
		(void)make(number, record);
		refused[place] += pp_record_put(slot, place, record) == -1;
	}
	return (NULL);
}

/* Takes what is there; returns how many, or -1 when one is wrong. */
static long
take_all(uint32_t place, uint64_t *last)
{
	uint64_t record[PP_TRACE_RECORD_MAX], wanted[PP_TRACE_RECORD_MAX];
	uint64_t reached = pp_record_reached(slot, place);
	long taken = 0;
	int words, i;

	while ((words = pp_record_take(slot, place, reached, record)) != 0) {
		if (words < 3 || record[1] <= *last ||
		    (int)make(record[1], wanted) != words)
			return (-1);
		for (i = 0; i < words; i++) {
			if (record[i] != wanted[i])
				return (-1);
		}
		*last = record[1];
		taken++;
	}
	return (taken);
}

static void
what_is_taken_is_what_was_written(void **state)
{
	uint64_t last[WRITERS] = { 0 };
	long taken[WRITERS] = { 0 }, now;
	pthread_t thread[WRITERS];
	int ended[WRITERS] = { 0 }, left = WRITERS;
	uint32_t place;

	(void)state;
	for (place = 0; place < WRITERS; place++)
		assert_int_equal(pthread_create(&thread[place], NULL,
				     write_records, (void *)(uintptr_t)place),
		    0);
	while (left > 0) {
		for (place = 0; place < WRITERS; place++) {
			if (!ended[place] &&
			    pthread_tryjoin_np(thread[place], NULL) == 0) {
				ended[place] = 1;
				left--;
			}
			now = take_all(place, &last[place]);
			assert_true(now >= 0);
			taken[place] += now;
		}
	}
	for (place = 0; place < WRITERS; place++) {
		print_message("place %u: %ld taken, %u refused\n", place,
		    taken[place], refused[place]);
		assert_int_equal(taken[place] + refused[place], RECORDS);
		assert_true(taken[place] > 1000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken_is_what_was_written),
	};
	int fd;

	if ((arena = pp_arena_create(2, &fd)) == NULL)
		return (1);
	slot = &arena->slot[1];
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
