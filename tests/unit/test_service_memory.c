/*
 * service/ when memory is used up: each allocation of each answer fails once,
 * in our code, zlib and protobuf-c; and files are read with so much memory and
 * no more, by libelf and libdw. What comes is an answer that says so or is
 * whole, and the next one is whole.
 *
 * needs: a core, 16 s
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "failing_malloc.h"
#include "heap_counters_fixture.h"
#include "service_fixture.h"

#if PP_TEST_MALLOC

/* All of the first so many allocations, then ever fewer of them. */
#define EACH 400

/* So many samples: more than a table has room for at first. */
#define SAMPLES 80

static void
put_samples(void)
{
	struct heap h = { .f.arena = c.f.arena };
	uint64_t here = (uint64_t)(uintptr_t)put_samples, pc[2], i;
	uint32_t stack;

	for (i = 0; i < SAMPLES; i++) {
		pc[0] = here + i;
		pc[1] = (uint64_t)(uintptr_t)memcpy + 1;
		stack = heap_stack(&h, 1, 64, pc, 2);
		heap_put(&h, 1, stack, 0, 64 + i, RATE, 2, 1);
		counts_add(&c.f.arena->slot[1].block, PP_WAIT_SEM, 0, stack, 1,
		    1000);
		fixture_put(&c.f, 1, getpid(), getpid(), 10 * MS, 0, pc, 2);
	}
}

/* The files of this program, which were not read yet. */
static void
add_files(void)
{
	struct pp_object own;
	uint32_t i;
	int fd, debug_fd;

	for (i = 0; pp_objects_read(&c.f.arena->slot[0].objects, i, &own) == 0;
	     i++) {
		debug_fd = -1;
		fd = pp_symbols_open(own.name, own.build_id, own.build_id_len,
		    &debug_fd);
		pp_symbols_add(symbols, own.build_id, own.build_id_len,
		    own.name, fd, debug_fd);
	}
}

/* Status 0: the task could not be made. */
static struct pp_answer
answer_to(const char *path, const char *query)
{
	struct pp_request r = request(PP_METHOD_GET, path, query);
	struct pp_task *task = pp_service_begin(service, &r);
	struct pp_answer answer = { 0 };

	if (task == NULL)
		return (answer);
	if (pp_task_deadline(task) != 0) {
		put_samples();
		(void)pp_service_tick(service, pp_clock_mono());
	}
	pp_task_finish(task, &answer);
	return (answer);
}

/* What was begun with too little memory: its answer, and the next one. */
static void
check(struct pp_answer *answer, const char *path, const char *query, long at)
{
	int whole;

	memory_left = fail_after = -1;
	/* Where there is no task, the collector itself says 503. */
	if (answer->status != 0 && answer->status != 200 &&
	    answer->status != 500 && answer->status != 503)
		fail_msg("%s?%s, at %ld: %d", path, query, at, answer->status);
	pp_answer_free(answer);
	*answer = answer_to(path, query);
	whole =
	    answer->status == 200 && answer->body.len + answer->file_len > 0;
	if (!whole)
		fail_msg("%s?%s, after %ld: %d", path, query, at,
		    answer->status);
	pp_answer_free(answer);
}

static void
sweep(const char *path, const char *query)
{
	struct pp_answer answer;
	long nth = 0;

	assert_int_equal(service_setup(NULL), 0);
	put_samples();
	do {
		failures = 0;
		fail_after = nth;
		answer = answer_to(path, query);
		check(&answer, path, query, nth);
		nth += 1 + nth / EACH;
	} while (failures > 0);
	service_teardown(NULL);
	print_message("    %s?%s: %ld allocations\n", path, query, nth);
	assert_true(nth > 3);
}

static void
test_every_allocation(void **state)
{
	static const struct {
		const char *path, *query;
	} asked[] = {
		{ "/heap", "" },
		{ "/heap", "debug=1" },
		{ "/heap", "format=svg" },
		{ "/heap", "format=text" },
		{ "/heap", "format=speedscope" },
		{ "/allocs", "" },
		{ "/block", "" },
		{ "/goroutine", "debug=2" },
		{ "/threadcreate", "debug=1" },
		{ "/profile", "seconds=1" },
		{ "/trace", "seconds=1" },
		{ "/trace", "seconds=1&format=perfetto" },
		{ "/routes", "" },
		{ "/doctor", "" },
		{ "/stalls", "" },
		{ "/settings", "" },
		{ "/cmdline", "" },
		{ "/", "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		sweep(asked[i].path, asked[i].query);
}

/* A name, while memory ends earlier or later. Returns whether it did. */
static int
resolve_within(long left)
{
	uint64_t here = (uint64_t)(uintptr_t)resolve_within;
	struct pp_frame out[PP_INLINES_MAX];
	struct pp_object own;
	int named;

	assert_int_equal(service_setup(NULL), 0);
	add_files();
	assert_int_equal(pp_objects_read(&c.f.arena->slot[0].objects, 0, &own),
	    0);
	here -= own.bias;
	failures = 0;
	memory_left = left;
	(void)pp_symbols_resolve(symbols, 0, here, out, &named);
	memory_left = -1;
	assert_true(pp_symbols_resolve(symbols, 0, here, out, &named) > 0);
	assert_true(named);
	assert_string_equal(out[0].function, "resolve_within");
	assert_true(out[0].line > 0);
	service_teardown(NULL);
	return (failures > 0);
}

static void
test_reading_files(void **state)
{
	static const long step = 20011;
	long left = 0, starved = 0, enough = 0;

	(void)state;
	for (; enough < 5; left += step) {
		if (resolve_within(left))
			starved++;
		else
			enough++;
	}
	print_message("    %ld of %ld limits were too low\n", starved,
	    left / step);
	assert_true(starved > 20);
}

static void
test_the_start(void **state)
{
	struct pp_service *made = NULL;
	long nth;

	(void)state;
	assert_int_equal(service_setup(NULL), 0);
	pp_service_free(service);
	for (nth = 0; made == NULL; nth++) {
		fail_after = nth;
		made = pp_service_new(c.f.arena, c.f.fd, symbols);
		if (fail_after >= 0)
			assert_non_null(made);
		fail_after = -1;
		assert_true(nth < 1000);
	}
	assert_true(nth > 10);
	service = made;
	service_teardown(NULL);
}

#endif

int
main(void)
{
#if PP_TEST_MALLOC
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_allocation),
		cmocka_unit_test(test_reading_files),
		cmocka_unit_test(test_the_start),
	};

	signal(SIGPROF, SIG_IGN);
	return (cmocka_run_group_tests(tests, NULL, NULL));
#else
	return (0);
#endif
}
