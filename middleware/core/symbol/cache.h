/*
 * Answers that were given before, and their texts. Not a source of names: the
 * cache knows no files, only their numbers.
 *
 * The three numbers below bound the cache. It is never trimmed piece by piece:
 * when there is no room for one more answer, its owner empties it, and it fills
 * again with what is asked for now.
 *
 * Rule: cold, one thread; pointers that the cache has returned are valid until
 * pp_cache_empty().
 */
#ifndef PP_SYMBOL_CACHE_H
#define PP_SYMBOL_CACHE_H

#include <stdint.h>

#include "symbol/symbols.h"

/* The most addresses: a busy service shows some thousand distinct ones, a
 * long-lived one with many profiles some ten thousand. An address takes 16
 * bytes and an index entry. */
#ifndef PP_CACHE_ANSWERS_MAX
#define PP_CACHE_ANSWERS_MAX (1U << 16)
#endif
/* The most frames of all addresses: with inlined calls an address has two to
 * three, of 32 bytes each. */
#ifndef PP_CACHE_FRAMES_MAX
#define PP_CACHE_FRAMES_MAX (3U << 16)
#endif
/* The most bytes of distinct function and file names: those of a service of
 * 100,000 functions, 30 bytes each, do not fit, but the names that occur in
 * profiles do. */
#ifndef PP_CACHE_TEXT_MAX
#define PP_CACHE_TEXT_MAX (4U << 20)
#endif
/* A name longer than this is cut: C++ templates can fill pages. */
#define PP_CACHE_NAME_MAX 4096

struct pp_cache;

struct pp_cache *pp_cache_new(void);
void pp_cache_free(struct pp_cache *c);

/* Forget all answers and texts, and give the memory back. */
void pp_cache_empty(struct pp_cache *c);

/* Whether there is room for the largest possible answer. */
int pp_cache_has_room(const struct pp_cache *c);

/* Return the cache's own copy of `text`, the same pointer for the same text; ""
 * if the cache is full or out of memory. */
const char *pp_cache_text(struct pp_cache *c, const char *text);

/* Copy out the answer for (file, vaddr). Returns its number of frames; 0: there
 * is no answer. */
uint32_t pp_cache_get(const struct pp_cache *c, int file, uint64_t vaddr,
    struct pp_frame out[PP_INLINES_MAX], int *named);

/* Remember an answer whose texts are the cache's own. If there is no room, the
 * answer is not remembered. */
void pp_cache_put(struct pp_cache *c, int file, uint64_t vaddr,
    const struct pp_frame *frame, uint32_t frames, int named);

#endif
