/*
 * This builds the parts that every profile has, whatever was sampled: canonical
 * addresses become locations and mappings, label sets become labels.
 *
 * The samples, their values and their order are not made here, but by each kind
 * of profile (cpu/cpu_profile.c, counts/heap.c ...). Names are not made here
 * either: the service gives locations their lines.
 *
 * Rule: a word of a stack always becomes the same address.
 */
#ifndef PP_MERGE_BUILD_H
#define PP_MERGE_BUILD_H

#include <stdint.h>

#include "merge/address_map.h"
#include "merge/labels.h"
#include "merge/maps.h"
#include "profile/profile.h"

/* A word of a stack that stands for frames that could not be kept. */
#define PP_BUILD_FRAMES_LOST (PP_MAPS_UNKNOWN | PP_BUILD_LOST_PC)
#define PP_BUILD_LOST_PC     ((1ULL << 63) - 1)

/* A word that stands for the CPU time of a thread that no sample shows. */
#define PP_BUILD_NOT_SAMPLED	(PP_MAPS_UNKNOWN | PP_BUILD_NOT_SAMPLED_PC)
#define PP_BUILD_NOT_SAMPLED_PC ((1ULL << 63) - 2)

/* Addresses that no file's mapping has (address_map.c ends at 2^56): for a pc
 * without object that would lie in another file's mapping, for a sample without
 * a stack, and for CPU time without a sample. */
#define PP_BUILD_OUTSIDE   (1ULL << 60)
#define PP_BUILD_NO_STACK  (1ULL << 61)
#define PP_BUILD_NO_SAMPLE (1ULL << 62)

/* How many hashes the cache of locations has, with two words each. A service's
 * code has a few thousand distinct words. A word that falls out is looked up
 * again. Power of two. */
#define PP_BUILD_CACHE 8192U

/* How many label sets are remembered, so that a set is written once and copied
 * after that. Power of two. */
#define PP_BUILD_LABELS 512U

struct pp_build {
	struct pp_profile *p;
	struct pp_address_map *map;
	uint32_t mapping[PP_MAPPINGS_MAX]; /* ids, by number in the map */
	struct pp_build_known {
		uint64_t word;
		uint32_t location; /* 0: free */
	} cache[PP_BUILD_CACHE][2];
	struct {
		uint32_t number; /* of the set; 0: free */
		uint32_t first, count;
	} written[PP_BUILD_LABELS];
};

/* Returns a builder with an empty profile in `p`, or NULL when out of memory.
 * The address map must outlive the builder. */
struct pp_build *pp_build_new(struct pp_address_map *map);

/* Free `build` (NULL is allowed). Returns its profile, which the caller owns
 * now, or NULL if the profile is not whole. */
struct pp_profile *pp_build_done(struct pp_build *build);

/* Readers take the first mapping for the program's: this makes it of the first
 * object of the first process that has any. Called before any stack is added.
 */
void pp_build_main(struct pp_build *build, const struct pp_arena *arena,
    uint32_t slots);

/* Add the stack of the sample that was begun last: words of
 * pp_maps_address(), PP_BUILD_FRAMES_LOST or PP_BUILD_NOT_SAMPLED. If
 * `count` is 0, the stack is one frame that says "[no stack]". */
void pp_build_stack(struct pp_build *build, const uint64_t *word,
    uint32_t count);

/* Add the texts of a label set to the sample that was begun last. Keys in
 * `numeric` (ended by NULL, the same for all samples of a profile) are left
 * out: a key is text or a number, never both. */
void pp_build_labels(struct pp_build *build, const struct pp_labels *labels,
    uint32_t number, const char *const *numeric);

/* Add the loss counters as comments: each that is not 0, and those of 0 whose
 * key begins with `prefix`. If `prefix` is NULL, those of 0 are shown that are
 * about CPU samples. */
void pp_build_losses(struct pp_build *build, const uint64_t *loss,
    const char *prefix);

/* The sum of a loss counter over all slots, since the service started. */
uint64_t pp_build_loss(const struct pp_arena *arena, uint32_t slots,
    uint32_t what);

#endif
