/*
 * Random numbers for sampling: xorshift64*, 64 bits a step. Not for secrets.
 *
 * Rule: each thread of the caller has a state of its own; async-signal-safe (a
 * handler that interrupts a step may repeat a number).
 */
#ifndef PP_BASE_RANDOM_H
#define PP_BASE_RANDOM_H

#include <stdint.h>

#include "base/clock.h"
#include "base/mix.h"

/* The next number. A state of 0 is seeded from the clock and its own address.
 */
static inline uint64_t
pp_random(uint64_t *state)
{
	uint64_t x = *state;

	if (x == 0)
		x = pp_mix((uint64_t)pp_clock_mono(),
			(uint64_t)(uintptr_t)state) |
		    1;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (x * 0x2545f4914f6cdd1dULL);
}

#endif
