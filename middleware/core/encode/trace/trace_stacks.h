/*
 * The stacks that one trace uses, under ids 1..n, and the distinct words of
 * these stacks, which are symbolized later.
 *
 * Rule: bounded; if a stack finds no room, only its ends are kept, and if even
 * these find none, its id is 0.
 */
#ifndef PP_ENCODE_TRACE_TRACE_STACKS_H
#define PP_ENCODE_TRACE_TRACE_STACKS_H

#include <stdint.h>

#include "profile/idmap.h"
#include "trace/event.h"

struct pp_go_stacks {
	struct pp_tracer_stack *stack; /* by id - 1 */
	struct pp_idmap map;	       /* ids by stack */
	uint32_t used;
	uint32_t room;	 /* of `stack` */
	uint32_t *words; /* distinct, ascending; valid after _settle */
	uint32_t words_count;
	uint64_t dropped;
};

/* Return the id of the stack; a new stack gets one. A zeroed struct is
 * empty. */
uint32_t pp_go_stacks_id(struct pp_go_stacks *stacks,
    const struct pp_tracer_stack *stack);

/* Make the list of distinct words. Returns -1 when out of memory. */
int pp_go_stacks_settle(struct pp_go_stacks *stacks);

/* Return the index of `words` in that list; words_count: the list does not have
 * it. */
uint32_t pp_go_stacks_place(const struct pp_go_stacks *stacks, uint32_t words);

void pp_go_stacks_free(struct pp_go_stacks *stacks);

#endif
