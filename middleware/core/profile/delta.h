/*
 * What has changed between two profiles of the same kind: `?seconds=`.
 *
 * Rule: a sample is known by its addresses and labels, as a scraper knows it;
 * ids and order mean nothing.
 */
#ifndef PP_PROFILE_DELTA_H
#define PP_PROFILE_DELTA_H

#include "profile/profile.h"

/*
 * `after` minus `before`, sample by sample, as a new profile which the caller
 * frees; NULL when out of memory. Both without symbols. Values below 0 are
 * kept (less in use than before), samples of nothing but 0 are not. Time and
 * comments are those of `after`; like Go's it has no default type.
 */
struct pp_profile *pp_delta(const struct pp_profile *before,
    const struct pp_profile *after, int64_t duration_ns);

#endif
