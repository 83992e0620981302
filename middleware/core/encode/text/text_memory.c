/*
 * The trailer of the heap's text: what a worker's memory consists of. See
 * text_heap.h; docs/memory.md defines each line.
 */
#include <stdio.h>
#include <string.h>

#include "encode/text/text_heap.h"

/* What is shown of one worker, or of all workers. */
enum key {
	RSS,
	PSS,
	PRIVATE,
	PRIVATE_DIRTY,
	SHARED,
	MALLOC_ARENA,
	MALLOC_MAPPED,
	MALLOC_USED,
	MALLOC_FREE,
	KORE_POOLS,
	THREAD_STACKS,
	LIVE_SEEN,
	UNEXPLAINED,
	KEYS
};

static const char *const key_name[KEYS] = {
	[RSS] = "RSS",
	[PSS] = "PSS",
	[PRIVATE] = "Private",
	[PRIVATE_DIRTY] = "PrivateDirty",
	[SHARED] = "Shared",
	[MALLOC_ARENA] = "MallocArena",
	[MALLOC_MAPPED] = "MallocMapped",
	[MALLOC_USED] = "MallocUsed",
	[MALLOC_FREE] = "MallocFree",
	[KORE_POOLS] = "KorePools",
	[THREAD_STACKS] = "ThreadStacks",
	[LIVE_SEEN] = "LiveSeen",
	[UNEXPLAINED] = "Unexplained",
};

struct figures {
	int64_t bytes[KEYS];
	unsigned int known; /* one bit for each key */
	struct pp_pool_facts pool[PP_POOLS_MAX];
	uint32_t pools;
};

static void
figure_set(struct figures *f, enum key key, uint64_t bytes)
{
	f->bytes[key] = (int64_t)bytes;
	f->known |= 1U << key;
}

static void
figures_kernel(struct figures *f, const struct pp_proc_memory *kernel)
{
	figure_set(f, RSS, kernel->rss);
	figure_set(f, PSS, kernel->pss);
	figure_set(f, PRIVATE, kernel->private_clean + kernel->private_dirty);
	figure_set(f, PRIVATE_DIRTY, kernel->private_dirty);
	figure_set(f, SHARED, kernel->shared_clean + kernel->shared_dirty);
}

static void
figures_facts(struct figures *f, const struct pp_memory_facts *facts)
{
	uint64_t pools = 0;
	uint32_t i;

	for (i = 0; i < facts->pools; i++)
		pools += facts->pool[i].element * facts->pool[i].total;
	figure_set(f, MALLOC_ARENA, facts->malloc_arena);
	figure_set(f, MALLOC_MAPPED, facts->malloc_mapped);
	figure_set(f, MALLOC_USED, facts->malloc_used);
	figure_set(f, MALLOC_FREE, facts->malloc_free);
	figure_set(f, KORE_POOLS, pools);
	figure_set(f, THREAD_STACKS, facts->stacks);
	f->pools = facts->pools;
	memcpy(f->pool, facts->pool, sizeof(f->pool));
}

static void
figures_of(struct figures *f, const struct pp_memory_worker *worker,
    uint64_t live)
{
	memset(f, 0, sizeof(*f));
	if (worker->has_kernel)
		figures_kernel(f, &worker->kernel);
	if (worker->answered)
		figures_facts(f, &worker->facts);
	figure_set(f, LIVE_SEEN, live);
	if (!worker->has_kernel || !worker->answered)
		return;
	/* The difference is taken in unsigned 64 bits, where nothing can
	 * overflow. */
	figure_set(f, UNEXPLAINED,
	    (uint64_t)f->bytes[PRIVATE_DIRTY] -
		(uint64_t)f->bytes[MALLOC_ARENA] -
		(uint64_t)f->bytes[MALLOC_MAPPED] -
		(uint64_t)f->bytes[KORE_POOLS] -
		(uint64_t)f->bytes[THREAD_STACKS]);
}

/* Add a pool to the pool of the same name. There are as many names as one
 * worker can have; further pools are in KorePools only. */
static void
total_pool(struct figures *total, const struct pp_pool_facts *pool)
{
	struct pp_pool_facts *to;
	uint32_t i;

	for (i = 0; i < total->pools; i++) {
		to = &total->pool[i];
		if (to->element == pool->element &&
		    strcmp(to->name, pool->name) == 0)
			break;
	}
	if (i == PP_POOLS_MAX)
		return;
	to = &total->pool[i];
	if (i == total->pools) {
		total->pools++;
		*to = *pool;
		return;
	}
	to->total += pool->total;
	to->used += pool->used;
}

static void
total_add(struct figures *total, const struct figures *f)
{
	uint32_t i;

	for (i = 0; i < KEYS; i++)
		total->bytes[i] = (int64_t)((uint64_t)total->bytes[i] +
		    (uint64_t)f->bytes[i]);
	total->known |= f->known;
	for (i = 0; i < f->pools; i++)
		total_pool(total, &f->pool[i]);
}

static void
figures_write(const struct figures *f, const char *prefix, struct pp_buf *out)
{
	const struct pp_pool_facts *pool;
	uint32_t i;

	for (i = 0; i < KEYS; i++) {
		if ((f->known & 1U << i) != 0)
			pp_buf_printf(out, "# %s%s = %lld\n", prefix,
			    key_name[i], (long long)f->bytes[i]);
	}
	for (i = 0; i < f->pools; i++) {
		pool = &f->pool[i];
		pp_buf_printf(out,
		    "# %skore.pool.%s = %llu / %llu (%llu bytes)\n", prefix,
		    pool->name, (unsigned long long)pool->used,
		    (unsigned long long)pool->total,
		    (unsigned long long)pool->element);
	}
}

static void
worker_write(const struct pp_memory_worker *worker, uint64_t live,
    struct pp_buf *out)
{
	struct figures f;
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "worker.%u.", worker->worker);
	if (worker->pid == 0) {
		pp_buf_printf(out, "\n# %sProcess = none, not running\n",
		    prefix);
		return;
	}
	pp_buf_printf(out, "\n# %sProcess = %d\n", prefix, worker->pid);
	pp_buf_printf(out, "# %sAnswered = %s\n", prefix,
	    worker->answered ? "yes"
			     : "no, it is busy: what only the worker knows is "
			       "missing");
	if (!worker->has_kernel)
		pp_buf_printf(out,
		    "# %sKernel = not known, the worker has handed over no "
		    "descriptor: RSS to Shared are missing\n",
		    prefix);
	figures_of(&f, worker, live);
	figures_write(&f, prefix, out);
}

void
pp_encode_text_memory(const struct pp_memory_worker *worker, uint32_t workers,
    const uint64_t *live, struct pp_buf *out)
{
	uint32_t i, running = 0, answered = 0;
	struct figures total, f;

	memset(&total, 0, sizeof(total));
	for (i = 0; i < workers; i++) {
		if (worker[i].pid == 0)
			continue;
		running++;
		answered += worker[i].answered != 0;
		figures_of(&f, &worker[i], live[worker[i].worker]);
		total_add(&total, &f);
	}
	pp_buf_text(out, "\n# Memory of all workers, in bytes\n");
	pp_buf_printf(out, "# Workers = %u\n# WorkersAnswered = %u\n", running,
	    answered);
	figures_write(&total, "", out);
	for (i = 0; i < workers; i++)
		worker_write(&worker[i], live[worker[i].worker], out);
}
