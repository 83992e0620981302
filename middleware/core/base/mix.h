/*
 * Hashing of words. Not for anything an enemy may choose to our harm: a
 * flooded table is full, and full is counted.
 *
 * Rule: pure, no state, async-signal-safe.
 */
#ifndef PP_BASE_MIX_H
#define PP_BASE_MIX_H

#include <stdint.h>

/* One multiply and two shifts: every input bit reaches every output bit.
 * The odd constant is 2^64 divided by the golden ratio. */
static inline uint64_t
pp_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	hash ^= hash >> 32;
	return (hash);
}

static inline uint64_t
pp_mix_words(const uint64_t *words, uint32_t count, uint64_t seed)
{
	uint64_t hash = seed;
	uint32_t i;

	for (i = 0; i < count; i++)
		hash = pp_mix(hash, words[i]);
	return (hash ^ hash >> 29);
}

#endif
