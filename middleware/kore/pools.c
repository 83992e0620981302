/*
 * Where Kore's pools are, so that their memory can be shown by name.
 *
 * Pools that a worker makes are seen as they are initialised. Those behind
 * kore_malloc() are older than this module: each of them is asked for one
 * element, in the constructor, while kore_pool_get() is ours.
 *
 * Rule: pointers are remembered, nothing in a pool is changed.
 */
#include <kore/kore.h>

#include <dlfcn.h>
#include <stdio.h>

#include "hook/entry.h"
#include "kore/adapter.h"

/* kore_malloc()'s smallest pool, and so on by powers of two. */
#define SMALLEST 8
#define BLOCKS	 11

static struct kore_pool *pools[PP_POOLS_MAX];
static uint32_t pools_known;

static void *(*real_pool_get)(struct kore_pool *);
static void (*real_pool_init)(struct kore_pool *, const char *, size_t, size_t);

static void
pools_remember(struct kore_pool *pool)
{
	uint32_t i;

	for (i = 0; i < pools_known; i++) {
		if (pools[i] == pool)
			return;
	}
	if (pools_known < PP_POOLS_MAX)
		pools[pools_known++] = pool;
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
	void *get = dlsym(RTLD_DEFAULT, "kore_pool_get");
	void *init = dlsym(RTLD_DEFAULT, "kore_pool_init");
	const char *why;
	size_t i;

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
pp_pools_tell(struct pp_pool_facts *facts)
{
	uint32_t i;

	for (i = 0; i < pools_known; i++) {
		(void)snprintf(facts[i].name, sizeof(facts[i].name), "%s",
		    pools[i]->name != NULL ? pools[i]->name : "?");
		facts[i].element = pools[i]->slen;
		facts[i].total = pools[i]->elms;
		facts[i].used = pools[i]->inuse;
	}
	return (pools_known);
}
