/*
 * capture/heap at sampling rates: what the rows say, scaled up, is what was
 * allocated. All limits here are 4.5 standard deviations wide or wider, so
 * that one run in 100,000 fails by chance.
 *
 * needs: a core, 6 s
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "heap_followed.h"
#include "heap_threads.h"

#define ROUNDS	100
#define THREADS 4
#define SIZES	9
#define SIGMAS	4.5
#define RATE	((double)PP_HEAP_RATE_DEFAULT)

struct job {
	size_t size, count, hold;
};

/* By one thread in one round. The counts make the objects' sum, most of whose
 * scatter comes from small ones, good to 0.5%. */
static const struct job jobs[SIZES] = {
	{ 8, 4000, 0 },
	{ 64, 11000, 0 },
	{ 512, 32000, 16 },
	{ 4096, 88000, 512 },
	{ 32768, 88000, 1024 },
	{ 131072, 2000, 0 },
	{ 524288, 1200, 100 },
	{ 2 << 20, 300, 100 },
	{ 8 << 20, 100, 50 },
};

struct estimate {
	double objects, bytes;
};

static uint32_t label;

static void
begin_thread(void)
{
	(void)pp_label_swap(label);
}

static int
prepare(void **state)
{
	if (fixture_setup(state) == -1)
		return (-1);
	heap_library = heap_load("threads.c", heap_threads,
	    HEAP_CC "-o threads.so threads.c", "threads.so");
	*(void (**)(void))heap_symbol(heap_library, "on_thread") = begin_thread;
	return (heap_begin());
}

/* Scaled sums of each size; `in_use`: of what lives now. */
static void
estimate(struct estimate by_size[SIZES], int in_use)
{
	struct pp_counters counters = pp_counters_heap(&heap_slot()->heap);
	struct pp_heap_key key;
	uint64_t allocs, bytes;
	double scale;
	uint32_t i, s;

	memset(by_size, 0, SIZES * sizeof(*by_size));
	for (i = 0; i < pp_counters_used(&counters); i++) {
		key = pp_heap_unpack(atomic_load(&counters.counter[i].key));
		allocs =
		    atomic_load(&counters.counter[i].value[PP_HEAP_ALLOCS]);
		bytes = atomic_load(
		    &counters.counter[i].value[PP_HEAP_ALLOC_BYTES]);
		for (s = 0; s < SIZES; s++) {
			if (key.size_class == pp_heap_class(jobs[s].size))
				break;
		}
		if (key.label != label || s == SIZES || allocs == 0)
			continue;
		assert_int_equal(bytes, allocs * jobs[s].size);
		scale = 1 / (1 - exp(-(double)jobs[s].size / RATE));
		if (in_use)
			allocs -= atomic_load(
			    &counters.counter[i].value[PP_HEAP_FREES]);
		by_size[s].objects += (double)allocs * scale;
		by_size[s].bytes +=
		    (double)allocs * scale * (double)jobs[s].size;
	}
}

/* Of an estimate of `count` objects of one size. */
static double
deviation(double count, size_t size)
{
	double p = 1 - exp(-(double)size / RATE);

	return (sqrt(count * (1 - p) / p));
}

static void
expect(const struct estimate *found, const double *counts, double limit,
    const char *what)
{
	double objects = 0, bytes = 0, want_objects = 0, want_bytes = 0, off;
	int s;

	for (s = 0; s < SIZES; s++) {
		off = found[s].objects - counts[s];
		print_message("%-6s %8zu B: %.0f of %.0f, %+.3f%%, %+.2f "
			      "deviations\n",
		    what, jobs[s].size, found[s].objects, counts[s],
		    counts[s] == 0 ? 0 : 100 * off / counts[s],
		    counts[s] == 0 ? 0
				   : off / deviation(counts[s], jobs[s].size));
		/* One more for sizes that are never missed. */
		assert_true(fabs(off) <= 1e-6 * counts[s] +
			SIGMAS * deviation(counts[s], jobs[s].size));
		objects += found[s].objects;
		bytes += found[s].bytes;
		want_objects += counts[s];
		want_bytes += counts[s] * (double)jobs[s].size;
	}
	print_message("%-6s objects %+.3f%%, bytes %+.3f%%\n", what,
	    100 * (objects / want_objects - 1), 100 * (bytes / want_bytes - 1));
	assert_true(fabs(bytes / want_bytes - 1) < limit);
	if (limit < 0.03)
		assert_true(fabs(objects / want_objects - 1) < limit);
}

static void
scaled_sums_are_the_truth_at_the_default_rate(void **state)
{
	struct estimate all[SIZES], held[SIZES], now[SIZES];
	double counts[SIZES], holds[SIZES];
	int round, s;

	(void)state;
	memset(held, 0, sizeof(held));
	label = heap_label("default rate");
	heap_rate(PP_HEAP_RATE_DEFAULT);
	for (round = 0; round < ROUNDS; round++) {
		heap_function(void (*)(const struct job *, size_t),
		    "work")(jobs, SIZES);
		estimate(now, 1);
		for (s = 0; s < SIZES; s++) {
			held[s].objects += now[s].objects;
			held[s].bytes += now[s].bytes;
		}
		heap_function(void (*)(void), "let_go")();
	}
	for (s = 0; s < SIZES; s++) {
		counts[s] = (double)(ROUNDS * THREADS * jobs[s].count);
		holds[s] = jobs[s].hold == 0
		    ? 0
		    : (double)(ROUNDS * THREADS *
			  ((jobs[s].count + jobs[s].hold - 1) / jobs[s].hold));
	}
	estimate(all, 0);
	expect(all, counts, 0.02, "all");
	expect(held, holds, 0.03, "in use");
	estimate(now, 1);
	for (s = 0; s < SIZES; s++)
		assert_true(now[s].objects == 0);
	assert_int_equal(heap_loss(PP_LOSS_HEAP_DROPPED), 0);
	assert_int_equal(heap_loss(PP_LOSS_HEAP_UNTRACKED), 0);
}

/* Distances to the next sample: exponential, rounded up. */
static void
distances_are_exponential(void **state)
{
	enum { DRAWS = 200000, BINS = 20 };
	const double rate = 100003;
	double mean = 0, square = 0, chi = 0, deviated;
	unsigned int bin[BINS] = { 0 };
	double distance;
	int i, at;

	(void)state;
	heap_rate((uint64_t)rate);
	pp_alloc_made(NULL, (size_t)1 << 40); /* the rate is seen */
	for (i = 0; i < DRAWS; i++) {
		pp_alloc_made(NULL, (size_t)pp_alloc_left);
		distance = (double)pp_alloc_left;
		assert_true(distance >= 1);
		mean += distance / DRAWS;
		square += distance * distance / DRAWS;
		at = (int)(BINS * (1 - exp(-(distance - 0.5) / rate)));
		bin[at < BINS ? at : BINS - 1]++;
	}
	deviated = sqrt(square - mean * mean);
	for (i = 0; i < BINS; i++)
		chi += pow(bin[i] - (double)DRAWS / BINS, 2) /
		    ((double)DRAWS / BINS);
	print_message("mean %.1f, deviation %.1f of %.1f, chi square %.1f of "
		      "%d\n",
	    mean, deviated, rate, chi, BINS - 1);
	assert_true(fabs(mean - rate) < SIGMAS * rate / sqrt(DRAWS));
	/* An exponential's fourth central moment is 9 variances squared. */
	assert_true(fabs(deviated - rate) < SIGMAS * rate * sqrt(2.0 / DRAWS));
	assert_true(chi < 55); /* 1 in 40,000 */
}

/* A slot keeps so many rates apart; samples of one more are lost. */
static void
a_rate_too_many_is_counted_as_loss(void **state)
{
	static const struct job large[] = { { 1 << 20, 1, 0 } };
	uint64_t rate, tried = 0, dropped;
	struct heap_sum sum;

	(void)state;
	label = heap_label("rates");
	dropped = heap_loss(PP_LOSS_HEAP_DROPPED);
	for (rate = 1000; rate < 1000 + PP_HEAP_RATES + 5; rate++) {
		heap_rate(rate);
		heap_function(void (*)(const struct job *, size_t),
		    "work")(large, 1);
		tried += THREADS;
	}
	dropped = heap_loss(PP_LOSS_HEAP_DROPPED) - dropped;
	sum = heap_sum(label);
	assert_int_equal(sum.allocs + dropped, tried);
	assert_true(dropped >= 5 * THREADS);
	assert_true(sum.allocs >= (PP_HEAP_RATES - 2) * THREADS);
	assert_sum(sum, sum.allocs, sum.allocs << 20, sum.allocs,
	    sum.allocs << 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scaled_sums_are_the_truth_at_the_default_rate),
		cmocka_unit_test(distances_are_exponential),
		cmocka_unit_test(a_rate_too_many_is_counted_as_loss),
	};

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
