/*
 * The arena of cpu_fixture.h, and in it what a worker keeps for block, mutex,
 * goroutine, threadcreate and the application's own profiles.
 */
#ifndef COUNTS_FIXTURE_H
#define COUNTS_FIXTURE_H

#include "cpu_fixture.h"
#include "merge/resolve.h"
#include "store/waits.h"

struct counts {
	struct fixture f;
	struct pp_resolver *resolver;
};

static __attribute__((unused)) struct counts
counts_new(void)
{
	struct counts c = { .f = fixture_new() };
	uint32_t slot;

	/* Not a process: nothing here signals anybody. */
	for (slot = 1; slot < 3; slot++)
		c.f.arena->slot[slot].life.pid = 1;
	c.resolver = pp_resolver_new(c.f.arena, 3, c.f.map);
	if (c.resolver == NULL)
		abort();
	return (c);
}

static __attribute__((unused)) void
counts_free(struct counts *c)
{
	pp_resolver_free(c->resolver);
	fixture_free(&c->f);
}

/* A stack as a process that knows `known` objects has it. */
static __attribute__((unused)) uint32_t
counts_stack(struct counts *c, uint32_t slot, uint64_t known,
    const uint64_t *pc, uint32_t pcs)
{
	struct pp_intern_table table =
	    pp_intern_stacks(&c->f.arena->slot[slot].stacks);
	uint64_t word[1 + PP_FRAMES_MAX];

	word[0] = known;
	memcpy(word + 1, pc, pcs * sizeof(*pc));
	return (pp_intern_put(&table, word, pcs + 1));
}

/* The same with two frames in the program, the first `at` bytes into it. */
static __attribute__((unused)) uint32_t
counts_here(struct counts *c, uint32_t slot, uint64_t at)
{
	uint64_t pc[2] = { EXE_START + at, EXE_START + 0x8000 };

	return (counts_stack(c, slot, 2, pc, 2));
}

static __attribute__((unused)) void
counts_add(struct pp_wait_table *table, uint32_t wait, uint32_t label,
    uint32_t stack, uint64_t first, uint64_t second)
{
	struct pp_counters counters = pp_counters_waits(table);
	struct pp_counter *counter;

	counter = pp_counters_at(&counters,
	    pp_wait_pack((enum pp_wait)wait, label, stack));
	if (counter == NULL)
		abort();
	counter->value[0] += first;
	counter->value[1] += second;
}

/* The sample's label: its text, or its number as text, or "". */
static __attribute__((unused)) const char *
counts_label(const struct pp_profile *p, uint32_t sample, const char *key)
{
	const struct pp_sample *s = &p->sample[sample];
	static char number[2][24];
	static int turn;
	uint32_t i;

	for (i = 0; i < s->labels; i++) {
		if (strcmp(p->label[s->first_label + i].key, key) != 0)
			continue;
		if (p->label[s->first_label + i].text != NULL)
			return (p->label[s->first_label + i].text);
		turn = !turn;
		snprintf(number[turn], sizeof(number[turn]), "%lld",
		    (long long)p->label[s->first_label + i].number);
		return (number[turn]);
	}
	return ("");
}

/* Number in the comment "key=number"; fails without one. */
static __attribute__((unused)) long long
counts_comment(const struct pp_profile *p, const char *key)
{
	size_t len = strlen(key);
	uint32_t i;

	for (i = 0; i < p->comments; i++) {
		if (strncmp(p->comment[i], key, len) == 0 &&
		    p->comment[i][len] == '=')
			return (atoll(p->comment[i] + len + 1));
	}
	fprintf(stderr, "no comment %s\n", key);
	abort();
}

static __attribute__((unused)) uint64_t
counts_leaf(const struct pp_profile *p, uint32_t sample)
{
	return (p->location[p->stack[p->sample[sample].first_location] - 1]
		    .address);
}

#endif
