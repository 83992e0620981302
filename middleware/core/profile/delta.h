/*
 * The difference of two profiles of the same kind, for `?seconds=`.
 *
 * Rule: a sample is known by its addresses and labels, as a scraper knows it;
 * its ids and its order mean nothing.
 */
#ifndef PP_PROFILE_DELTA_H
#define PP_PROFILE_DELTA_H

#include "profile/profile.h"

/*
 * Returns `after` minus `before`, sample by sample, as a new profile, which the
 * caller frees, or NULL when out of memory. Both profiles have no symbols yet.
 * Values below 0 are kept (less is in use than before), samples with nothing
 * but 0 are not. Time and comments are those of `after`. Like Go's, the new
 * profile has no default type.
 */
struct pp_profile *pp_delta(const struct pp_profile *before,
    const struct pp_profile *after, int64_t duration_ns);

#endif
