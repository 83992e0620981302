/*
 * Where the instructions come from that hook/entry.c has moved: a pc among them
 * means its place in the function that they were taken from. The registers are
 * what they would be there, so that the function's own unwind information is
 * right for it, and its name.
 *
 * Not the jumps themselves: those are entry.c's.
 *
 * Rule: pp_jumps_home() is hot. pp_jumps_add() is for the constructor.
 */
#ifndef PP_CAPTURE_JUMPS_H
#define PP_CAPTURE_JUMPS_H

#include <stddef.h>
#include <stdint.h>

/* Each trampoline has so many bytes, at a multiple of as many. */
#define PP_JUMP_BYTES 64

/*
 * The trampoline begins with `moved` bytes of `target` and a jump back, and
 * ends with a jump for who has not come to them yet, which `far` bytes lie
 * before. Returns -1 when there are too many.
 */
int pp_jumps_add(const void *trampoline, const void *target, size_t moved,
    size_t far);

/* The pc itself, if it is no such one. */
uint64_t pp_jumps_home(uint64_t pc);

#endif
