/*
 * The colours of a flame graph's boxes: one for each file that functions are
 * in, as the pages have them (assets/paint.js), and the legend that says so.
 *
 * Not the boxes (svg.c).
 *
 * Rule: the same tree gives the same colours. Bounded: files beyond
 * PP_SVG_OBJECTS are grey.
 */
#ifndef PP_ENCODE_SVG_COLOUR_H
#define PP_ENCODE_SVG_COLOUR_H

#include <stdint.h>

#include "base/buf.h"
#include "profile/tree.h"

#define PP_SVG_OBJECTS 32

struct pp_svg_colours {
	struct pp_svg_object {
		const char *name;
		int64_t self;
		int hue;	  /* -1: grey */
	} object[PP_SVG_OBJECTS]; /* the largest first */
	uint32_t objects;
};

void pp_svg_colours_make(struct pp_svg_colours *colours,
    const struct pp_tree *tree);

/* "#rrggbb" */
void pp_svg_colour(const struct pp_svg_colours *colours,
    const struct pp_tree_node *node, char text[8]);

/* One line of squares and names; `letter`: pixels that one takes. */
void pp_svg_legend(const struct pp_svg_colours *colours, struct pp_buf *out,
    double x, double y, double letter);

#endif
