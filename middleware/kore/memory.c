/*
 * Kore's own allocator: kore_malloc() and its relatives, called from modules
 * and from inside the kore binary.
 *
 * Up to 8 KiB they give out elements of Kore's pools and malloc() is not
 * called; the calls inside kore pass no call table. So their entries are
 * patched, which covers kore_calloc() and kore_strdup() too. Where an entry
 * cannot be patched the modules' calls are followed by their call tables.
 *
 * Rule: an allocation counts once. A large kore_malloc() calls calloc(), and
 * kore_realloc() calls the other two: within, nothing is counted.
 */
#include <kore/kore.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "capture/heap.h"
#include "hook/entry.h"
#include "kore/adapter.h"

/* Below this kore_malloc() surely stays within its pools (8,192 in 4.1.0). */
#define SURELY_POOLED 2048

static void *(*real_kore_malloc)(size_t);
static void *(*real_kore_realloc)(void *, size_t);
static void (*real_kore_free)(void *);

static void *
memory_malloc(size_t size)
{
	uint64_t outer;
	int sampled;
	void *p;

	sampled = !pp_heap_pass(size);
	if (!sampled && size < SURELY_POOLED)
		return (real_kore_malloc(size));
	outer = pp_heap_quiet();
	p = real_kore_malloc(size);
	pp_heap_loud(outer);
	if (sampled)
		pp_heap_alloc(p, size);
	return (p);
}

static void
memory_free(void *p)
{
	if (pp_heap_known(p))
		pp_heap_free(p);
	real_kore_free(p);
}

static void *
memory_realloc(void *old, size_t size)
{
	struct pp_heap_sample sample;
	uint64_t outer;
	int known;
	void *p;

	known = old != NULL && pp_heap_known(old) && pp_heap_take(old, &sample);
	outer = pp_heap_quiet();
	p = real_kore_realloc(old, size);
	pp_heap_loud(outer);
	if (p == old && known) {
		pp_heap_put_back(old, &sample);
		return (p);
	}
	if (known)
		pp_heap_count_free(&sample);
	if (p != old && !pp_heap_pass(size))
		pp_heap_alloc(p, size);
	return (p);
}

static const struct {
	const char *name;
	void *replacement;
	void **original;
} patches[] = {
	{ "kore_malloc", (void *)memory_malloc, (void **)&real_kore_malloc },
	{ "kore_realloc", (void *)memory_realloc, (void **)&real_kore_realloc },
	{ "kore_free", (void *)memory_free, (void **)&real_kore_free },
};

#define PATCHES (sizeof(patches) / sizeof(patches[0]))

const struct pp_got_hook pp_memory_hooks[PP_MEMORY_HOOKS] = {
	{ "kore_malloc", (void *)memory_malloc, (void **)&real_kore_malloc,
	    PP_GOT_LIBRARIES },
	{ "kore_realloc", (void *)memory_realloc, (void **)&real_kore_realloc,
	    PP_GOT_LIBRARIES },
	{ "kore_free", (void *)memory_free, (void **)&real_kore_free,
	    PP_GOT_LIBRARIES },
};

/* All or none: a free that is not seen would leave its sample for ever. */
static int
memory_patch(const char **why)
{
	void *target[PATCHES];
	size_t i;

	for (i = 0; i < PATCHES; i++) {
		target[i] = dlsym(RTLD_DEFAULT, patches[i].name);
		*why = "this kore does not export its allocator";
		if (target[i] == NULL ||
		    pp_entry_patch(target[i], patches[i].replacement,
			patches[i].original, why) == -1)
			break;
	}
	if (i == PATCHES)
		return (0);
	while (i-- > 0) {
		pp_entry_restore(target[i], *patches[i].original);
		*patches[i].original = NULL;
	}
	return (-1);
}

size_t
pp_memory_wrap(void)
{
	const char *wanted = getenv("PPROF_ENTRY_PATCH"), *why;

	if (wanted != NULL && strcmp(wanted, "0") == 0)
		why = "PPROF_ENTRY_PATCH=0";
	else if (memory_patch(&why) == 0)
		return (0);
	pp_kore_log("allocations inside kore are not seen, those of modules "
		    "are (%s)",
	    why);
	pp_kore.entry_refused = 1;
	return (PP_MEMORY_HOOKS);
}
