/*
 * The functions with the largest values of their own, as a table: what `go tool
 * pprof -top -nodecount=50` prints of the same profile, for somebody who has
 * only curl. Not the sums: top.h has these.
 *
 * Rule: every line is that of pprof, to the digit, with two exceptions: the
 * time in the header is UTC, and names are not demangled.
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
