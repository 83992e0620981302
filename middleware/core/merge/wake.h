/*
 * These functions make a worker, or one of its threads, look at the control
 * words, by SIGPROF.
 *
 * Rule: the pid comes from the arena, where every worker can write it. So init,
 * process groups, the parent and the collector itself are never signalled.
 */
#ifndef PP_MERGE_WAKE_H
#define PP_MERGE_WAKE_H

#include "base/ask.h"
#include "store/arena.h"

/* Signal the worker of the slot. `parent` is the parent's pid as it was when
 * the arena was attached. If the worker has just died, that is no error: its
 * successor looks by itself. */
void pp_wake_slot(const struct pp_arena *arena, uint32_t slot, int32_t parent);

/* Signal the thread `tid` only, for control.dump_one; 0: the worker. */
void pp_wake_thread(const struct pp_arena *arena, uint32_t slot, int32_t parent,
    int32_t tid);

/* Signal the workers of all slots. */
void pp_wake_all(const struct pp_arena *arena, uint32_t slots, int32_t parent);

#endif
