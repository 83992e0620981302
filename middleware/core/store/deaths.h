/*
 * What a process leaves in its slot when it dies: that it did, and of one that
 * a signal has ended its requests in progress, since the next process clears
 * the table. Not its CPU samples, which are in the ring.
 *
 * Rule: one writer, the parent. A death is counted after its words are there,
 * so whoever sees the count finds them, or later ones in their place.
 */
#ifndef PP_STORE_DEATHS_H
#define PP_STORE_DEATHS_H

#include "store/arena.h"

/* The slot's process has died with this status of waitpid(), as death `number`
 * of the slot, 1.. by the caller's own count. `words` 0: by itself, which leaves
 * none. */
void pp_deaths_put(struct pp_slot *slot, uint32_t number, int32_t pid,
    int32_t status, int words);

/* The words of a death that is counted already. Returns 0, or -1: it has left
 * none, or others have been written over them. */
int pp_deaths_read(const struct pp_slot *slot, uint32_t number,
    struct pp_last_words *out);

#endif
