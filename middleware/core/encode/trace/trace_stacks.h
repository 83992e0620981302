/*
 * The stacks that one trace uses, under ids 1..n; and of them the distinct
 * words, which are to be symbolized.
 *
 * Rule: bounded; a stack that finds no room is known by its ends alone, and
 * if even these find none it is 0.
 */
#ifndef PP_ENCODE_TRACE_TRACE_STACKS_H
#define PP_ENCODE_TRACE_TRACE_STACKS_H

#include <stdint.h>

#include "trace/event.h"

struct pp_trace_stacks {
	struct pp_tracer_stack *stack; /* by id - 1 */
	uint32_t *index;	       /* ids by hash */
	uint32_t used;
	uint32_t room;	 /* of `stack`; the index is twice as large */
	uint32_t *words; /* distinct, in ascending order; after _settle */
	uint32_t words_count;
	uint64_t dropped;
};

/* Id of the stack; given now if it has none. A zeroed struct is empty. */
uint32_t pp_trace_stacks_id(struct pp_trace_stacks *stacks,
    const struct pp_tracer_stack *stack);

/* Make the list of distinct words. Returns -1 when out of memory. */
int pp_trace_stacks_settle(struct pp_trace_stacks *stacks);

/* Place of the words in that list; words_count: they are not there. */
uint32_t pp_trace_stacks_place(const struct pp_trace_stacks *stacks,
    uint32_t words);

void pp_trace_stacks_free(struct pp_trace_stacks *stacks);

#endif
