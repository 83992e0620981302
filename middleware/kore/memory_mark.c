/*
 * Kore tells when a sampled block is freed, so that the others need not be
 * looked at: what a service frees it then frees at no cost.
 *
 * Behind each block Kore keeps flags and a magic number, and kore_free() reads
 * both. Where a flag says that the application has named the block it calls
 * kore_mem_untag(). Sampled blocks get that flag, and kore_mem_untag() is
 * followed by its entry instead of kore_free().
 *
 * Not what Kore promises but what 4.1 and 4.2 do: tried out before the first
 * worker, and where it is not so, kore_free() stays followed.
 *
 * Rule: a name is Kore's to forget; only for blocks that have one is Kore's
 * own kore_mem_untag() called, since its list is the event loop's.
 */
#include <kore/kore.h>

#include <dlfcn.h>

#include "capture/heap.h"
#include "hook/entry.h"
#include "kore/adapter.h"

/* What lies before and behind a block. */
struct head {
	size_t len;
	size_t magic;
} __attribute__((packed));
struct tail {
	uint16_t flags;
	uint16_t magic;
} __attribute__((packed));

#define MAGIC	   0xd0d0
#define FLAG_NAMED 0x0001 /* Kore's: kore_free() calls kore_mem_untag() */
/* These Kore leaves alone. */
#define FLAG_OURS   0x8000 /* a sample: FLAG_NAMED was set here */
#define FLAG_TAGGED 0x4000 /* the application has named it */

#define TRIAL_SIZE  24
#define TRIAL_TAG   0x7070726f /* any number that nobody else takes */

static void (*real_tag)(void *, uint32_t);
static void (*real_untag)(void *);

/* Set in the parent, before the first worker. */
static int marking;

/* From where kore_free() and kore_realloc() call kore_mem_untag(): an
 * application that calls it does not free the block. */
static const void *freed_from[2];

static struct {
	const void *from; /* who called, or NULL */
	const void *block;
} trial;

static struct tail *
mark_tail(void *block)
{
	const struct head *head = (const struct head *)block - 1;

	return ((struct tail *)(void *)((char *)block + head->len));
}

void
pp_memory_mark(void *block)
{
	if (marking && block != NULL)
		mark_tail(block)->flags |= FLAG_NAMED | FLAG_OURS;
}

int
pp_memory_marking(void)
{
	return (marking);
}

static void
mark_tag(void *block, uint32_t id)
{
	real_tag(block, id); /* ends the process if it is no block */
	mark_tail(block)->flags |= FLAG_TAGGED;
}

static void
mark_untag(void *block)
{
	const void *from = __builtin_return_address(0);

	if (!marking) {
		trial.from = from;
		trial.block = block;
	} else if (from == freed_from[0] || from == freed_from[1]) {
		pp_heap_free(block);
		if ((mark_tail(block)->flags & (FLAG_OURS | FLAG_TAGGED)) ==
		    FLAG_OURS)
			return;
	}
	real_untag(block);
}

/* A block as they are expected, with the flag of one that has a name. */
static void *
trial_block(void)
{
	const struct head *head;
	struct tail *tail;
	void *block;

	block = kore_malloc(TRIAL_SIZE);
	head = (const struct head *)block - 1;
	tail = mark_tail(block);
	if (head->len == TRIAL_SIZE && head->magic == MAGIC &&
	    tail->magic == MAGIC && tail->flags == 0) {
		tail->flags = FLAG_NAMED | FLAG_OURS;
		trial.from = NULL;
		return (block);
	}
	kore_free(block);
	return (NULL);
}

/* 1: Kore told that a marked block was freed. */
static int
trial_frees(void)
{
	void *block = trial_block(), *larger;

	if (block == NULL)
		return (0);
	kore_free(block);
	freed_from[0] = trial.from;
	if (trial.from == NULL || trial.block != block)
		return (0);

	block = trial_block();
	larger = kore_realloc(block, 2 * TRIAL_SIZE);
	freed_from[1] = trial.from;
	if (trial.from == NULL || trial.block != block)
		return (0);

	trial.from = NULL;
	kore_free(larger);
	return (trial.from == NULL);
}

/* 1: a name is seen when it is given, and forgotten by Kore with the block. */
static int
trial_names(void)
{
	uint32_t id = TRIAL_TAG;
	void *block;
	int seen;

	while (kore_mem_lookup(id) != NULL)
		id++;
	block = kore_malloc_tagged(TRIAL_SIZE, id);
	seen = (mark_tail(block)->flags & FLAG_TAGGED) != 0;
	kore_free(block);
	return (seen && kore_mem_lookup(id) == NULL);
}

void
pp_memory_mark_try(void)
{
	static const struct pp_got_hook hooks[] = {
		{ "kore_mem_tag", (void *)mark_tag, (void **)&real_tag,
		    PP_GOT_LIBRARIES },
		{ "kore_mem_untag", (void *)mark_untag, (void **)&real_untag,
		    PP_GOT_LIBRARIES },
	};
	static const size_t count = sizeof(hooks) / sizeof(hooks[0]);
	const char *why;

	if ((pp_kore.entry_refused & PP_ENTRIES_MEMORY) != 0 ||
	    pp_entries_patch(hooks, count, &why) == -1)
		return;
	if (!trial_frees() || !trial_names()) {
		pp_entries_restore(hooks, count);
		return;
	}
	marking = 1;
	pp_entry_restore(dlsym(RTLD_DEFAULT, "kore_free"),
	    (void *)pp_memory_real_free);
}
