/*
 * Making a worker, or one thread of it, look at the control words, by SIGPROF.
 *
 * Rule: the pid comes from the arena, where every worker can write it: never
 * init, a process group, the parent or ourselves.
 */
#ifndef PP_MERGE_WAKE_H
#define PP_MERGE_WAKE_H

#include "base/ask.h"
#include "store/arena.h"

/* `parent` is the parent's pid as it was when the arena was attached. A
 * worker that has just died is no error; its successor looks by itself. */
void pp_wake_slot(const struct pp_arena *arena, uint32_t slot, int32_t parent);

/* That thread only, and only for control.dump_one. */
void pp_wake_thread(const struct pp_arena *arena, uint32_t slot, int32_t parent,
    int32_t tid);

/* All slots of workers. */
void pp_wake_all(const struct pp_arena *arena, uint32_t slots, int32_t parent);

#endif
