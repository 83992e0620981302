/*
 * Counts as text (debug=1), as Go's runtime/pprof writes them: goroutine,
 * threadcreate, the application's own profiles; block and mutex.
 *
 * Rule: `go tool pprof` reads them; every sample has an address, since it
 * refuses a line without.
 */
#ifndef PP_ENCODE_TEXT_TEXT_COUNT_H
#define PP_ENCODE_TEXT_TEXT_COUNT_H

#include <stdint.h>

#include "base/buf.h"
#include "counts/waits.h"
#include "profile/profile.h"

/* "NAME profile: total N" and the samples, NAME being the first value type.
 * Comments of the profile that begin with `comments` follow the first line;
 * NULL: none. */
void pp_encode_text_count(const struct pp_profile *p, const char *comments,
    struct pp_buf *out);

/* Block or mutex. `rate` is the sampling rate of now; 0: off, which is said in
 * a comment. */
void pp_encode_text_waits(const struct pp_profile *p, enum pp_waits which,
    uint64_t rate, struct pp_buf *out);

#endif
