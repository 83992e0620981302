/*
 * The colours of a flame graph's boxes: one for each file that functions are
 * in, as the pages have them (assets/paint.js), and the legend that says so.
 *
 * Not the boxes (svg.c).
 *
 * Rule: the same tree gives the same colours, and weight alone says which files
 * have one: never the order in which they are met. Bounded by the mappings of
 * the profile.
 */
#ifndef PP_ENCODE_PROFILE_SVG_COLOUR_H
#define PP_ENCODE_PROFILE_SVG_COLOUR_H

#include <stdint.h>

#include "base/buf.h"
#include "profile/tree.h"

struct pp_svg_colours {
	struct pp_svg_object {
		const char *name; /* the profile's */
		int64_t self;
		int hue; /* -1: grey */
	} * object;	 /* the heaviest first */
	uint32_t objects;
};

/* The tree is the profile's. Returns -1 when out of memory; _free() in any
 * case. */
int pp_svg_colours_make(struct pp_svg_colours *colours,
    const struct pp_profile *p, const struct pp_tree *tree);
void pp_svg_colours_free(struct pp_svg_colours *colours);

/* "#rrggbb" */
void pp_svg_colour(const struct pp_svg_colours *colours,
    const struct pp_tree_node *node, char text[8]);

/* One line of squares and names; `letter`: pixels that one takes. */
void pp_svg_legend(const struct pp_svg_colours *colours, struct pp_buf *out,
    double x, double y, double letter);

#endif
