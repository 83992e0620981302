/*
 * See trace_stacks.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/limits.h"
#include "base/mix.h"
#include "encode/trace/trace_stacks.h"

static int
stack_same(const void *owner, uint32_t id, const void *key)
{
	const struct pp_go_stacks *stacks = owner;
	const struct pp_tracer_stack *a = &stacks->stack[id - 1], *b = key;

	return (
	    a->words == b->words && a->entry == b->entry && a->leaf == b->leaf);
}

static int
stacks_grow(struct pp_go_stacks *stacks)
{
	uint32_t room = stacks->room == 0 ? 256 : 2 * stacks->room;
	struct pp_tracer_stack *stack;

	if (room > PP_TRACE_STACKS_MAX ||
	    !pp_budget_keeps(
		room * (sizeof(*stack) + 2 * sizeof(*stacks->map.slot))))
		return (-1);
	stack = reallocarray(stacks->stack, room, sizeof(*stack));
	if (stack == NULL)
		return (-1);
	stacks->stack = stack;
	stacks->room = room;
	return (0);
}

static uint32_t
stacks_find(struct pp_go_stacks *stacks, const struct pp_tracer_stack *stack)
{
	uint64_t hash =
	    pp_mix(stack->words, (uint64_t)stack->leaf << 32 | stack->entry);
	uint32_t id;

	if (stacks->used == stacks->room && stacks_grow(stacks) == -1)
		return (0);
	id = pp_idmap_find(&stacks->map, hash, stack_same, stacks, stack);
	if (id != 0)
		return (id);
	if (pp_idmap_add(&stacks->map, hash, stacks->used + 1) == -1)
		return (0);
	stacks->stack[stacks->used++] = *stack;
	return (stacks->used);
}

uint32_t
pp_go_stacks_id(struct pp_go_stacks *stacks,
    const struct pp_tracer_stack *stack)
{
	struct pp_tracer_stack ends = *stack;
	uint32_t id;

	/* The last quarter of the room is for stacks without words. */
	if (stack->words == 0 || stacks->used < PP_TRACE_STACKS_MAX / 4 * 3) {
		id = stacks_find(stacks, stack);
		if (id != 0)
			return (id);
	}
	stacks->dropped++;
	ends.words = 0;
	return (stacks_find(stacks, &ends));
}

static int
words_compare(const void *one, const void *two)
{
	uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)two;

	return ((a > b) - (a < b));
}

int
pp_go_stacks_settle(struct pp_go_stacks *stacks)
{
	uint32_t i, count = 0;

	free(stacks->words);
	stacks->words_count = 0;
	stacks->words = calloc((size_t)stacks->used + 1, sizeof(uint32_t));
	if (stacks->words == NULL)
		return (-1);
	for (i = 0; i < stacks->used; i++) {
		if (stacks->stack[i].words != 0)
			stacks->words[count++] = stacks->stack[i].words;
	}
	qsort(stacks->words, count, sizeof(uint32_t), words_compare);
	for (i = 0; i < count; i++) {
		if (i == 0 || stacks->words[i] != stacks->words[i - 1])
			stacks->words[stacks->words_count++] = stacks->words[i];
	}
	return (0);
}

uint32_t
pp_go_stacks_place(const struct pp_go_stacks *stacks, uint32_t words)
{
	const uint32_t *found = NULL;

	if (stacks->words_count > 0)
		found = bsearch(&words, stacks->words, stacks->words_count,
		    sizeof(uint32_t), words_compare);
	return (found == NULL ? stacks->words_count
			      : (uint32_t)(found - stacks->words));
}

void
pp_go_stacks_free(struct pp_go_stacks *stacks)
{
	free(stacks->stack);
	pp_idmap_free(&stacks->map);
	free(stacks->words);
	memset(stacks, 0, sizeof(*stacks));
}
