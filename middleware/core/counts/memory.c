/*
 * Questions to the workers and their answers; see memory.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counts/memory.h"
#include "merge/wake.h"

/* A worker may claim so much at most: the sums stay within 64 bits. */
#define BYTES_MAX (1ULL << 60)

struct proc {
	int fd; /* -1: none */
	int32_t pid;
};

struct pp_memory {
	struct pp_arena *arena;
	uint32_t slots;
	int32_t parent_pid;
	uint32_t trims;	    /* questions with trim that have not ended */
	struct proc proc[]; /* by slot */
};

struct pp_memory *
pp_memory_new(struct pp_arena *arena, uint32_t slots)
{
	struct pp_memory *memory;
	uint32_t slot;

	memory = calloc(1, sizeof(*memory) + slots * sizeof(*memory->proc));
	if (memory == NULL)
		return (NULL);
	memory->arena = arena;
	memory->slots = slots;
	memory->parent_pid = arena->parent_pid;
	for (slot = 0; slot < slots; slot++)
		memory->proc[slot].fd = -1;
	/* An earlier collector may have left a value there. */
	atomic_store(&arena->control.ask_trim, 0);
	return (memory);
}

void
pp_memory_free(struct pp_memory *memory)
{
	uint32_t slot;

	if (memory == NULL)
		return;
	for (slot = 0; slot < memory->slots; slot++) {
		if (memory->proc[slot].fd != -1)
			(void)close(memory->proc[slot].fd);
	}
	free(memory);
}

void
pp_memory_take_proc(struct pp_memory *memory, uint32_t worker, int32_t pid,
    int fd)
{
	struct proc *proc;

	if (worker == 0 || worker >= memory->slots) {
		(void)close(fd);
		return;
	}
	proc = &memory->proc[worker];
	if (proc->fd != -1)
		(void)close(proc->fd);
	proc->fd = fd;
	proc->pid = pid;
}

uint32_t
pp_memory_ask(struct pp_memory *memory, int trim)
{
	struct pp_control *control = &memory->arena->control;
	uint32_t question;

	if (trim && memory->trims++ == 0)
		atomic_store(&control->ask_trim, 1);
	question = atomic_fetch_add(&control->ask, 1) + 1;
	pp_wake_all(memory->arena, memory->slots, memory->parent_pid);
	return (question);
}

void
pp_memory_end(struct pp_memory *memory, int trim)
{
	if (trim && --memory->trims == 0)
		atomic_store(&memory->arena->control.ask_trim, 0);
}

/* Whether the slot has answered the question or a later one. The numbers wrap
 * after 2^32 questions. */
static int
memory_has(const struct pp_slot *slot, uint32_t question)
{
	uint32_t answered = atomic_load(&slot->memory.answered);

	return ((int32_t)(answered - question) >= 0);
}

/* Whether a process lives in the slot that has not answered. */
static int
memory_waits(const struct pp_memory *memory, uint32_t slot, uint32_t question)
{
	const struct pp_slot *from = &memory->arena->slot[slot];

	return (
	    atomic_load(&from->life.pid) > 0 && !memory_has(from, question));
}

void
pp_memory_remind(struct pp_memory *memory, uint32_t question)
{
	uint32_t slot;

	for (slot = 1; slot < memory->slots; slot++) {
		if (memory_waits(memory, slot, question))
			pp_wake_slot(memory->arena, slot, memory->parent_pid);
	}
}

int
pp_memory_answered(const struct pp_memory *memory, uint32_t question)
{
	uint32_t slot;

	for (slot = 1; slot < memory->slots; slot++) {
		if (memory_waits(memory, slot, question))
			return (0);
	}
	return (1);
}

static void
facts_bound(uint64_t *bytes)
{
	if (*bytes > BYTES_MAX)
		*bytes = BYTES_MAX;
}

static void
pool_check(struct pp_pool_facts *pool)
{
	char *c;

	pool->name[sizeof(pool->name) - 1] = '\0';
	for (c = pool->name; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~' || *c == '=')
			*c = '_';
	}
	facts_bound(&pool->element);
	if (pool->element != 0 && pool->total > BYTES_MAX / pool->element)
		pool->total = BYTES_MAX / pool->element;
	facts_bound(&pool->total);
	if (pool->used > pool->total)
		pool->used = pool->total;
}

static void
facts_check(struct pp_memory_facts *facts)
{
	uint32_t i;

	facts_bound(&facts->malloc_arena);
	facts_bound(&facts->malloc_mapped);
	facts_bound(&facts->malloc_used);
	facts_bound(&facts->malloc_free);
	facts_bound(&facts->stacks);
	if (facts->pools > PP_POOLS_MAX)
		facts->pools = PP_POOLS_MAX;
	for (i = 0; i < facts->pools; i++)
		pool_check(&facts->pool[i]);
}

void
pp_memory_read(const struct pp_memory *memory, uint32_t slot, uint32_t question,
    struct pp_memory_worker *out)
{
	const struct pp_slot *from = &memory->arena->slot[slot];
	const struct proc *proc = &memory->proc[slot];

	memset(out, 0, sizeof(*out));
	out->worker = slot;
	out->pid = atomic_load(&from->life.pid);
	if (out->pid <= 0) {
		out->pid = 0;
		return;
	}
	out->answered = memory_has(from, question);
	if (out->answered) {
		memcpy(&out->facts, &from->memory, sizeof(out->facts));
		facts_check(&out->facts);
	}
	/* A descriptor of an earlier process of the slot would give nothing. */
	if (proc->fd != -1 && proc->pid == out->pid)
		out->has_kernel = pp_proc_read(proc->fd, &out->kernel) == 0;
}

uint64_t
pp_memory_resident(const struct pp_memory *memory)
{
	struct pp_memory_worker worker;
	uint64_t bytes = 0;
	uint32_t slot;

	for (slot = 1; slot < memory->slots; slot++) {
		pp_memory_read(memory, slot, 0, &worker);
		if (worker.has_kernel)
			bytes += worker.kernel.rss;
	}
	return (bytes);
}
