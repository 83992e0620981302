/*
 * A flame graph as one SVG file: root on top, the widest first, a tooltip with
 * name, value and share on each box. No script, nothing loaded: it is the same
 * as an <img>, opened on its own, or in a mail, by day and by night.
 *
 * Rule: names are hostile; they are text and nothing else. What is too narrow
 * to be seen is drawn as one box that says how much it is.
 */
#ifndef PP_ENCODE_PROFILE_SVG_H
#define PP_ENCODE_PROFILE_SVG_H

#include "base/buf.h"
#include "profile/profile.h"

/* Append the picture of value[`value`]. `title` says what was profiled.
 * Values below zero cannot be drawn: the picture says how much they are.
 * Returns 0, or -1 when out of memory. */
int pp_encode_svg(const struct pp_profile *p, uint32_t value, const char *title,
    struct pp_buf *out);

#endif
