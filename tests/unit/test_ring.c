/*
 * store/ring: what producers put, the collector takes, in order, whatever
 * happens to either.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "store/ring.h"

static int
setup(void **state)
{
	*state = calloc(1, sizeof(struct pp_ring));
	return (*state == NULL);
}

static int
teardown(void **state)
{
	free(*state);
	return (0);
}

static int
take(struct pp_ring *ring, uint64_t *payload, uint32_t room)
{
	enum pp_record kind = PP_RECORD_NONE;
	int words;

	words = pp_ring_take(ring, &kind, payload, room);
	if (words > 0)
		assert_int_equal(kind, PP_RECORD_CPU);
	return (words);
}

static void
an_empty_ring_gives_nothing(void **state)
{
	uint64_t payload[8];

	assert_int_equal(take(*state, payload, 8), 0);
}

static void
records_come_out_in_order_over_many_laps(void **state)
{
	uint64_t in[64], out[64];
	uint64_t lap, i;
	uint32_t n;

	for (lap = 0; lap < 20 * PP_CPU_RING_WORDS / 32; lap++) {
		n = 1 + lap % 63;
		for (i = 0; i < n; i++)
			in[i] = lap * 64 + i;
		assert_int_equal(pp_ring_put(*state, PP_RECORD_CPU, in, n), 0);
		assert_int_equal(take(*state, out, 64), n);
		assert_memory_equal(in, out, n * sizeof(*in));
	}
}

static void
a_full_ring_refuses_and_goes_on_after_a_take(void **state)
{
	uint64_t payload[64];
	uint32_t put = 0, taken = 0;

	memset(payload, 7, sizeof(payload));
	while (pp_ring_put(*state, PP_RECORD_CPU, payload, 60) == 0)
		put++;
	assert_true(put >= PP_CPU_RING_WORDS / 61 - 1);
	assert_true(put <= PP_CPU_RING_WORDS / 61);
	while (take(*state, payload, 64) == 60)
		taken++;
	assert_int_equal(put, taken);
	assert_int_equal(pp_ring_put(*state, PP_RECORD_CPU, payload, 60), 0);
}

static void
what_is_being_written_is_waited_for(void **state)
{
	struct pp_ring *ring = *state;
	uint64_t payload[4] = { 1, 2, 3, 4 };

	atomic_fetch_add(&ring->head, 5); /* reserved, not published */
	assert_int_equal(pp_ring_put(ring, PP_RECORD_CPU, payload, 4), 0);
	assert_int_equal(take(ring, payload, 4), 0);
}

static void
what_a_dead_worker_left_half_written_is_skipped(void **state)
{
	struct pp_ring *ring = *state;
	uint64_t payload[4] = { 1, 2, 3, 4 };

	assert_int_equal(pp_ring_put(ring, PP_RECORD_CPU, payload, 4), 0);
	atomic_fetch_add(&ring->head, 5);
	pp_ring_seal(ring); /* the next worker starts */
	payload[0] = 9;
	assert_int_equal(pp_ring_put(ring, PP_RECORD_CPU, payload, 4), 0);
	assert_int_equal(take(ring, payload, 4), 4);
	assert_int_equal(payload[0], 1);
	assert_int_equal(take(ring, payload, 4), -1);
	assert_int_equal(take(ring, payload, 4), 4);
	assert_int_equal(payload[0], 9);
	assert_int_equal(take(ring, payload, 4), 0);
}

static void
nonsense_never_loops_and_never_leaves_the_ring(void **state)
{
	struct pp_ring *ring = *state;
	uint64_t payload[PP_CPU_WORD_FRAMES + PP_FRAMES_MAX];
	unsigned int round, i, steps;

	srandom(1);
	for (round = 0; round < 200; round++) {
		for (i = 0; i < 64; i++)
			atomic_store(
			    &ring->words[(size_t)random() % PP_CPU_RING_WORDS],
			    (uint64_t)random() << (random() % 48));
		atomic_store(&ring->head, (uint64_t)random() << (round % 40));
		if (round % 3 == 0)
			atomic_store(&ring->tail, (uint64_t)random());
		if (round % 5 == 0)
			atomic_store(&ring->sealed, (uint64_t)random());
		for (steps = 0; steps <= PP_CPU_RING_WORDS; steps++) {
			if (take(ring, payload,
				PP_CPU_WORD_FRAMES + PP_FRAMES_MAX) == 0)
				break;
			memset(payload, 0, sizeof(payload));
		}
		assert_true(steps <= PP_CPU_RING_WORDS);
		/* A sealed ring always gets going again. */
		pp_ring_seal(ring);
		while (take(ring, payload,
			   PP_CPU_WORD_FRAMES + PP_FRAMES_MAX) != 0)
			;
		payload[0] = round;
		assert_int_equal(pp_ring_put(ring, PP_RECORD_CPU, payload, 1),
		    0);
		assert_int_equal(take(ring, payload, 1), 1);
		assert_int_equal(payload[0], round);
	}
}

#define PRODUCERS 4
#define EACH	  100000

struct producer {
	struct pp_ring *ring;
	uint64_t number;
	uint64_t dropped;
};

static void *
produce(void *arg)
{
	struct producer *p = arg;
	uint64_t payload[40], i;
	uint32_t n;

	for (i = 0; i < EACH; i++) {
		n = 2 + (uint32_t)(i % 38);
		payload[0] = p->number;
		payload[1] = i;
		payload[n - 1] = n == 2 ? i : p->number ^ i;
		if (pp_ring_put(p->ring, PP_RECORD_CPU, payload, n) == -1)
			p->dropped++;
	}
	return (NULL);
}

static void
threads_at_once_lose_nothing_but_what_they_count(void **state)
{
	struct producer p[PRODUCERS];
	pthread_t thread[PRODUCERS];
	uint64_t payload[64], last[PRODUCERS], taken = 0, dropped = 0, i;
	int words, running = PRODUCERS;

	memset(last, 0, sizeof(last));
	for (i = 0; i < PRODUCERS; i++) {
		p[i] = (struct producer){ *state, i, 0 };
		assert_int_equal(pthread_create(&thread[i], NULL, produce,
				     &p[i]),
		    0);
	}
	while (running > 0 || (words = take(*state, payload, 64)) != 0) {
		if (running > 0 && (words = take(*state, payload, 64)) == 0) {
			if (pthread_tryjoin_np(thread[running - 1], NULL) == 0)
				running--;
			continue;
		}
		assert_true(words >= 2);
		assert_true(payload[0] < PRODUCERS);
		if (words > 2)
			assert_int_equal(payload[words - 1],
			    payload[0] ^ payload[1]);
		/* Each producer's records stay in its order. */
		assert_true(payload[1] + 1 > last[payload[0]]);
		last[payload[0]] = payload[1] + 1;
		taken++;
	}
	for (i = 0; i < PRODUCERS; i++)
		dropped += p[i].dropped;
	assert_int_equal(taken + dropped, PRODUCERS * EACH);
}

/* Under ThreadSanitizer the instructions of its own functions would be stepped
 * through, too: for minutes, and nothing more is said by them. */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define STEPS 1
/* A put that is stopped before each of its instructions in turn. */
static struct pp_ring *stepped;
static int steps, stop_at, fills;

static void
on_step(int signo)
{
	uint64_t in[255] = { 0 }, out[255];
	enum pp_record kind;

	(void)signo;
	if (steps++ != stop_at)
		return;
	/* Others fill the ring, or put one, and the collector takes all. */
	do {
		if (pp_ring_put(stepped, PP_RECORD_CPU, in, 255) == -1)
			break;
	} while (fills);
	while (pp_ring_take(stepped, &kind, out, 255) > 0)
		continue;
}

static int
put_by_steps(const uint64_t *payload)
{
	int status;

	steps = 0;
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::
			     : "memory", "cc");
	status = pp_ring_put(stepped, PP_RECORD_CPU, payload, 3);
	__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::
			     : "memory", "cc");
	return (status);
}

static void
one_who_is_stopped_finds_no_full_ring(void **state)
{
	uint64_t payload[3] = { 1, 2, 3 }, out[255];
	struct sigaction action = { .sa_handler = on_step }, before;

	stepped = *state;
	assert_int_equal(sigaction(SIGTRAP, &action, &before), 0);
	for (fills = 0; fills < 2; fills++) {
		for (stop_at = 0, steps = 1; steps > stop_at; stop_at++) {
			if (put_by_steps(payload) == -1)
				fail_msg("dropped when stopped at step %d",
				    stop_at);
			while (take(stepped, out, 255) > 0)
				continue;
		}
		assert_true(stop_at > 20);
	}
	assert_int_equal(sigaction(SIGTRAP, &before, NULL), 0);
}
#endif

int
main(void)
{
#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		RING_TEST(an_empty_ring_gives_nothing),
		RING_TEST(records_come_out_in_order_over_many_laps),
		RING_TEST(a_full_ring_refuses_and_goes_on_after_a_take),
		RING_TEST(what_is_being_written_is_waited_for),
		RING_TEST(what_a_dead_worker_left_half_written_is_skipped),
		RING_TEST(nonsense_never_loops_and_never_leaves_the_ring),
		RING_TEST(threads_at_once_lose_nothing_but_what_they_count),
#if defined(STEPS)
		RING_TEST(one_who_is_stopped_finds_no_full_ring),
#endif
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
