/*
 * Where the instructions come from that hook/entry.c has moved into
 * trampolines. A pc in a trampoline stands for a place in the function from
 * which the instructions were taken. The registers have the values that they
 * would have at that place, so the unwind information and the name of that
 * function are right.
 *
 * Not the jumps themselves, which entry.c writes.
 *
 * Rule: pp_jumps_home() is hot. The constructor calls pp_jumps_add().
 */
#ifndef PP_CAPTURE_JUMPS_H
#define PP_CAPTURE_JUMPS_H

#include <stddef.h>
#include <stdint.h>

/* A trampoline has so many bytes, and begins at a multiple of them. */
#define PP_JUMP_BYTES 64

/*
 * The trampoline begins with `moved` bytes of `target` and a jump back into
 * `target`. At byte `far` the jump to the replacement begins: a thread there
 * has not run the moved bytes yet. Returns -1: there are too many pages.
 */
int pp_jumps_add(const void *trampoline, const void *target, size_t moved,
    size_t far);

/* Returns the place in the function for which `pc` stands; `pc` itself if it is
 * in no trampoline. */
uint64_t pp_jumps_home(uint64_t pc);

#endif
