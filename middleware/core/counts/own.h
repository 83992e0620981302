/*
 * The application's own profiles (pprof_profile_new() of pprof.h): what its
 * workers hold, under a name.
 *
 * A name has another place in each worker; what a worker held goes with it.
 *
 * Rule: cold; only reads. Names come from the arena and are checked: what the
 * application could not have given is no name.
 */
#ifndef PP_COUNTS_OWN_H
#define PP_COUNTS_OWN_H

#include <stdint.h>

#include "merge/resolve.h"
#include "profile/profile.h"

/* Names shown of all workers: each worker has its own count of PP_OWN_MAX,
 * and they normally have the same. */
#define PP_OWN_NAMES_MAX (2 * PP_OWN_MAX)

struct pp_own_list {
	uint32_t used;
	char name[PP_OWN_NAMES_MAX][PP_OWN_NAME_MAX]; /* sorted */
	uint64_t held[PP_OWN_NAMES_MAX];
	uint32_t dropped; /* names for which there was no room */
};

/* The names of all slots, also of those that run no more, and how much is
 * held under each. */
void pp_own_list(const struct pp_resolver *resolver, struct pp_own_list *out);

/* The profile of that name, without symbols; the caller frees it. NULL: out of
 * memory. A name that nobody has gives an empty one. */
struct pp_profile *pp_own_profile(struct pp_resolver *resolver,
    const char *name);

#endif
