/*
 * A hash of 64-bit words. Not a defence: an enemy can choose words that
 * collide, and all that happens is that the table counts as full.
 *
 * Rule: pure, no state, async-signal-safe.
 */
#ifndef PP_BASE_MIX_H
#define PP_BASE_MIX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Adds one word to a hash by a multiplication and a shift, so that the low bits
 * depend on all input bits. The odd constant is 2^64 divided by the golden
 * ratio. */
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

static inline uint64_t
pp_mix_text(const char *text, size_t len)
{
	uint64_t hash = len, word;
	size_t i, n;

	for (i = 0; i < len; i += sizeof(word)) {
		n = len - i < sizeof(word) ? len - i : sizeof(word);
		word = 0;
		memcpy(&word, text + i, n);
		hash = pp_mix(hash, word);
	}
	return (hash);
}

#endif
