/*
 * The stacks of all CPU sessions, each once: sequences of words under a small
 * id. Only stores; what a word means is its user's (canonical addresses).
 *
 * Bounded; when full, new stacks are refused, but short ones (up to
 * PP_STACKS_SHORT words) still find room in a reserve, so that a sample whose
 * stack is refused can at least keep its leaf.
 *
 * Rule: ids change only in pp_stacks_sweep().
 */
#ifndef PP_MERGE_STACKS_H
#define PP_MERGE_STACKS_H

#include <stdint.h>

#define PP_STACKS_SHORT 2

/* No stack: the answer when there is no room, and an id that is empty. */
#define PP_STACKS_NONE 0

struct pp_stacks;

/* A store of up to `words` words. The memory is taken as it fills. NULL: out
 * of memory. */
struct pp_stacks *pp_stacks_new(uint32_t words);
void pp_stacks_free(struct pp_stacks *stacks);

/* Id of the sequence of 1..UINT16_MAX words, stored now if it was not yet;
 * or PP_STACKS_NONE. */
uint32_t pp_stacks_intern(struct pp_stacks *stacks, const uint64_t *words,
    uint32_t count);

/* The words of a stack; *count 0 for PP_STACKS_NONE. Valid until _sweep. */
const uint64_t *pp_stacks_get(const struct pp_stacks *stacks, uint32_t id,
    uint32_t *count);

/* Hash of the words; it stays the same when the id changes. */
uint32_t pp_stacks_hash(const struct pp_stacks *stacks, uint32_t id);

/* An order of stacks by their words, not by who came first. */
int pp_stacks_compare(const struct pp_stacks *stacks, uint32_t a, uint32_t b);

/* How full it is, in thousandths: by words or by stacks, whichever is more. */
uint32_t pp_stacks_fill(const struct pp_stacks *stacks);

/*
 * Forget stacks that nobody needs, in three steps: _mark each id that is
 * needed, _settle, then ask _moved for the new id of each one marked, then
 * _sweep, which makes the new ids true. Nothing else may be called between.
 */
void pp_stacks_mark(struct pp_stacks *stacks, uint32_t id);
void pp_stacks_settle(struct pp_stacks *stacks);
uint32_t pp_stacks_moved(const struct pp_stacks *stacks, uint32_t id);
void pp_stacks_sweep(struct pp_stacks *stacks);

#endif
