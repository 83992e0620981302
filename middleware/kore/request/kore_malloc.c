/*
 * This wraps Kore's own allocator: kore_malloc() and its relatives, which
 * modules and the kore binary itself call.
 *
 * Up to 8 KiB, these functions give out elements of Kore's pools, and malloc()
 * is not called; the calls inside kore pass no call table. So their entries are
 * patched (kore/start/entries.c). This covers kore_calloc() and kore_strdup(),
 * too, which are wrapped only where entries cannot be patched.
 *
 * Rule: an allocation counts once. A large kore_malloc() calls calloc(), and
 * kore_realloc() calls the other two: calls within such a call are not counted.
 */
#include <kore/kore.h>

#include <string.h>

#include "base/hot_path.h"
#include "capture/alloc_sample.h"
#include "kore/adapter.h"

/* For sizes below this kore_malloc() surely takes an element of its pools (up
 * to 8,192 in 4.1.0). */
#define SURELY_POOLED 2048

PP_HOT_PATH_DATA void *(*pp_kore_real_malloc)(size_t);
void *(*pp_kore_real_realloc)(void *, size_t);
PP_HOT_PATH_DATA void (*pp_kore_real_free)(void *);
void *(*pp_kore_real_calloc)(size_t, size_t);
char *(*pp_kore_real_strdup)(const char *);

PP_HOT_PATH static __attribute__((noinline)) void *
memory_malloc_slowly(size_t size)
{
	int sampled = !pp_alloc_pass(size);
	uint64_t outer;
	void *p;

	outer = pp_alloc_quiet();
	p = pp_kore_real_malloc(size);
	pp_alloc_loud(outer);
	if (sampled)
		pp_alloc_made(p, size);
	return (p);
}

PP_HOT_PATH void *
pp_kore_malloc(size_t size)
{
	if (__builtin_expect(size < SURELY_POOLED, 1) && pp_alloc_pass(size))
		return (pp_kore_real_malloc(size));
	return (memory_malloc_slowly(size));
}

PP_HOT_PATH void
pp_kore_free(void *p)
{
	if (pp_alloc_known(p))
		pp_alloc_freed(p);
	pp_kore_real_free(p);
}

void *
pp_kore_realloc(void *old, size_t size)
{
	struct pp_alloc_sample sample;
	uint64_t outer;
	int known;
	void *p;

	known =
	    old != NULL && pp_alloc_known(old) && pp_alloc_take(old, &sample);
	outer = pp_alloc_quiet();
	p = pp_kore_real_realloc(old, size);
	pp_alloc_loud(outer);
	if (p == old && known) {
		pp_alloc_put_back(old, &sample);
		return (p);
	}
	if (known)
		pp_alloc_count_free(&sample);
	if (p != old && !pp_alloc_pass(size))
		pp_alloc_made(p, size);
	return (p);
}

void *
pp_kore_calloc(size_t count, size_t each)
{
	uint64_t outer;
	size_t size;
	int sampled;
	void *p;

	/* After an overflow Kore ends the process. */
	if (__builtin_mul_overflow(count, each, &size))
		return (pp_kore_real_calloc(count, each));
	sampled = !pp_alloc_pass(size);
	outer = pp_alloc_quiet();
	p = pp_kore_real_calloc(count, each);
	pp_alloc_loud(outer);
	if (sampled)
		pp_alloc_made(p, size);
	return (p);
}

char *
pp_kore_strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	int sampled = !pp_alloc_pass(size);
	uint64_t outer;
	char *copy;

	outer = pp_alloc_quiet();
	copy = pp_kore_real_strdup(text);
	pp_alloc_loud(outer);
	if (sampled)
		pp_alloc_made(copy, size);
	return (copy);
}
