/*
 * What stays in a slot when its process dies: the number of deaths and, if a
 * signal ended the process, a crash record with its requests in flight, because
 * the next process clears their table. Not the CPU samples, which are in the
 * ring.
 *
 * Rule: one writer, the parent. It sets `number` of the entry to 0, then a
 * release fence, then writes the record; the release store of `number`, and
 * after that of life.deaths, pair with a reader's acquire loads. A reader looks
 * at `number` again after its copy, behind an acquire fence. A reader that sees
 * the count therefore finds that record, or learns that a later one is in its
 * place. A number would come again after 2^32 deaths of one slot.
 */
#ifndef PP_STORE_DEATHS_H
#define PP_STORE_DEATHS_H

#include "store/arena.h"

/* The slot's process `pid` has died; `status` is waitpid()'s. `number` is the
 * death's number in the slot, 1.., by the caller's own count. `words` 0: the
 * process ended by itself, and no crash record is made. */
void pp_deaths_put(struct pp_slot *slot, uint32_t number, int32_t pid,
    int32_t status, int words);

/* Copy the crash record of death `number`, which is counted already. Returns 0,
 * or -1: there was none, or a later one is in its place. The texts are not
 * checked. Any process. */
int pp_deaths_read(const struct pp_slot *slot, uint32_t number,
    struct pp_crash_record *out);

#endif
