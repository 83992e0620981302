/*
 * profile.proto, gzipped: the form that `go tool pprof`, Pyroscope and Parca
 * read. The profile is written message by message, so that a large one costs no
 * second copy in memory.
 *
 * Rule: ids are 1..n in order, string 0 is "", time_nanos is written once.
 */
#ifndef PP_ENCODE_PROFILE_PPROF_H
#define PP_ENCODE_PROFILE_PPROF_H

#include "base/buf.h"
#include "profile/profile.h"

/* Append the profile to `out`. Returns 0, or -1 if it could not be written
 * whole; then out->failed or p->failed says why. */
int pp_encode_pprof(const struct pp_profile *p, struct pp_buf *out);

#endif
