/*
 * This file remembers where Kore's pools are, so that their memory can be shown
 * by name.
 *
 * Pools that a worker makes are seen when they are initialised. The pools
 * behind kore_malloc() are older than this module: in the constructor, while
 * kore_pool_get() is patched, each of them is asked for one element.
 *
 * Rule: only pointers are remembered; nothing in a pool is changed. A pool is a
 * variable of an object, and its pointer is good while that object lives: kore
 * for ever, a module until something is unloaded. A pool in allocated memory
 * could end without our notice, and is left out.
 */
#include <kore/kore.h>

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>

#include "hook/entry.h"
#include "kore/adapter.h"

/* The bytes of the elements of kore_malloc()'s smallest pool, and how many
 * pools there are; each next one has elements twice as large. */
#define SMALLEST 8
#define BLOCKS	 11

static struct {
	struct kore_pool *pool;
	int of_kore;
} pools[PP_POOLS_MAX];
static uint32_t pools_known;
static unsigned long long pools_unloaded; /* objects, at the last look */

static void *(*real_pool_get)(struct kore_pool *);
static void (*real_pool_init)(struct kore_pool *, const char *, size_t, size_t);

static int
pools_count_unloaded(struct dl_phdr_info *info, size_t size, void *count)
{
	(void)size;
	*(unsigned long long *)count = info->dlpi_subs;
	return (1);
}

/* After an unload the pools of modules are forgotten. A module that is loaded
 * again initialises its pools again. */
static void
pools_forget_modules(void)
{
	unsigned long long unloaded = 0;
	uint32_t i, kept = 0;

	(void)dl_iterate_phdr(pools_count_unloaded, &unloaded);
	if (unloaded == pools_unloaded)
		return;
	pools_unloaded = unloaded;
	for (i = 0; i < pools_known; i++) {
		if (pools[i].of_kore)
			pools[kept++] = pools[i];
	}
	pools_known = kept;
}

static void
pools_remember(struct kore_pool *pool)
{
	Dl_info holder, kore;
	uint32_t i;

	pools_forget_modules();
	for (i = 0; i < pools_known; i++) {
		if (pools[i].pool == pool)
			return;
	}
	if (pools_known == PP_POOLS_MAX || dladdr(pool, &holder) == 0 ||
	    dladdr(&kore_version, &kore) == 0)
		return;
	pools[pools_known].pool = pool;
	pools[pools_known++].of_kore = holder.dli_fbase == kore.dli_fbase;
}

static void *
pools_get(struct kore_pool *pool)
{
	pools_remember(pool);
	return (real_pool_get(pool));
}

static void
pools_init(struct kore_pool *pool, const char *name, size_t len, size_t elm)
{
	pools_remember(pool);
	real_pool_init(pool, name, len, elm);
}

void
pp_pools_find(void)
{
	static int found;
	void *get = dlsym(RTLD_DEFAULT, "kore_pool_get");
	void *init = dlsym(RTLD_DEFAULT, "kore_pool_init");
	const char *why;
	size_t i;

	if (found)
		return;
	found = 1;
	if (init != NULL)
		(void)pp_entry_patch(init, (void *)pools_init,
		    (void **)&real_pool_init, &why);
	if (get == NULL ||
	    pp_entry_patch(get, (void *)pools_get, (void **)&real_pool_get,
		&why) == -1)
		return;
	for (i = 0; i < BLOCKS; i++)
		kore_free(kore_malloc((size_t)SMALLEST << i));
	pp_entry_restore(get, (void *)real_pool_get);
}

uint32_t
pp_pools_read(struct pp_pool_facts *facts)
{
	const struct kore_pool *pool;
	uint32_t i, taken = 0;

	pools_forget_modules();
	for (i = 0; i < pools_known; i++) {
		pool = pools[i].pool;
		if (pool->name == NULL)
			continue; /* the pool was cleaned up */
		(void)snprintf(facts[taken].name, sizeof(facts[taken].name),
		    "%s", pool->name);
		facts[taken].element = pool->slen;
		facts[taken].total = pool->elms;
		facts[taken++].used = pool->inuse;
	}
	return (taken);
}
