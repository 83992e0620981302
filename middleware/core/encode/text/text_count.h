/*
 * Counts as text (debug=1), as Go's runtime/pprof writes them: goroutine,
 * threadcreate and custom profiles; block and mutex. Not the heap: text_heap.h
 * has that.
 *
 * Rule: `go tool pprof` reads these texts; every sample has an address, since
 * pprof refuses a line without one.
 */
#ifndef PP_ENCODE_TEXT_TEXT_COUNT_H
#define PP_ENCODE_TEXT_TEXT_COUNT_H

#include <stdint.h>

#include "base/buf.h"
#include "counts/waits.h"
#include "profile/profile.h"

/* Append "NAME profile: total N" and the samples; NAME is the first value type.
 * After the first line come the comments of the profile that begin with
 * `comments`; NULL: none. */
void pp_encode_text_count(const struct pp_profile *p, const char *comments,
    struct pp_buf *out);

/* Append block or mutex. `rate` is the present sampling rate; 0: off, and a
 * comment says so. */
void pp_encode_text_waits(const struct pp_profile *p, enum pp_waits which,
    uint64_t rate, struct pp_buf *out);

#endif
