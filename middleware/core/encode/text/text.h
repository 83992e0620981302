/*
 * What the text forms of profiles (debug=1) have in common: addresses, labels
 * and the frames of a stack, one comment line each, as Go writes them.
 *
 * Rule: `go tool pprof` reads these texts too. Names come from files that
 * anybody may have made; no name makes a line of its own.
 */
#ifndef PP_ENCODE_TEXT_TEXT_H
#define PP_ENCODE_TEXT_TEXT_H

#include "base/buf.h"
#include "profile/profile.h"

/* " 0x1 0x2": return addresses, the leaf's as well, since readers take 1 off
 * each. */
void pp_text_addresses(const struct pp_profile *p,
    const struct pp_sample *sample, struct pp_buf *out);

/* "# labels: {...}" and a newline; nothing when there are none. */
void pp_text_labels(const struct pp_profile *p, const struct pp_sample *sample,
    struct pp_buf *out);

/* "#", address, function and its offset, file and line of each frame, in
 * columns; then an empty line. */
void pp_text_frames(const struct pp_profile *p, const struct pp_sample *sample,
    struct pp_buf *out);

#endif
