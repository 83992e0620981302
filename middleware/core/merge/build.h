/*
 * What every profile is built from, whatever was sampled: canonical addresses
 * become locations and mappings, label sets become labels.
 *
 * Not the samples, their values or their order: those are cpu_profile.c's and
 * heap_profile.c's. No names either; the service gives locations their lines.
 *
 * Rule: a word of a stack always becomes the same address.
 */
#ifndef PP_MERGE_BUILD_H
#define PP_MERGE_BUILD_H

#include <stdint.h>

#include "merge/canon.h"
#include "merge/labels.h"
#include "merge/readings.h"
#include "profile/profile.h"

/* Word of a stack: stands for the frames that could not be kept. */
#define PP_BUILD_FRAMES_LOST (PP_READING_UNKNOWN | PP_BUILD_LOST_PC)
#define PP_BUILD_LOST_PC     ((1ULL << 63) - 1)

/* Likewise: CPU time of a thread that no sample shows. */
#define PP_BUILD_NOT_SAMPLED	(PP_READING_UNKNOWN | PP_BUILD_NOT_SAMPLED_PC)
#define PP_BUILD_NOT_SAMPLED_PC ((1ULL << 63) - 2)

/* Addresses that are no place's (canon.c ends at 2^56): a pc without object
 * that would lie in some other file's place, and what has no stack. */
#define PP_BUILD_OUTSIDE   (1ULL << 60)
#define PP_BUILD_NO_STACK  (1ULL << 61)
#define PP_BUILD_NO_SAMPLE (1ULL << 62)

/* Words whose location is remembered, two of each hash. A service's code has a
 * few thousand distinct ones; what falls out is looked up again. Power of
 * two. */
#define PP_BUILD_CACHE 8192U

/* Label sets that are written once and copied after that. Power of two. */
#define PP_BUILD_LABELS 512U

struct pp_build {
	struct pp_profile *p;
	struct pp_canon *canon;
	uint32_t mapping[PP_PLACES_MAX]; /* ids by number of place */
	struct pp_build_known {
		uint64_t word;
		uint32_t location; /* 0: free */
	} cache[PP_BUILD_CACHE][2];
	struct {
		uint32_t number; /* of the set; 0: free */
		uint32_t first, count;
	} written[PP_BUILD_LABELS];
};

/* With an empty profile in `p`; NULL: out of memory. */
struct pp_build *pp_build_new(struct pp_canon *canon);

/* The profile, which is the caller's now, or NULL when it is not whole. Frees
 * `build`; NULL is allowed. */
struct pp_profile *pp_build_done(struct pp_build *build);

/* Readers take the first mapping for the program's: give it the first object
 * of the first process that has any. Before any stack. */
void pp_build_main(struct pp_build *build, const struct pp_arena *arena,
    uint32_t slots);

/* The stack of the sample begun last: words of pp_readings_address(), or
 * PP_BUILD_FRAMES_LOST, PP_BUILD_NOT_SAMPLED. None: one frame that says "[no stack]". */
void pp_build_stack(struct pp_build *build, const uint64_t *word,
    uint32_t count);

/* The texts of a label set, for the sample begun last. Keys in `numeric`
 * (ended by NULL; the same for all of a profile) are left out: a key is text or
 * a number, never both. */
void pp_build_labels(struct pp_build *build, const struct pp_labels *labels,
    uint32_t number, const char *const *numeric);

/* The loss counters as comments: each that is not 0, and those of 0 whose key
 * begins with `sort`; NULL: those that are of CPU samples. */
void pp_build_losses(struct pp_build *build, const uint64_t *loss,
    const char *sort);

/* What all processes together have lost since the service started. */
uint64_t pp_build_loss(const struct pp_arena *arena, uint32_t slots,
    uint32_t what);

#endif
