/*
 * capture: real signals on real threads, read back from the ring. The arena
 * is this process's own, the collector's part is played by the test.
 *
 * needs: alone, 18 s
 */
#include <sys/resource.h>
#include <sys/syscall.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ask.h"
#include "base/clock.h"
#include "capture/label.h"
#include "capture/sampler.h"
#include "capture/signal.h"
#include "capture/thread.h"
#include "capture/unwind.h"
#include "capture/unwind_list.h"
#include "store/intern.h"
#include "store/ring.h"

#define SLOT 1

static struct pp_arena *arena;
static const struct pp_thread_creation creation = { .stack_size = 256 << 10 };

static int
prepare(void **state)
{
	const char *why;
	int fd;

	(void)state;
	arena = pp_arena_create(2, &fd);
	if (arena == NULL || pp_self_prepare(&why) == -1)
		return (-1);
	pp_self_start(arena, SLOT);
	return (0);
}

static void
ask(uint64_t hz)
{
	atomic_store(&arena->control.cpu_period_ns,
	    hz == 0 ? 0 : (uint64_t)PP_NS_PER_SEC / hz);
	assert_int_equal(pp_ask(getpid(), 0, PP_ASK_CONTROL), 0);
}

/* Found again by its address in the stacks, as within() looks for it. */
static __attribute__((noinline, aligned(256))) uint64_t
burn_here(int64_t ns)
{
	int64_t until = pp_clock_read(CLOCK_THREAD_CPUTIME_ID) + ns;
	volatile uint64_t x = 0;
	int i;

	while (pp_clock_read(CLOCK_THREAD_CPUTIME_ID) < until) {
		for (i = 0; i < 20000; i++)
			x += (uint64_t)i;
	}
	return (x);
}

static __attribute__((noinline, aligned(256))) uint64_t
burn_there(int64_t ns)
{
	int64_t until = pp_clock_read(CLOCK_THREAD_CPUTIME_ID) + ns;
	volatile uint64_t x = 1;
	int i;

	while (pp_clock_read(CLOCK_THREAD_CPUTIME_ID) < until) {
		for (i = 0; i < 20000; i++)
			x += (uint64_t)i;
	}
	return (x);
}

static int
within(uint64_t pc, uint64_t (*function)(int64_t))
{
	uint64_t start = (uint64_t)(uintptr_t)function;

	return (pc >= start && pc < start + 256);
}

/* Expiries that shared a signal: a busy machine makes one of several. */
static uint64_t
overruns(void)
{
	return (atomic_load(&arena->slot[SLOT].loss[PP_LOSS_TIMER_OVERRUNS]));
}

struct seen {
	uint64_t ticks; /* samples and the expiries that they swallowed */
	unsigned int samples, stackless, in_function, in_other, in_caller;
	int64_t weight;
	uint32_t label, tid, pid;
};

static uint64_t test_frame(int64_t ns);

static void
drain(struct seen *seen)
{
	uint64_t record[PP_CPU_WORD_FRAMES + PP_FRAMES_MAX];
	enum pp_record kind;
	int words, i;

	memset(seen, 0, sizeof(*seen));
	while ((words = pp_ring_take(&arena->slot[SLOT].cpu, &kind, record,
		    PP_CPU_WORD_FRAMES + PP_FRAMES_MAX)) != 0) {
		if (kind == PP_RECORD_CPU) {
			assert_true(words > PP_CPU_WORD_FRAMES);
			seen->samples++;
		}
		seen->weight += (int64_t)record[PP_CPU_WORD_WEIGHT];
		seen->label = (uint32_t)record[PP_CPU_WORD_LABEL];
		seen->tid = (uint32_t)record[PP_CPU_WORD_THREAD];
		seen->pid = (uint32_t)(record[PP_CPU_WORD_THREAD] >> 32);
		seen->stackless += words == PP_CPU_WORD_FRAMES + 1;
		for (i = PP_CPU_WORD_FRAMES; i < words; i++) {
			seen->in_function += within(record[i], burn_here);
			seen->in_other += within(record[i], burn_there);
			seen->in_caller += within(record[i], test_frame);
		}
	}
}

static __attribute__((noinline, aligned(256))) uint64_t
test_frame(int64_t ns)
{
	return (burn_here(ns) + 1);
}

/* CPU time of the thread and what was sampled of it, at one rate. */
static double
sampled_share(uint64_t hz, int64_t ns, struct seen *seen)
{
	uint64_t missed = overruns();
	int64_t before, used;

	drain(seen);
	before = pp_clock_read(CLOCK_THREAD_CPUTIME_ID);
	ask(hz);
	(void)test_frame(ns);
	ask(0);
	used = pp_clock_read(CLOCK_THREAD_CPUTIME_ID) - before;
	drain(seen);
	seen->ticks = seen->samples + overruns() - missed;
	print_message("%lu Hz: %u samples, %.4f s of %.4f s, %u without "
		      "stack, mode tried %s\n",
	    (unsigned long)hz, seen->samples, (double)seen->weight / 1e9,
	    (double)used / 1e9, seen->stackless,
	    PP_NS_PER_SEC / (int64_t)hz < pp_self.jiffy_ns ? "fast" : "tick");
	return ((double)seen->weight / (double)used);
}

static void
weights_add_up_to_the_cpu_time_at_any_rate(void **state)
{
	static const uint64_t rates[] = { 50, 100, 250, 1000, 5000 };
	int64_t ns, expected;
	struct seen seen;
	double share;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		/* Nobody drains the ring meanwhile: it holds 0.4 s of the
		 * highest rate. */
		ns = rates[i] > 1000 ? 2 * PP_NS_PER_SEC / 5 : PP_NS_PER_SEC;
		share = sampled_share(rates[i], ns, &seen);
		assert_true(share > 0.97 && share < 1.03);
		expected = (int64_t)rates[i] * ns / PP_NS_PER_SEC;
		assert_true((int64_t)seen.ticks >= expected * 4 / 5);
		assert_true((int64_t)seen.ticks <= expected * 6 / 5);
		assert_int_equal(seen.tid, syscall(SYS_gettid));
		assert_int_equal(seen.pid, getpid());
	}
}

/* One function, then another, each for half a period, again and again: ticks at
 * equal distances would find one of the two only. The kernel looks every 4 ms,
 * at five places of the 20: two or three of them are here. */
static void
what_keeps_step_with_the_clock_is_seen_in_its_shares(void **state)
{
	const int64_t hz = 50, seconds = 6;
	int64_t half = PP_NS_PER_SEC / hz / 2, until, end;
	struct seen seen;

	(void)state;
	drain(&seen);
	ask((uint64_t)hz);
	until = pp_clock_read(CLOCK_THREAD_CPUTIME_ID);
	end = until + seconds * PP_NS_PER_SEC;
	while (until < end) {
		until += half;
		(void)burn_here(until - pp_clock_read(CLOCK_THREAD_CPUTIME_ID));
		until += half;
		(void)burn_there(
		    until - pp_clock_read(CLOCK_THREAD_CPUTIME_ID));
	}
	ask(0);
	drain(&seen);
	print_message("%u samples here, %u there\n", seen.in_function,
	    seen.in_other);
	assert_true(seen.in_function > seen.samples * 28 / 100);
	assert_true(seen.in_other > seen.samples * 28 / 100);
}

/* Above the tick, too, no thread takes a descriptor. */
static void
fine_rates_take_no_descriptor(void **state)
{
	struct rlimit before, none;
	struct seen seen;
	double share;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	share = sampled_share(2000, PP_NS_PER_SEC / 2, &seen);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(share > 0.97 && share < 1.03);
	assert_true(seen.samples >= 900 && seen.samples <= 2000);
}

/* A thread that rests is asked for 50 ms, then left alone; when it works
 * again its clock is fine again. */
static void
fine_clocks_leave_a_thread_that_rests(void **state)
{
	struct timespec nap = { 0, 300 * PP_NS_PER_MS };
	uint32_t interrupted;
	struct seen seen;
	int i;

	(void)state;
	drain(&seen);
	ask(1000);
	(void)test_frame(20 * PP_NS_PER_MS);
	interrupted = pp_signal_interrupted;
	for (i = 0; i < 5; i++)
		while (nanosleep(&nap, &nap) == -1)
			continue;
	interrupted = pp_signal_interrupted - interrupted;
	drain(&seen);
	(void)test_frame(200 * PP_NS_PER_MS);
	ask(0);
	drain(&seen);
	print_message("%u calls of 1.5 s were interrupted; then %u samples\n",
	    interrupted, seen.samples);
	assert_true(interrupted <= 400);
	assert_true(seen.samples >= 180 && seen.samples <= 220);
}

static void
stacks_name_the_function_and_its_caller(void **state)
{
	struct seen seen;

	(void)state;
	(void)sampled_share(250, PP_NS_PER_SEC / 2, &seen);
	assert_true(seen.ticks > 100);
	assert_true(seen.samples > 10);
	assert_int_equal(seen.stackless, 0);
	assert_true(seen.in_caller >= seen.samples * 98 / 100);
	assert_true(seen.in_function >= seen.samples * 98 / 100);
}

static void
a_sample_carries_the_labels_of_its_thread(void **state)
{
	struct pp_label_pair pair[] = { { "http.route", "/x" },
		{ "http.method", "GET" } };
	struct pp_intern_table table =
	    pp_intern_labels(&arena->slot[SLOT].labels);
	uint64_t text[8];
	struct seen seen;
	uint32_t id;

	(void)state;
	id = pp_label_intern(pair, 2);
	assert_int_not_equal(id, 0);
	assert_int_equal(pp_label_intern(pair, 2), id);
	assert_int_equal(pp_label_swap(id), 0);
	(void)sampled_share(250, PP_NS_PER_SEC / 5, &seen);
	assert_int_equal(pp_label_swap(0), id);
	assert_int_equal(seen.label, id);
	assert_int_equal(pp_intern_read(&table, id, text, 8), 4);
	assert_memory_equal(text, "http.route\0/x\0http.method\0GET\0", 30);
	(void)sampled_share(250, PP_NS_PER_SEC / 5, &seen);
	assert_int_equal(seen.label, 0);
}

static void *
thread_burns(void *arg)
{
	pp_thread_enter(&creation);
	(void)test_frame(*(int64_t *)arg);
	pp_thread_leave();
	return (NULL);
}

static void
threads_that_begin_under_a_profile_are_in_it(void **state)
{
	int64_t ns = PP_NS_PER_SEC / 2;
	pthread_t thread[3];
	struct seen seen;
	int i;

	(void)state;
	drain(&seen);
	ask(100);
	for (i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, thread_burns,
				     &ns),
		    0);
	for (i = 0; i < 3; i++)
		(void)pthread_join(thread[i], NULL);
	ask(0);
	drain(&seen);
	print_message("3 threads of 0.5 s: %.3f s\n",
	    (double)seen.weight / 1e9);
	assert_true(seen.weight > 3 * ns * 95 / 100);
	assert_true(seen.weight < 3 * ns * 105 / 100);
}

struct waiter {
	pthread_t thread;
	pthread_barrier_t *begin;
	int64_t ns, used;
};

static void *
thread_waits_then_burns(void *arg)
{
	struct waiter *w = arg;
	int64_t before;

	pp_thread_enter(&creation);
	(void)pthread_barrier_wait(w->begin); /* registered */
	(void)pthread_barrier_wait(w->begin); /* armed, by another thread */
	before = pp_clock_read(CLOCK_THREAD_CPUTIME_ID);
	(void)test_frame(w->ns);
	w->used = pp_clock_read(CLOCK_THREAD_CPUTIME_ID) - before;
	pp_thread_leave();
	return (NULL);
}

/* One thread arms the clocks of all: each must be its own. */
static void
threads_of_before_are_weighed_by_their_own_clocks(void **state)
{
	static const uint64_t rates[] = { 100, 1000 };
	struct waiter w[3];
	pthread_barrier_t begin;
	struct seen seen;
	int64_t used;
	size_t r, i;

	(void)state;
	for (r = 0; r < 2; r++) {
		drain(&seen);
		assert_int_equal(pthread_barrier_init(&begin, NULL, 4), 0);
		for (i = 0; i < 3; i++) {
			w[i].begin = &begin;
			w[i].ns = (int64_t)(i + 1) * PP_NS_PER_SEC / 5;
			assert_int_equal(pthread_create(&w[i].thread, NULL,
					     thread_waits_then_burns, &w[i]),
			    0);
		}
		(void)pthread_barrier_wait(&begin);
		ask(rates[r]);
		(void)pthread_barrier_wait(&begin);
		for (used = 0, i = 0; i < 3; i++) {
			(void)pthread_join(w[i].thread, NULL);
			used += w[i].used;
		}
		ask(0);
		drain(&seen);
		print_message("%lu Hz: %.3f s of %.3f s\n",
		    (unsigned long)rates[r], (double)seen.weight / 1e9,
		    (double)used / 1e9);
		assert_true(seen.weight > used * 95 / 100);
		assert_true(seen.weight < used * 104 / 100);
		(void)pthread_barrier_destroy(&begin);
	}
}

static void
a_change_of_rate_loses_no_time(void **state)
{
	int64_t before, used, weight;
	struct seen seen;
	int i;

	(void)state;
	drain(&seen);
	before = pp_clock_read(CLOCK_THREAD_CPUTIME_ID);
	ask(10);
	for (i = 0; i < 60; i++) {
		(void)test_frame(15 * PP_NS_PER_MS);
		ask(i % 2 == 0 ? 20 : 10);
	}
	(void)test_frame(200 * PP_NS_PER_MS);
	used = pp_clock_read(CLOCK_THREAD_CPUTIME_ID) - before;
	ask(0);
	drain(&seen);
	weight = seen.weight;
	print_message("60 changes: %.3f s of %.3f s\n", (double)weight / 1e9,
	    (double)used / 1e9);
	/* At most the last, unfinished distance is missing: a period and a
	 * half, and the kernel's tick. */
	assert_true(weight > used - 160 * PP_NS_PER_MS);
	assert_true(weight < used + 10 * PP_NS_PER_MS);
}

static void
an_idle_thread_is_not_woken_and_gives_no_samples(void **state)
{
	struct timespec nap = { 0, 300 * PP_NS_PER_MS }, left = { 0, 0 };
	struct seen seen;

	(void)state;
	drain(&seen);
	ask(250);
	assert_int_equal(nanosleep(&nap, &left), 0);
	ask(0);
	drain(&seen);
	assert_true(seen.weight <= 8 * PP_NS_PER_MS);
}

static void
a_full_ring_is_counted(void **state)
{
	_Atomic uint64_t *lost = &arena->slot[SLOT].loss[0];
	uint64_t word = 0, before;
	struct seen seen;

	(void)state;
	drain(&seen);
	while (
	    pp_ring_put(&arena->slot[SLOT].cpu, PP_RECORD_PAD, &word, 1) == 0)
		;
	before = atomic_load(&lost[PP_LOSS_SAMPLES_DROPPED]);
	ask(250);
	(void)test_frame(PP_NS_PER_SEC / 5);
	ask(0);
	assert_true(atomic_load(&lost[PP_LOSS_SAMPLES_DROPPED]) >= before + 40);
	drain(&seen);
	assert_int_equal(seen.samples, 0);
}

static __attribute__((noinline)) uint64_t
deep(unsigned int depth)
{
	uint64_t burnt;

	if (depth == 0)
		return (test_frame(PP_NS_PER_SEC / 5));
	burnt = deep(depth - 1);
	/* Or the compiler makes a loop of it. */
	__asm__ volatile("" : "+r"(burnt));
	return (burnt + depth);
}

static void
a_deep_stack_is_cut_at_its_root_and_counted(void **state)
{
	_Atomic uint64_t *lost = &arena->slot[SLOT].loss[0];
	uint64_t before;
	struct seen seen;

	(void)state;
	drain(&seen);
	before = atomic_load(&lost[PP_LOSS_STACKS_TRUNCATED]);
	ask(250);
	(void)deep(1000);
	ask(0);
	drain(&seen);
	assert_true(seen.samples > 4);
	/* All but those that came before and after the burning. */
	assert_true(seen.in_function + 4 >= seen.samples);
	assert_true(atomic_load(&lost[PP_LOSS_STACKS_TRUNCATED]) - before + 4 >=
	    seen.samples);
	assert_true(atomic_load(&lost[PP_LOSS_STACKS_TRUNCATED]) > before);
}

static void
inside_the_unwinder_the_pc_alone_is_kept(void **state)
{
	struct seen seen;

	(void)state;
	drain(&seen);
	pp_unwind_off = 1;
	(void)sampled_share(250, PP_NS_PER_SEC / 5, &seen);
	pp_unwind_off = 0;
	assert_true(seen.samples > 4);
	assert_int_equal(seen.stackless, seen.samples);
}

/* The thread's cache of frames is emptied, and filled again as it was. */
static void
what_the_unwinder_remembers_can_be_forgotten(void **state)
{
	uint64_t before[PP_FRAMES_MAX], after[PP_FRAMES_MAX];
	const struct pp_unwind_cache *cache;
	enum pp_unwind_end end;
	uint32_t frames = 0;
	size_t used;
	int turn;

	(void)state;
	assert_int_not_equal(pp_unwind_cache_key, -1);
	cache = pthread_getspecific((pthread_key_t)pp_unwind_cache_key);
	assert_non_null(cache);
	for (turn = 0; turn < 2; turn++) {
		frames = pp_unwind_here(turn == 0 ? before : after, &end);
		assert_int_equal(end, PP_UNWIND_WHOLE);
		used = cache->used;
		if (turn == 0)
			assert_int_equal(pp_unwind_forget(), 0);
		else
			assert_in_range(used, 1, 2 * frames);
	}
	/* The two differ in where the call above returns to, or not at all. */
	assert_true(frames > 1);
	assert_memory_equal(before + 1, after + 1,
	    (frames - 1) * sizeof(*after));
}

static void
a_child_without_a_slot_captures_nothing(void **state)
{
	uint64_t head = atomic_load(&arena->slot[SLOT].cpu.head);

	(void)state;
	pp_self_leave();
	assert_int_equal(pp_ask(getpid(), 0, PP_ASK_CONTROL), 0);
	pp_thread_enter(&creation);
	assert_null(pp_thread_self);
	assert_int_equal(atomic_load(&arena->slot[SLOT].cpu.head), head);
	pp_self_start(arena, SLOT);
	assert_non_null(pp_thread_self);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_add_up_to_the_cpu_time_at_any_rate),
		cmocka_unit_test(
		    what_keeps_step_with_the_clock_is_seen_in_its_shares),
		cmocka_unit_test(fine_rates_take_no_descriptor),
		cmocka_unit_test(fine_clocks_leave_a_thread_that_rests),
		cmocka_unit_test(stacks_name_the_function_and_its_caller),
		cmocka_unit_test(a_sample_carries_the_labels_of_its_thread),
		cmocka_unit_test(threads_that_begin_under_a_profile_are_in_it),
		cmocka_unit_test(
		    threads_of_before_are_weighed_by_their_own_clocks),
		cmocka_unit_test(a_change_of_rate_loses_no_time),
		cmocka_unit_test(
		    an_idle_thread_is_not_woken_and_gives_no_samples),
		cmocka_unit_test(a_full_ring_is_counted),
		cmocka_unit_test(a_deep_stack_is_cut_at_its_root_and_counted),
		cmocka_unit_test(inside_the_unwinder_the_pc_alone_is_kept),
		cmocka_unit_test(what_the_unwinder_remembers_can_be_forgotten),
		cmocka_unit_test(a_child_without_a_slot_captures_nothing),
	};

	return (cmocka_run_group_tests(tests, prepare, NULL));
}
