/*
 * Folded stacks: "root;caller;leaf 12", one line for each stack, the form that
 * flamegraph.pl, inferno and speedscope read. There are frames only, no labels.
 *
 * Rule: the numbers add up to the profile's sum of the value. A name can make
 * neither a line nor a frame of its own.
 */
#ifndef PP_ENCODE_PROFILE_FOLDED_H
#define PP_ENCODE_PROFILE_FOLDED_H

#include "base/buf.h"
#include "profile/profile.h"

/* Append value[`value`] of the profile. `title` is not shown. Values below
 * zero, which a difference has, are written as they are. Returns 0, or -1
 * when out of memory. */
int pp_encode_folded(const struct pp_profile *p, uint32_t value,
    const char *title, struct pp_buf *out);

#endif
