/*
 * What the heap's tests share: an arena of the test's own, a library whose
 * allocations are followed, and the sums that the rows of the arena give.
 *
 * The test program itself is "us" and is not followed. Who calls the library
 * sets a label first, by which its rows are found again among those of
 * cmocka and libc.
 */
#ifndef TESTS_HEAP_FOLLOWED_H
#define TESTS_HEAP_FOLLOWED_H

#include <dlfcn.h>

#include "capture/alloc_sample.h"
#include "capture/label.h"
#include "fixture.h"
#include "hook/process.h"
#include "store/counters.h"
#include "store/heap.h"

#define HEAP_SLOT    1
#define HEAP_WORKERS 8

struct heap_sum {
	uint64_t allocs, bytes, frees, free_bytes;
};

static struct pp_arena *heap_arena;
static void *heap_library;

#define heap_slot() (&heap_arena->slot[HEAP_SLOT])

/* Compile and load; `command` makes x.so. */
static inline void *
heap_load(const char *file, const char *source, const char *command,
    const char *so)
{
	void *handle;

	fixture_write(file, source);
	fixture_sh("%s", command);
	handle = dlopen(fixture_path(so), RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return (handle);
}

#define HEAP_CC                                                                \
	"cc -w -g -O1 -fno-builtin -fno-optimize-sibling-calls -fPIC -shared " \
	"-pthread -D_GNU_SOURCE "

static inline void *
heap_symbol(void *library, const char *name)
{
	void *symbol = dlsym(library, name);

	if (symbol == NULL) {
		fprintf(stderr, "the library has no %s\n", name);
		exit(1);
	}
	return (symbol);
}

#define heap_function(type, name)                                              \
	((type)(uintptr_t)heap_symbol(heap_library, name))

/* A new rate holds from the next allocation on, not from the next sample. */
static inline void
heap_rate(uint64_t rate)
{
	atomic_store(&heap_arena->control.heap_rate, rate);
	pp_alloc_left = 0;
}

/* As the constructor, the parent and a worker do it, at rate 1. */
static inline int
heap_begin(void)
{
	const char *why = NULL;
	int fd;

	heap_arena = pp_arena_create(HEAP_WORKERS, &fd);
	if (heap_arena == NULL || pp_self_prepare(&why) == -1 ||
	    pp_process_hook(NULL, 0, NULL, &why) == -1) {
		fprintf(stderr, "%s\n", why != NULL ? why : "no arena");
		return (-1);
	}
	atomic_store(&heap_arena->control.heap_rate, 1);
	pp_self_start(heap_arena, HEAP_SLOT);
	return (0);
}

static inline uint32_t
heap_label(const char *name)
{
	struct pp_label_pair pair = { "test", name };

	return (pp_label_intern(&pair, 1));
}

/* Of all rows with that label. */
static inline struct heap_sum
heap_sum(uint32_t label)
{
	struct pp_counters counters = pp_counters_heap(&heap_slot()->heap);
	struct heap_sum sum = { 0, 0, 0, 0 };
	struct pp_counter *counter;
	uint64_t key;
	uint32_t i;

	for (i = 0; i < pp_counters_used(&counters); i++) {
		counter = &counters.counter[i];
		key = atomic_load(&counter->key);
		if (key == 0 || pp_heap_unpack(key).label != label)
			continue;
		sum.allocs += atomic_load(&counter->value[PP_HEAP_ALLOCS]);
		sum.bytes += atomic_load(&counter->value[PP_HEAP_ALLOC_BYTES]);
		sum.frees += atomic_load(&counter->value[PP_HEAP_FREES]);
		sum.free_bytes +=
		    atomic_load(&counter->value[PP_HEAP_FREE_BYTES]);
	}
	return (sum);
}

static inline uint64_t
heap_loss(enum pp_loss what)
{
	return (atomic_load(&heap_slot()->loss[what]));
}

/* Call the library's `name` under the label of that name. */
static inline struct heap_sum
heap_run(const char *name)
{
	uint32_t label = heap_label(name), was;

	was = pp_label_swap(label);
	heap_function(void (*)(void), name)();
	(void)pp_label_swap(was);
	return (heap_sum(label));
}

static inline void
heap_drop(void)
{
	heap_function(void (*)(void), "drop")();
}

#define assert_sum(sum, a, b, f, fb)                                           \
	do {                                                                   \
		assert_int_equal((sum).allocs, a);                             \
		assert_int_equal((sum).bytes, b);                              \
		assert_int_equal((sum).frees, f);                              \
		assert_int_equal((sum).free_bytes, fb);                        \
	} while (0)

#endif
