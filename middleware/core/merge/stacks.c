/*
 * See stacks.h. The store is the collector's own, in one thread.
 *
 *     words[id]    header: hash or, while sweeping, new id (high 32 bits) |
 *                  mark | count (low 16)
 *     words[id+1]  the stack
 *
 * Rule: the words are one allocation as large as the bound, which is touched
 * only as far as it is used: the kernel gives pages as they are written.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/limits.h"
#include "base/mix.h"
#include "merge/stacks.h"

#define COUNT_MASK 0xffffULL
#define MARK	   0x10000ULL

/* The memory budget is asked once for so many words. */
#define ASKED_WORDS (1U << 17)

/* A store of so many words gets a mapping of its own from malloc(). */
#define LARGE_WORDS (1U << 20)

struct pp_stacks {
	uint64_t *words;
	uint32_t *index; /* ids by hash; 0: free */
	uint32_t used;	 /* words, with word 0, which is never a header */
	uint32_t limit;
	uint32_t index_size; /* power of two */
	uint32_t stacks;
};

/* The store fills from one end. With large pages, 2 MiB cost one fault instead
 * of 512, and at most one page is given in vain. A kernel without large pages
 * refuses, and nothing changes. */
static void
stacks_large_pages(uint64_t *words, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)words + page - 1) & ~(page - 1);
	uintptr_t to = ((uintptr_t)words + size) & ~(page - 1);

	if (to > from)
		(void)madvise((void *)from, to - from, MADV_HUGEPAGE);
}

struct pp_stacks *
pp_stacks_new(uint32_t words)
{
	struct pp_stacks *stacks;

	if ((stacks = calloc(1, sizeof(*stacks))) == NULL)
		return (NULL);
	/* At most half of the index fills. If stacks have 24 words or more, the
	 * bound on words is reached first. */
	stacks->index_size = 64;
	while (stacks->index_size < words / 12)
		stacks->index_size *= 2;
	stacks->limit = words;
	stacks->used = 1;
	stacks->words = malloc(((size_t)words + 1) * sizeof(*stacks->words));
	stacks->index = calloc(stacks->index_size, sizeof(*stacks->index));
	if (stacks->words == NULL || stacks->index == NULL) {
		pp_stacks_free(stacks);
		return (NULL);
	}
	if (words >= LARGE_WORDS)
		stacks_large_pages(stacks->words,
		    ((size_t)words + 1) * sizeof(*stacks->words));
	return (stacks);
}

void
pp_stacks_free(struct pp_stacks *stacks)
{
	if (stacks == NULL)
		return;
	free(stacks->words);
	free(stacks->index);
	free(stacks);
}

static uint64_t
stack_hash(const uint64_t *words, uint32_t count)
{
	return (pp_mix_words(words, count, count) & 0xffffffffULL);
}

/* Returns 1 if the memory budget has room. Pages count when they are written
 * to, since the kernel gives them then. */
static int
stacks_ask(const struct pp_stacks *stacks, uint32_t count)
{
	return ((stacks->used + count) / ASKED_WORDS ==
		stacks->used / ASKED_WORDS ||
	    pp_budget_keeps(ASKED_WORDS * sizeof(uint64_t)));
}

/* Returns 1 if one more stack of `count` words fits. Only a short stack may use
 * the reserve. */
static int
stacks_fit(const struct pp_stacks *stacks, uint32_t count)
{
	uint32_t words = stacks->limit, entries = stacks->index_size / 2;

	if (count > PP_STACKS_SHORT) {
		words -= words / 16;
		entries -= entries / 16;
	}
	return (stacks->stacks < entries && stacks->used < words &&
	    count + 1 <= words - stacks->used && stacks_ask(stacks, count + 1));
}

/* Take over the stack whose words are at the end already. `at` is its place in
 * the index. If that is index_size, the stack stays readable but is not found
 * again. */
static uint32_t
stacks_enter(struct pp_stacks *stacks, uint64_t hash, uint32_t count,
    uint32_t at)
{
	uint32_t id = stacks->used;

	stacks->words[id] = hash << 32 | count;
	stacks->used += count + 1;
	stacks->stacks++;
	if (at < stacks->index_size)
		stacks->index[at] = id;
	return (id);
}

uint32_t
pp_stacks_intern(struct pp_stacks *stacks, const uint64_t *words,
    uint32_t count)
{
	uint64_t hash, header;
	uint32_t probe, at, id;

	if (count == 0 || count > COUNT_MASK)
		return (PP_STACKS_NONE);
	hash = stack_hash(words, count);
	header = hash << 32 | count;
	for (probe = 0; probe < PP_PROBES_MAX; probe++) {
		at = ((uint32_t)hash + probe) & (stacks->index_size - 1);
		if ((id = stacks->index[at]) == 0)
			break;
		if (stacks->words[id] == header &&
		    memcmp(&stacks->words[id + 1], words,
			count * sizeof(*words)) == 0)
			return (id);
	}
	if (probe == PP_PROBES_MAX || !stacks_fit(stacks, count))
		return (PP_STACKS_NONE);
	memcpy(&stacks->words[stacks->used + 1], words, count * sizeof(*words));
	return (stacks_enter(stacks, hash, count, at));
}

const uint64_t *
pp_stacks_get(const struct pp_stacks *stacks, uint32_t id, uint32_t *count)
{
	if (id == PP_STACKS_NONE) {
		*count = 0;
		return (NULL);
	}
	*count = (uint32_t)(stacks->words[id] & COUNT_MASK);
	return (&stacks->words[id + 1]);
}

uint32_t
pp_stacks_hash(const struct pp_stacks *stacks, uint32_t id)
{
	return (id == PP_STACKS_NONE ? 0 : (uint32_t)(stacks->words[id] >> 32));
}

int
pp_stacks_compare(const struct pp_stacks *stacks, uint32_t a, uint32_t b)
{
	uint32_t left, right, i;
	const uint64_t *one = pp_stacks_get(stacks, a, &left);
	const uint64_t *other = pp_stacks_get(stacks, b, &right);

	if (a == b)
		return (0);
	for (i = 0; i < left && i < right; i++) {
		if (one[i] != other[i])
			return (one[i] < other[i] ? -1 : 1);
	}
	return ((left > right) - (left < right));
}

uint32_t
pp_stacks_fill(const struct pp_stacks *stacks)
{
	uint64_t words, entries;

	words = (uint64_t)(stacks->used - 1) * 1000 / stacks->limit;
	entries = (uint64_t)stacks->stacks * 2000 / stacks->index_size;
	return ((uint32_t)(words > entries ? words : entries));
}

void
pp_stacks_mark(struct pp_stacks *stacks, uint32_t id)
{
	if (id != PP_STACKS_NONE)
		stacks->words[id] |= MARK;
}

void
pp_stacks_settle(struct pp_stacks *stacks)
{
	uint32_t id, count, to = 1;

	for (id = 1; id < stacks->used; id += count + 1) {
		count = (uint32_t)(stacks->words[id] & COUNT_MASK);
		if ((stacks->words[id] & MARK) == 0)
			continue;
		stacks->words[id] = (uint64_t)to << 32 | MARK | count;
		to += count + 1;
	}
}

uint32_t
pp_stacks_moved(const struct pp_stacks *stacks, uint32_t id)
{
	return (
	    id == PP_STACKS_NONE ? id : (uint32_t)(stacks->words[id] >> 32));
}

/* Returns a free entry of the index for the hash, or index_size. */
static uint32_t
stacks_vacancy(const struct pp_stacks *stacks, uint64_t hash)
{
	uint32_t probe, at;

	for (probe = 0; probe < PP_PROBES_MAX; probe++) {
		at = ((uint32_t)hash + probe) & (stacks->index_size - 1);
		if (stacks->index[at] == 0)
			return (at);
	}
	return (stacks->index_size);
}

void
pp_stacks_sweep(struct pp_stacks *stacks)
{
	uint32_t id, count, used = stacks->used;
	uint64_t *words = stacks->words;
	uint64_t hash;

	memset(stacks->index, 0, stacks->index_size * sizeof(*stacks->index));
	stacks->used = 1;
	stacks->stacks = 0;
	for (id = 1; id < used; id += count + 1) {
		count = (uint32_t)(words[id] & COUNT_MASK);
		if ((words[id] & MARK) == 0)
			continue;
		/* Stacks only move down, so none is overwritten before it is
		 * read. */
		hash = stack_hash(&words[id + 1], count);
		memmove(&words[stacks->used + 1], &words[id + 1],
		    count * sizeof(*words));
		(void)stacks_enter(stacks, hash, count,
		    stacks_vacancy(stacks, hash));
	}
}
