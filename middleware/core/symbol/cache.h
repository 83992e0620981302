/*
 * Answers that were given before, and the texts in them. Not a source of
 * names: it knows no files, only their numbers.
 *
 * Bounded by the three numbers below. It is never trimmed piece by piece:
 * when it has no room for one more answer its owner empties it and it fills
 * again with what is asked for now.
 *
 * Rule: pointers given out are valid until pp_cache_empty().
 */
#ifndef PP_SYMBOL_CACHE_H
#define PP_SYMBOL_CACHE_H

#include <stdint.h>

#include "symbol/symbols.h"

/* Addresses: a busy service shows some thousand distinct ones, a long-lived
 * one with many profiles some ten thousand. 16 bytes and an index each. */
#ifndef PP_CACHE_ANSWERS_MAX
#define PP_CACHE_ANSWERS_MAX (1U << 16)
#endif
/* Frames of them: with inlined calls two to three an address, 32 bytes. */
#ifndef PP_CACHE_FRAMES_MAX
#define PP_CACHE_FRAMES_MAX (3U << 16)
#endif
/* Distinct function and file names: a service of 100,000 functions of 30
 * bytes would not fit, but the ones that show up in profiles do. */
#ifndef PP_CACHE_TEXT_MAX
#define PP_CACHE_TEXT_MAX (4U << 20)
#endif
/* A name longer than this is cut: C++ templates can fill pages. */
#define PP_CACHE_NAME_MAX 4096

struct pp_cache;

struct pp_cache *pp_cache_new(void);
void pp_cache_free(struct pp_cache *c);

/* Forget everything and give the memory back. */
void pp_cache_empty(struct pp_cache *c);

/* Whether the largest possible answer still fits. */
int pp_cache_has_room(const struct pp_cache *c);

/* The cache's own copy of `text`, the same pointer for the same text; ""
 * when out of memory or full. */
const char *pp_cache_text(struct pp_cache *c, const char *text);

/* The answer for (file, vaddr): its number of frames, 0 when not known. */
uint32_t pp_cache_get(const struct pp_cache *c, int file, uint64_t vaddr,
    struct pp_frame out[PP_INLINES_MAX], int *named);

/* Remember an answer whose texts are the cache's own. Best effort. */
void pp_cache_put(struct pp_cache *c, int file, uint64_t vaddr,
    const struct pp_frame *frame, uint32_t frames, int named);

#endif
