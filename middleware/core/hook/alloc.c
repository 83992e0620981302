/*
 * See alloc.h. A fast path ends in a jump to the original; only slow paths do
 * something after the original has returned.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/hot_path.h"
#include "capture/alloc_sample.h"
#include "hook/alloc.h"

PP_HOT_PATH_DATA static void *(*real_malloc)(size_t);
PP_HOT_PATH_DATA static void *(*real_calloc)(size_t, size_t);
PP_HOT_PATH_DATA static void *(*real_realloc)(void *, size_t);
static void *(*real_reallocarray)(void *, size_t, size_t);
PP_HOT_PATH_DATA static void (*real_free)(void *);
static int (*real_posix_memalign)(void **, size_t, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
static void *(*real_memalign)(size_t, size_t);
static void *(*real_valloc)(size_t);
static void *(*real_pvalloc)(size_t);

PP_HOT_PATH static void *
hook_malloc(size_t size)
{
	void *p;

	if (pp_alloc_pass(size))
		return (real_malloc(size));
	p = real_malloc(size);
	pp_alloc_made(p, size);
	return (p);
}

PP_HOT_PATH static void *
hook_calloc(size_t count, size_t each)
{
	size_t size;
	void *p;

	if (__builtin_mul_overflow(count, each, &size) || pp_alloc_pass(size))
		return (real_calloc(count, each));
	p = real_calloc(count, each);
	pp_alloc_made(p, size);
	return (p);
}

PP_HOT_PATH static void
hook_free(void *p)
{
	if (pp_alloc_known(p))
		pp_alloc_freed(p);
	real_free(p);
}

/*
 * A realloc() is one allocation less and one more. The old sample is taken out
 * before the call: after the call another thread may have the old address.
 */
static void *
realloc_slowly(void *old, size_t size, int sampled)
{
	struct pp_alloc_sample sample;
	int known;
	void *p;

	known =
	    old != NULL && pp_alloc_known(old) && pp_alloc_take(old, &sample);
	p = real_realloc(old, size);
	if (known && p == NULL && size != 0)
		pp_alloc_put_back(old, &sample);
	else if (known)
		pp_alloc_count_free(&sample);
	if (sampled)
		pp_alloc_made(p, size);
	return (p);
}

PP_HOT_PATH static void *
hook_realloc(void *old, size_t size)
{
	int sampled = !pp_alloc_pass(size);

	if (!sampled && !pp_alloc_known(old))
		return (real_realloc(old, size));
	return (realloc_slowly(old, size, sampled));
}

static void *
hook_reallocarray(void *old, size_t count, size_t each)
{
	size_t size;
	int sampled;

	if (__builtin_mul_overflow(count, each, &size))
		return (real_reallocarray(old, count, each));
	sampled = !pp_alloc_pass(size);
	if (!sampled && !pp_alloc_known(old))
		return (real_realloc(old, size));
	return (realloc_slowly(old, size, sampled));
}

static int
hook_posix_memalign(void **out, size_t alignment, size_t size)
{
	int error;

	if (pp_alloc_pass(size))
		return (real_posix_memalign(out, alignment, size));
	error = real_posix_memalign(out, alignment, size);
	pp_alloc_made(error == 0 ? *out : NULL, size);
	return (error);
}

static void *
hook_aligned_alloc(size_t alignment, size_t size)
{
	void *p;

	if (pp_alloc_pass(size))
		return (real_aligned_alloc(alignment, size));
	p = real_aligned_alloc(alignment, size);
	pp_alloc_made(p, size);
	return (p);
}

static void *
hook_memalign(size_t alignment, size_t size)
{
	void *p;

	if (pp_alloc_pass(size))
		return (real_memalign(alignment, size));
	p = real_memalign(alignment, size);
	pp_alloc_made(p, size);
	return (p);
}

static void *
hook_valloc(size_t size)
{
	void *p;

	if (pp_alloc_pass(size))
		return (real_valloc(size));
	p = real_valloc(size);
	pp_alloc_made(p, size);
	return (p);
}

static void *
hook_pvalloc(size_t size)
{
	void *p;

	if (pp_alloc_pass(size))
		return (real_pvalloc(size));
	p = real_pvalloc(size);
	pp_alloc_made(p, size);
	return (p);
}

#define ALLOC_HOOK(name)                                                       \
	{                                                                      \
#name, (void *)hook_##name, (void **)&real_##name, PP_GOT_ALL  \
	}

const struct pp_got_hook pp_hook_alloc[PP_ALLOC_HOOKS] = {
	ALLOC_HOOK(malloc),
	ALLOC_HOOK(calloc),
	ALLOC_HOOK(realloc),
	ALLOC_HOOK(reallocarray),
	ALLOC_HOOK(free),
	ALLOC_HOOK(posix_memalign),
	ALLOC_HOOK(aligned_alloc),
	ALLOC_HOOK(memalign),
	ALLOC_HOOK(valloc),
	ALLOC_HOOK(pvalloc),
};
