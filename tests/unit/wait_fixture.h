/*
 * What the tests of waits share: an arena of the test's own, a library that
 * waits in known places for known times, and the sums that the rows give.
 *
 * The test program itself is "us" and leaves no frames. Who calls the library
 * sets a label first, by which its rows are found again; the library's
 * threads take it over.
 */
#ifndef TESTS_WAIT_FIXTURE_H
#define TESTS_WAIT_FIXTURE_H

#include <dlfcn.h>
#include <signal.h>

#include "base/ask.h"
#include "capture/label.h"
#include "capture/wait.h"
#include "fixture.h"
#include "hook/process.h"
#include "store/intern.h"
#include "store/waits.h"

#define WAIT_SLOT 1
#define ANY_WAIT  PP_WAITS_ALL

struct wait_sum {
	double count;
	int64_t ns;
};

static struct pp_arena *wait_arena;
static void *wait_library;
static uint32_t wait_label_now; /* of the library's threads */

#define wait_slot() (&wait_arena->slot[WAIT_SLOT])

#define WAIT_CC                                                                \
	"cc -w -g -O1 -fno-builtin -fno-optimize-sibling-calls -fPIC -shared " \
	"-pthread -D_GNU_SOURCE "

static inline void *
wait_symbol(const char *name)
{
	void *symbol = dlsym(wait_library, name);

	if (symbol == NULL) {
		fprintf(stderr, "the library has no %s\n", name);
		exit(1);
	}
	return (symbol);
}

#define wait_call(type, name) ((type)(uintptr_t)wait_symbol(name))

static inline void
wait_load(const char *source)
{
	fixture_write("waits.c", source);
	fixture_sh(WAIT_CC "-o waits.so waits.c");
	wait_library = dlopen(fixture_path("waits.so"), RTLD_NOW | RTLD_LOCAL);
	if (wait_library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
}

/* As the constructor, the parent and a worker do it; no rate is set. After
 * wait_load(), since the program's own dlopen() is not followed. */
static inline int
wait_begin(void)
{
	const char *why = NULL;
	int fd;

	wait_arena = pp_arena_create(2, &fd);
	if (wait_arena == NULL || pp_self_prepare(&why) == -1 ||
	    pp_process_hook(NULL, 0, NULL, &why) == -1) {
		fprintf(stderr, "%s\n", why != NULL ? why : "no arena");
		return (-1);
	}
	pp_self_start(wait_arena, WAIT_SLOT);
	return (0);
}

/* As the collector does it: the words, then the signal that says "look". */
static inline void
wait_rates(uint64_t block_ns, uint64_t fraction)
{
	int watch = (block_ns != 0 ? PP_WATCH_BLOCK : 0) |
	    (fraction != 0 ? PP_WATCH_MUTEX : 0),
	    tries;

	atomic_store(&wait_arena->control.block_rate_ns, block_ns);
	atomic_store(&wait_arena->control.mutex_fraction, fraction);
	(void)pp_ask(getpid(), 0, PP_ASK_CONTROL);
	for (tries = 0; atomic_load(&pp_wait_watch) != watch; tries++) {
		if (tries == 1000) {
			fprintf(stderr, "nobody looked at the rates\n");
			exit(1);
		}
		(void)usleep(1000);
	}
}

static inline uint32_t
wait_label(const char *name)
{
	struct pp_label_pair pair = { "test", name };

	return (pp_label_intern(&pair, 1));
}

static inline void
wait_take_label(void)
{
	(void)pp_label_swap(wait_label_now);
}

/* Whether the stack passes through that function of the library; with `leaf`
 * whether it begins there. */
static inline int
wait_stack_has(uint32_t stack, const char *function, int leaf)
{
	struct pp_intern_table table = pp_intern_stacks(&wait_slot()->stacks);
	uint64_t words[1 + PP_FRAMES_MAX];
	uint32_t count, i;
	Dl_info info;

	count = pp_intern_read(&table, stack, words, 1 + PP_FRAMES_MAX);
	for (i = 1; i < count && (i == 1 || !leaf); i++) {
		if (dladdr((void *)(uintptr_t)(words[i] - 1), &info) != 0 &&
		    info.dli_sname != NULL &&
		    strcmp(info.dli_sname, function) == 0)
			return (1);
	}
	return (0);
}

/* Rows with the label; of one kind of wait, or ANY_WAIT; through a function,
 * or NULL. */
static inline struct wait_sum
wait_sum(struct pp_wait_table *table, uint32_t wanted_label, unsigned int kind,
    const char *function)
{
	struct pp_counters counters = pp_counters_waits(table);
	struct wait_sum sum = { 0, 0 };
	uint32_t i, wait, label, stack;
	uint64_t key;

	for (i = 0; i < pp_counters_used(&counters); i++) {
		key = atomic_load(&counters.counter[i].key);
		if (key == 0)
			continue;
		pp_wait_unpack(key, &wait, &label, &stack);
		if (label != wanted_label || (kind != ANY_WAIT && wait != kind))
			continue;
		if (function != NULL && !wait_stack_has(stack, function, 0))
			continue;
		sum.count +=
		    (double)atomic_load(
			&counters.counter[i].value[PP_WAIT_VALUE_COUNT]) /
		    PP_WAIT_ONE;
		sum.ns += (int64_t)atomic_load(
		    &counters.counter[i].value[PP_WAIT_VALUE_NS]);
	}
	return (sum);
}

#define wait_block(label, kind, function)                                      \
	wait_sum(&wait_slot()->block, label, kind, function)
#define wait_mutex(label, kind, function)                                      \
	wait_sum(&wait_slot()->mutex, label, kind, function)

static inline uint64_t
wait_loss(enum pp_loss what)
{
	return (atomic_load(&wait_slot()->loss[what]));
}

/* Within so many percent. */
static inline int
wait_near(double value, double wanted, double percent)
{
	return (value >= wanted * (1 - percent / 100) &&
	    value <= wanted * (1 + percent / 100));
}

#endif
