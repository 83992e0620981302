/*
 * A flame graph as one SVG file: the root on top, the widest box first, a
 * tooltip with name, value and share on each box. There is no script, and
 * nothing is loaded: the picture is the same in an <img>, opened on its own,
 * and in a mail, by day and by night.
 *
 * Rule: names are hostile; they become text and nothing else. Boxes that are
 * too narrow to be seen are drawn as one box that says how much they are.
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
