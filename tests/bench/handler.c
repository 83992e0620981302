/*
 * What one CPU sample costs the thread that it interrupts: nanoseconds in
 * pp_sampler_signal(), and the malloc and system calls made in it.
 *
 * The handler is the product's, linked from libhot.a; this file only wraps
 * it between two readings of the clock, and takes what it wrote out of the
 * ring. Not a test: it judges nothing and prints one line a case,
 *
 *     name=... samples= frames= median= p99= mallocs= syscalls= stackless=
 *
 * Rule: what was not measured in a case is -1, never a good number.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ask.h"
#include "base/clock.h"
#include "calls.h"
#include "capture/sampler.h"
#include "capture/thread.h"
#include "hook/process.h"
#include "store/ring.h"

#define FRAMES	    30
#define SAMPLES_MAX 200000
#define SLOT	    1
#define CACHE_WORDS (4U << 20 >> 3) /* 4 MiB: more than a core's L2 */

static struct pp_arena *arena;
static int64_t took[SAMPLES_MAX];
static volatile int samples, limit;
static uint64_t frames_seen, records_seen;
static int last_depth;
static uint64_t cache[CACHE_WORDS];

/* What runs at the bottom of the stack until there are samples enough. */
enum work {
	RAISE, /* one sample after the other from one place */
	FRESH, /* one from each of SITES places, which nobody has seen */
	SPIN,  /* real timers over a loop that needs no memory */
	WALK   /* real timers over a loop that empties the caches */
};
static enum work work;

/* Counting is a case of its own, so that the dispatch is not in the times. */
static int counting;

/* Around the product's handler. */
static void
on_signal(int signo, siginfo_t *info, void *context)
{
	int raised = info->si_code == SI_TKILL;
	int64_t start;

	if (info->si_code == SI_USER || raised != (work <= FRESH)) {
		pp_sampler_signal(signo, info, context);
		return;
	}
	if (raised) {
		info->si_code = SI_TIMER;
		info->si_value.sival_ptr = &pp_self;
		info->si_timerid = atomic_load(&pp_thread_self->timer);
		info->si_overrun = 0;
	}
	inside = 1;
	if (counting && dispatch_works)
		dispatch = SYSCALL_DISPATCH_FILTER_BLOCK;
	start = pp_clock_mono();
	pp_sampler_signal(signo, info, context);
	start = pp_clock_mono() - start;
	dispatch = SYSCALL_DISPATCH_FILTER_ALLOW;
	inside = 0;
	if (samples < limit)
		took[samples++] = start;
}

/* The collector's part: empty the ring, and look how deep the stacks are. */
static void
drain(void)
{
	uint64_t record[PP_CPU_WORD_FRAMES + PP_FRAMES_MAX];
	enum pp_record kind;
	int words;

	while ((words = pp_ring_take(&arena->slot[SLOT].cpu, &kind, record,
		    PP_CPU_WORD_FRAMES + PP_FRAMES_MAX)) > 0) {
		last_depth = words - PP_CPU_WORD_FRAMES;
		frames_seen += (uint64_t)last_depth;
		records_seen++;
	}
}

static void
ask(uint64_t hz)
{
	atomic_store(&arena->control.cpu_period_ns,
	    hz == 0 ? 0 : (uint64_t)PP_NS_PER_SEC / hz);
	(void)pp_ask(getpid(), 0, PP_ASK_CONTROL);
}

static __attribute__((noinline)) uint64_t
leaf(void)
{
	static uint32_t at;
	uint64_t sum = 0;
	int i;

	if (work <= FRESH) {
		(void)syscall(SYS_tgkill, getpid(), gettid(), SIGPROF);
		return ((uint64_t)samples);
	}
	for (i = 0; i < 20000; i++) {
		at = at * 1664525 + 1013904223;
		sum += work == WALK ? cache[at % CACHE_WORDS]++ : at;
	}
	return (sum);
}

static __attribute__((noinline)) uint64_t
bottom(void)
{
	uint64_t sum = 0;
	int turn;

	for (turn = 0; samples < limit; turn++) {
		sum += leaf();
		if (turn % 64 == 0)
			drain();
	}
	return (sum);
}

/* Each call is a return address of its own. */
#define R4    sum += leaf(), sum += leaf(), sum += leaf(), sum += leaf()
#define R16   R4, R4, R4, R4
#define R64   R16, R16, R16, R16
#define SITES 256

/* Two of them: once seen, a place is not fresh any more. */
#define BOTTOM_FRESH(name, start)                                              \
	static __attribute__((noinline)) uint64_t name(void)                   \
	{                                                                      \
		uint64_t sum = start;                                          \
		R64, R64, R64, R64;                                            \
		return (sum);                                                  \
	}
BOTTOM_FRESH(bottom_fresh, 1)
BOTTOM_FRESH(bottom_fresh_counted, 2)

static __attribute__((noinline)) uint64_t
choose(void)
{
	if (work == FRESH && counting)
		return (bottom_fresh_counted() + 1);
	return ((work == FRESH ? bottom_fresh() : bottom()) + 1);
}

/* Functions of their own, as a real stack has: a recursion would be found in
 * the unwinder's cache by one entry. */
#define F(n, next)                                                             \
	static __attribute__((noinline)) uint64_t f##n(void)                   \
	{                                                                      \
		volatile uint64_t kept[n % 7 + 1];                             \
		kept[0] = n;                                                   \
		return (next() + kept[0]);                                     \
	}
F(1, choose)
F(2, f1)
F(3, f2)
F(4, f3)
F(5, f4)
F(6, f5)
F(7, f6)
F(8, f7)
F(9, f8)
F(10, f9)
F(11, f10)
F(12, f11)
F(13, f12)
F(14, f13)
F(15, f14)
F(16, f15)
F(17, f16)
F(18, f17)
F(19, f18)
F(20, f19)
F(21, f20)
F(22, f21)
F(23, f22)
F(24, f23)

F(25, f24)
F(26, f25)
F(27, f26)

/* How many frames main() and raise() are is libc's business: what gives
 * FRAMES in all is tried out. */
static uint64_t (*const entry[])(void) = { f14, f15, f16, f17, f18, f19, f20,
	f21, f22, f23, f24, f25, f26, f27 };
static size_t entry_now;

static void
find_depth(void)
{
	last_depth = 0;
	for (entry_now = 0; entry_now < sizeof(entry) / sizeof(entry[0]);
	     entry_now++) {
		samples = 0;
		limit = 64;
		(void)entry[entry_now]();
		drain();
		if (last_depth == FRAMES)
			return;
	}
	fprintf(stderr, "handler: no stack of %d frames (last: %d)\n", FRAMES,
	    last_depth);
	exit(1);
}

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y ? -1 : x > y);
}

static int64_t
clock_cost(void)
{
	static int64_t cost[10001];
	int i;

	for (i = 0; i < 10001; i++) {
		cost[i] = pp_clock_mono();
		cost[i] = pp_clock_mono() - cost[i];
	}
	qsort(cost, 10001, sizeof(cost[0]), by_size);
	return (cost[5000]);
}

static void
run_case(const char *name, enum work what, uint64_t hz, int count,
    int count_calls)
{
	_Atomic uint64_t *loss = arena->slot[SLOT].loss;
	int64_t clock = clock_cost();
	uint64_t stackless;

	work = what;
	counting = 0;
	ask(hz);
	if (what != FRESH) /* it would no longer be fresh */
		find_depth();
	drain();
	frames_seen = records_seen = mallocs = syscalls = 0;
	stackless = atomic_load(&loss[PP_LOSS_SAMPLES_STACKLESS]);
	samples = 0;
	limit = count;
	counting = count_calls;
	(void)entry[entry_now]();
	ask(0);
	drain();
	stackless = atomic_load(&loss[PP_LOSS_SAMPLES_STACKLESS]) - stackless;
	qsort(took, (size_t)samples, sizeof(took[0]), by_size);
	printf("name=%s samples=%d frames=%.1f median=%lld p99=%lld clock=%lld "
	       "mallocs=%lld syscalls=%lld stackless=%llu\n",
	    name, samples, (double)frames_seen / (double)records_seen,
	    (long long)(took[samples / 2] - clock),
	    (long long)(took[samples * 99LL / 100] - clock), (long long)clock,
	    count_calls ? (long long)mallocs : -1,
	    count_calls && dispatch_works ? (long long)syscalls : -1,
	    (unsigned long long)stackless);
}

static void
take_over(struct sigaction *action)
{
	(void)sigaction(SIGPROF, NULL, action);
	action->sa_sigaction = on_signal;
	/* Arrives in the handler only when calls are counted. */
	(void)sigdelset(&action->sa_mask, SIGSYS);
	(void)sigaction(SIGPROF, action, NULL);
}

int
main(int argc, char **argv)
{
	int many = argc > 1 ? atoi(argv[1]) : 100000;
	struct sigaction action;
	const char *why;
	int fd;

	if (many < 1000 || many > SAMPLES_MAX) {
		fprintf(stderr, "handler: %s samples: give 1000 to %d\n",
		    argv[1], SAMPLES_MAX);
		return (2);
	}
	arena = pp_arena_create(2, &fd);
	if (arena == NULL || pp_self_prepare(&why) == -1 ||
	    pp_process_hook(NULL, 0, NULL, &why) == -1) {
		fprintf(stderr, "handler: cannot prepare the profiler\n");
		return (1);
	}
	pp_self_start(arena, SLOT);
	take_over(&action);
	/* At 1 Hz the real timer is armed and stays out of the way. */
	run_case("in_a_row", RAISE, 1, many, 0);
	run_case("new_pc", FRESH, 1, SITES, 0);
	run_case("timer", SPIN, 250, many / 100, 0);
	run_case("timer_cold", WALK, 250, many / 100, 0);
	run_case("perf_1000hz", SPIN, 1000, many / 50, 0);
	dispatch_works = dispatch_prepare();
	run_case("in_a_row_calls", RAISE, 1, many / 10, 1);
	run_case("new_pc_calls", FRESH, 1, SITES, 1);
	run_case("perf_1000hz_calls", SPIN, 1000, many / 100, 1);
	return (0);
}
