/*
 * A store of stacks, each of them once: sequences of words under a small id.
 * What a word means is the user's business (canonical addresses).
 *
 * The store is bounded. When it is full, new stacks are refused, but short ones
 * (up to PP_STACKS_SHORT words) still find room in a reserve: a sample whose
 * stack is refused can then keep its leaf at least.
 *
 * Rule: ids change only in pp_stacks_sweep(). One thread.
 */
#ifndef PP_MERGE_STACKS_H
#define PP_MERGE_STACKS_H

#include <stdint.h>

#define PP_STACKS_SHORT 2

/* The id of no stack: pp_stacks_intern() returns it if there is no room. */
#define PP_STACKS_NONE 0

struct pp_stacks;

/* Returns a store of up to `words` words, or NULL when out of memory. The
 * kernel gives the memory as the store fills. */
struct pp_stacks *pp_stacks_new(uint32_t words);
void pp_stacks_free(struct pp_stacks *stacks);

/* Returns the id of the sequence of 1..UINT16_MAX words, which is stored if it
 * is new, or PP_STACKS_NONE. */
uint32_t pp_stacks_intern(struct pp_stacks *stacks, const uint64_t *words,
    uint32_t count);

/* Returns the words of a stack; for PP_STACKS_NONE, NULL and *count 0. The
 * pointer is valid until _sweep. */
const uint64_t *pp_stacks_get(const struct pp_stacks *stacks, uint32_t id,
    uint32_t *count);

/* A hash of the words, which stays the same when the id changes. */
uint32_t pp_stacks_hash(const struct pp_stacks *stacks, uint32_t id);

/* Compare two stacks by their words, for an order that does not depend on who
 * came first. */
int pp_stacks_compare(const struct pp_stacks *stacks, uint32_t a, uint32_t b);

/* How full the store is, in thousandths: by words or by stacks, whichever is
 * more. */
uint32_t pp_stacks_fill(const struct pp_stacks *stacks);

/*
 * Forget stacks that nobody needs. The caller calls _mark for each id that is
 * needed, then _settle, then _moved for the new id of each marked stack, then
 * _sweep, which makes the new ids valid. Nothing else may be called in between.
 */
void pp_stacks_mark(struct pp_stacks *stacks, uint32_t id);
void pp_stacks_settle(struct pp_stacks *stacks);
uint32_t pp_stacks_moved(const struct pp_stacks *stacks, uint32_t id);
void pp_stacks_sweep(struct pp_stacks *stacks);

#endif
