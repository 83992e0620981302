/*
 * The functions with the most of a value of their own, as a table: what
 * `go tool pprof -top -nodecount=50` prints of the same profile, for whoever
 * has only curl.
 *
 * Rule: every line is pprof's, to the digit; only the time of the header is
 * UTC here, and names are not demangled.
 */
#ifndef PP_ENCODE_TEXT_TEXT_TOP_H
#define PP_ENCODE_TEXT_TEXT_TOP_H

#include "base/buf.h"
#include "profile/profile.h"

#define PP_TEXT_TOP_ROWS 50

/* Append the table of value[`value`]. `title` is not shown. Returns 0, or -1
 * when out of memory. */
int pp_encode_text_top(const struct pp_profile *p, uint32_t value,
    const char *title, struct pp_buf *out);

#endif
