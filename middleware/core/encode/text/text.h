/*
 * The common part of the text forms of profiles (debug=1): addresses, labels
 * and the frames of a stack, each on a comment line, as Go writes them. Not a
 * whole text: text_heap.h and text_count.h make those.
 *
 * Rule: `go tool pprof` reads these texts, too. Names come from files that
 * anybody may have made; no name can make a line of its own.
 */
#ifndef PP_ENCODE_TEXT_TEXT_H
#define PP_ENCODE_TEXT_TEXT_H

#include "base/buf.h"
#include "profile/profile.h"

/* Append " 0x1 0x2": return addresses. The leaf's address is written as one,
 * too, since readers subtract 1 from each. */
void pp_text_addresses(const struct pp_profile *p,
    const struct pp_sample *sample, struct pp_buf *out);

/* Append "# labels: {...}" and a newline, or nothing if there are no labels. */
void pp_text_labels(const struct pp_profile *p, const struct pp_sample *sample,
    struct pp_buf *out);

/* Append "#", address, function with offset, file and line of each frame, in
 * columns, and then an empty line. */
void pp_text_frames(const struct pp_profile *p, const struct pp_sample *sample,
    struct pp_buf *out);

#endif
