/*
 * base/breath: what is done while something takes long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/yield.h"
#include "service_fixture.h"
#include "store/trace.h"

static int yields_seen, depth, deepest;

static void
yields(void *arg)
{
	assert_ptr_equal(arg, &yields_seen);
	yields_seen++;
	if (++depth > deepest)
		deepest = depth;
	/* Long enough that it would be time again. */
	usleep(25 * 1000);
	pp_yield();
	depth--;
}

static void
it_is_called_now_and_then_and_never_within_itself(void **state)
{
	int64_t until = pp_clock_mono() + 400 * PP_NS_PER_MS;

	(void)state;
	pp_yield_to(yields, &yields_seen);
	while (pp_clock_mono() < until)
		pp_yield();
	/* Each 20 ms after the one before, which took 25. */
	assert_in_range(yields_seen, 2, 10);
	assert_int_equal(deepest, 1);
	pp_yield_to(NULL, NULL);
	yields_seen = 0;
	usleep(25 * 1000);
	pp_yield();
	assert_int_equal(yields_seen, 0);
}

/* Names and gzip of one answer, and meanwhile the rings of a trace. */
static void
events_of_a_trace_are_read_while_another_answer_is_made(void **state)
{
	struct pp_request r = request(PP_METHOD_GET, "/trace", "seconds=60");
	struct pp_slot *slot = &c.f.arena->slot[1];
	uint64_t record[2] = { pp_trace_head(PP_TRACE_POLL, 2, 0, 0) };
	struct pp_answer answer;
	struct pp_task *task;

	(void)state;
	task = pp_service_begin(service, &r);
	assert_non_null(task);
	record[1] = (uint64_t)pp_clock_mono();
	assert_int_equal(pp_record_put(slot, 0, record), 0);
	usleep(25 * 1000);
	answer = get("/heap", "");
	assert_int_equal(answer.status, 200);
	pp_answer_free(&answer);
	assert_int_equal(atomic_load(&slot->trace[0].tail),
	    pp_record_reached(slot, 0));
	pp_task_cancel(task);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    it_is_called_now_and_then_and_never_within_itself),
		cmocka_unit_test_setup_teardown(
		    events_of_a_trace_are_read_while_another_answer_is_made,
		    service_setup, service_teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
