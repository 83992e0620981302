/*
 * The arena of cpu_fixture.h with heap samples in it, put there as a worker
 * puts them. For the tests of counts/heap*.c and of what shows them.
 */
#ifndef HEAP_COUNTERS_FIXTURE_H
#define HEAP_COUNTERS_FIXTURE_H

#include "counts/heap_private.h"
#include "cpu_fixture.h"
#include "store/counters.h"

#define RATE 524288

struct heap {
	struct fixture f;
	struct pp_heap_reader *reader;
};

static __attribute__((unused)) struct heap
heap_new(void)
{
	struct heap h = { .f = fixture_new() };
	uint32_t slot;

	/* Not a process: nothing here signals anybody. */
	for (slot = 1; slot < 3; slot++)
		h.f.arena->slot[slot].life.pid = 1;
	h.f.arena->control.heap_rate = RATE;
	h.reader = pp_heap_reader_new(h.f.arena, 3, h.f.map);
	if (h.reader == NULL)
		abort();
	return (h);
}

static __attribute__((unused)) void
heap_free(struct heap *h)
{
	pp_heap_reader_free(h->reader);
	fixture_free(&h->f);
}

/* A stack as a worker that knows `known` objects has it. */
static __attribute__((unused)) uint32_t
heap_stack(struct heap *h, uint32_t slot, uint64_t known, const uint64_t *pc,
    uint32_t pcs)
{
	struct pp_intern_table table =
	    pp_intern_stacks(&h->f.arena->slot[slot].stacks);
	uint64_t word[1 + PP_FRAMES_MAX];

	word[0] = known;
	memcpy(word + 1, pc, pcs * sizeof(*pc));
	return (pp_intern_put(&table, word, pcs + 1));
}

/* The same with two frames in the program, the first `at` bytes into it. */
static __attribute__((unused)) uint32_t
heap_here(struct heap *h, uint32_t slot, uint64_t at)
{
	uint64_t pc[2] = { EXE_START + at, EXE_START + 0x8000 };

	return (heap_stack(h, slot, 2, pc, 2));
}

static __attribute__((unused)) struct pp_counter *
heap_counter(struct heap *h, uint32_t slot, uint32_t stack, uint32_t label,
    uint64_t size, uint64_t rate)
{
	struct pp_heap_table *table = &h->f.arena->slot[slot].heap;
	struct pp_counters counters = pp_counters_heap(table);
	struct pp_heap_key key = { .stack = stack, .label = label };
	struct pp_counter *counter;

	key.size_class = pp_heap_class(size);
	while (table->rate[key.rate] != 0 && table->rate[key.rate] != rate)
		key.rate++;
	table->rate[key.rate] = rate;
	if ((counter = pp_counters_at(&counters, pp_heap_pack(key))) == NULL)
		abort();
	return (counter);
}

/* `allocs` samples of `size` bytes, of which `frees` have ended. */
static __attribute__((unused)) void
heap_put(struct heap *h, uint32_t slot, uint32_t stack, uint32_t label,
    uint64_t size, uint64_t rate, uint64_t allocs, uint64_t frees)
{
	struct pp_counter *counter =
	    heap_counter(h, slot, stack, label, size, rate);

	counter->value[PP_HEAP_ALLOCS] += allocs;
	counter->value[PP_HEAP_ALLOC_BYTES] += allocs * size;
	counter->value[PP_HEAP_FREES] += frees;
	counter->value[PP_HEAP_FREE_BYTES] += frees * size;
}

static __attribute__((unused)) struct pp_profile *
heap_take(struct heap *h)
{
	struct pp_heap_view view = { .default_type = "inuse_space" };
	struct pp_profile *p = pp_heap_reader_profile(h->reader, &view);

	if (p == NULL)
		abort();
	return (p);
}

/* Number of the label of the sample, or 0. */
static __attribute__((unused)) int64_t
sample_number(const struct pp_profile *p, uint32_t sample, const char *key)
{
	const struct pp_sample *s = &p->sample[sample];
	uint32_t i;

	for (i = 0; i < s->labels; i++) {
		if (strcmp(p->label[s->first_label + i].key, key) == 0)
			return (p->label[s->first_label + i].number);
	}
	return (0);
}

#endif
