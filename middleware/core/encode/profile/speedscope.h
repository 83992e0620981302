/*
 * speedscope's file format, JSON:
 * https://www.speedscope.app/file-format-schema.json There is one "sampled"
 * profile for each sample type, over one table of frames.
 *
 * Rule: weights are never below zero: a negative value is left out, and the
 * profile's name says so.
 */
#ifndef PP_ENCODE_PROFILE_SPEEDSCOPE_H
#define PP_ENCODE_PROFILE_SPEEDSCOPE_H

#include "base/buf.h"
#include "profile/profile.h"

/* Append all values; value[`value`] is shown first. Returns 0, or -1 when out
 * of memory. */
int pp_encode_speedscope(const struct pp_profile *p, uint32_t value,
    const char *title, struct pp_buf *out);

#endif
