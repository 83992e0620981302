/*
 * The colours of a flame graph's boxes: one for each file that functions are
 * in, as in the pages (assets/paint.js), and the legend of these colours.
 *
 * Not the boxes: svg.c draws them.
 *
 * Rule: the same tree gives the same colours. Weight alone decides which files
 * get a colour, never the order in which files are met. Memory is bounded by
 * the mappings of the profile.
 */
#ifndef PP_ENCODE_PROFILE_SVG_COLOUR_H
#define PP_ENCODE_PROFILE_SVG_COLOUR_H

#include <stdint.h>

#include "base/buf.h"
#include "profile/tree.h"

struct pp_svg_colours {
	struct pp_svg_object {
		const char *name; /* owned by the profile */
		int64_t self;
		int hue; /* -1: grey */
	} * object;	 /* the heaviest first */
	uint32_t objects;
};

/* Choose the colours for `tree`, which was made of `p`. Returns -1 when out of
 * memory; the caller calls _free() in both cases. */
int pp_svg_colours_make(struct pp_svg_colours *colours,
    const struct pp_profile *p, const struct pp_tree *tree);
void pp_svg_colours_free(struct pp_svg_colours *colours);

/* Write the colour of a node, as "#rrggbb". */
void pp_svg_colour(const struct pp_svg_colours *colours,
    const struct pp_tree_node *node, char text[8]);

/* Append one line of squares and names; `letter` is the width of a letter in
 * pixels. */
void pp_svg_legend(const struct pp_svg_colours *colours, struct pp_buf *out,
    double x, double y, double letter);

#endif
