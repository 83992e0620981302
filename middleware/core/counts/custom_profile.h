/*
 * Custom profiles, which the application makes by pprof_profile_new() of
 * pprof.h: what its workers hold, under a name.
 *
 * A name may have another index in each worker. When a worker ends, what it
 * held is no longer counted. Not the recording: capture/custom.h does that in
 * the workers.
 *
 * Rule: cold; only reads the arena. Names come from the arena and are checked:
 * a name that pprof_profile_new() would have refused is left out.
 */
#ifndef PP_COUNTS_CUSTOM_PROFILE_H
#define PP_COUNTS_CUSTOM_PROFILE_H

#include <stdint.h>

#include "merge/resolve.h"
#include "profile/profile.h"

/* How many names of all workers are shown. Each worker has at most
 * PP_CUSTOM_MAX names, and normally all workers have the same ones. */
#define PP_CUSTOM_NAMES_MAX (2 * PP_CUSTOM_MAX)

struct pp_counts_custom_names {
	uint32_t used;
	char name[PP_CUSTOM_NAMES_MAX][PP_CUSTOM_NAME_MAX]; /* sorted */
	uint64_t held[PP_CUSTOM_NAMES_MAX];
	uint32_t dropped; /* names for which there was no room */
};

/* List the names of all slots, also of slots without a living process, and how
 * much is held under each name. */
void pp_counts_custom_names(const struct pp_resolver *resolver,
    struct pp_counts_custom_names *out);

/* Return the profile of that name without symbols, which the caller frees;
 * NULL: out of memory. If no worker has the name, the profile is empty. */
struct pp_profile *pp_counts_custom_profile(struct pp_resolver *resolver,
    const char *name);

#endif
