/*
 * The flame graph: layout and bytes.
 *
 * Boxes narrower than `least` are not drawn one by one: neighbours below the
 * same caller become one box. `least` is PIXEL_LEAST, or more if there would be
 * more boxes than PP_PICTURE_BOXES_MAX: the tree is walked once to count, and
 * then to draw.
 *
 * Rule: the same profile gives the same bytes.
 */
#include "encode/profile/svg.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "encode/bytes/measure.h"
#include "encode/bytes/xml.h"
#include "encode/profile/svg_colour.h"
#include "profile/tree.h"

#define WIDTH	    1200
#define MARGIN	    10
#define INNER	    (WIDTH - 2 * MARGIN)
#define ROW	    17 /* one box and the gap below it */
#define HEAD	    74 /* above the first box */
#define PIXEL_LEAST 0.3
#define LETTER	    6.7 /* the widest of the usual fonts at this size */
#define TITLE_MAX   1024

struct svg {
	const struct pp_profile *p;
	const struct pp_tree *tree;
	const char *unit;
	struct pp_svg_colours colours;
	struct pp_buf *out; /* NULL: count only */
	double least;
	uint64_t boxes;
	uint64_t merged; /* frames that share a box with neighbours */
	uint32_t depth;	 /* of the deepest box drawn */
};

static double
width_of(const struct svg *svg, int64_t value)
{
	return (INNER * ((double)value / (double)svg->tree->node[0].total));
}

/* Draw a box with its tooltip, and as much of its name as there is room for. */
static void
box_draw(struct svg *svg, double x, uint32_t depth, int64_t value,
    const char *name, const char *file, const char *colour)
{
	char amount[PP_MEASURE_MAX], share[PP_MEASURE_MAX];
	double width = width_of(svg, value);
	uint32_t y = HEAD + depth * ROW;
	struct pp_buf *out = svg->out;

	pp_measure_best(amount, value, svg->unit);
	pp_measure_share(share, value, svg->tree->node[0].total);
	pp_buf_text(out, "<g><title>");
	pp_xml_text(out, name, TITLE_MAX);
	pp_buf_printf(out, "\n%s, %s of all", amount,
	    share + strspn(share, " "));
	if (*file != '\0') {
		pp_buf_text(out, "\n");
		pp_xml_text(out, file, TITLE_MAX);
	}
	/* If the box is wide enough, there is a gap to its neighbour. */
	pp_buf_printf(out,
	    "</title><rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%d\" "
	    "fill=\"%s\"/>",
	    x, y, width > 2 ? width - 0.5 : width, ROW - 1, colour);
	if (width > 3 * LETTER + 6) {
		pp_buf_printf(out, "<text x=\"%.2f\" y=\"%u\">", x + 3, y + 12);
		pp_xml_text(out, name, (size_t)((width - 6) / LETTER));
		pp_buf_text(out, "</text>");
	}
	pp_buf_text(out, "</g>\n");
}

static void
rest_draw(struct svg *svg, double x, uint32_t depth, int64_t value,
    uint32_t count)
{
	char name[48];

	svg->merged += count;
	if (width_of(svg, value) < svg->least)
		return;
	svg->boxes++;
	if (depth > svg->depth)
		svg->depth = depth;
	if (svg->out == NULL)
		return;
	snprintf(name, sizeof(name), "%" PRIu32 " smaller frame%s", count,
	    count == 1 ? "" : "s");
	box_draw(svg, x, depth, value, name, "", "#dcdcdc");
}

/* Draw a node and those above it. The recursion is as deep as a stack, whose
 * depth is bounded. */
static void
node_draw(struct svg *svg, const struct pp_tree_node *node, double x)
{
	const struct pp_tree_node *child;
	char colour[8];
	int64_t rest = 0;
	uint32_t i;

	svg->boxes++;
	if (node->depth > svg->depth)
		svg->depth = node->depth;
	if (svg->out != NULL) {
		pp_svg_colour(&svg->colours, node, colour);
		box_draw(svg, x, node->depth, node->total, node->name,
		    node->file, colour);
	}
	for (i = 0; i < node->children; i++) {
		child = pp_tree_child(svg->tree, node, i);
		/* The largest child is first: all that follow are as narrow. */
		if (width_of(svg, child->total) < svg->least)
			break;
		node_draw(svg, child, x);
		x += width_of(svg, child->total);
	}
	if (i == node->children)
		return;
	for (uint32_t n = i; n < node->children; n++)
		rest += pp_tree_child(svg->tree, node, n)->total;
	rest_draw(svg, x, node->depth + 1, rest, node->children - i);
}

static void
svg_measure(struct svg *svg)
{
	for (svg->least = PIXEL_LEAST; svg->least < INNER; svg->least *= 2) {
		svg->boxes = svg->merged = svg->depth = 0;
		node_draw(svg, &svg->tree->node[0], MARGIN);
		if (svg->boxes <= PP_PICTURE_BOXES_MAX)
			return;
	}
}

static void
when_write(const struct pp_profile *p, struct pp_buf *out)
{
	time_t seconds = (time_t)(p->time_ns / 1000000000);
	char text[PP_MEASURE_MAX];
	struct tm tm;

	if (p->time_ns > 0 && gmtime_r(&seconds, &tm) != NULL &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm) > 0)
		pp_buf_text(out, text);
	if (p->duration_ns > 0) {
		pp_measure_best(text, p->duration_ns, "nanoseconds");
		pp_buf_printf(out, ", during %s", text);
	}
}

/* Write the lines above the boxes. */
static void
head_write(const struct svg *svg, const char *title, uint32_t value)
{
	const struct pp_tree_node *root = &svg->tree->node[0];
	struct pp_buf *out = svg->out;
	char text[PP_MEASURE_MAX];

	pp_buf_text(out,
	    "<text class=\"h\" x=\"10\" y=\"22\" "
	    "font-size=\"15\" fill=\"#1c1c1c\">");
	pp_xml_text(out, title, 80);
	pp_buf_text(out, ": ");
	pp_xml_text(out, svg->p->value_type[value].type, 80);
	pp_measure_best(text, root->total, svg->unit);
	pp_buf_printf(out, ", %s</text>\n", text);
	pp_buf_text(out,
	    "<text class=\"s\" x=\"10\" y=\"42\" "
	    "fill=\"#5a5a5a\">");
	when_write(svg->p, out);
	if (svg->merged > 0)
		pp_buf_printf(out,
		    "; %" PRIu64 " frames narrower than %.1f px in grey",
		    svg->merged, svg->least);
	if (svg->tree->below < 0) {
		pp_measure_best(text, svg->tree->below, svg->unit);
		pp_buf_printf(out, "; not drawn: %s of what became less", text);
	}
	if (root->total == 0)
		pp_buf_text(out, "; nothing was sampled");
	pp_buf_text(out, "</text>\n");
	pp_svg_legend(&svg->colours, out, MARGIN, 62, LETTER);
}

/* Write the comments of the profile, with its losses, for somebody who reads
 * the file itself. */
static void
description_write(const struct pp_profile *p, struct pp_buf *out)
{
	uint32_t i;

	pp_buf_text(out, "<desc>");
	for (i = 0; i < p->comments; i++) {
		pp_buf_text(out, i == 0 ? "" : "\n");
		pp_xml_text(out, p->comment[i], TITLE_MAX);
	}
	pp_buf_text(out, "</desc>\n");
}

static void
svg_write(struct svg *svg, const char *title, uint32_t value)
{
	uint32_t height = HEAD + (svg->depth + 1) * ROW + MARGIN;
	struct pp_buf *out = svg->out;

	pp_buf_printf(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
	    "height=\"%u\" viewBox=\"0 0 %d %u\" role=\"img\" "
	    "font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,"
	    "&quot;DejaVu Sans Mono&quot;,monospace\" font-size=\"11\" "
	    "fill=\"#1c1c1c\">\n<title>",
	    WIDTH, height, WIDTH, height);
	pp_xml_text(out, title, 80);
	pp_buf_text(out, ": ");
	pp_xml_text(out, svg->p->value_type[value].type, 80);
	pp_buf_text(out, "</title>\n");
	description_write(svg->p, out);
	/* In both colour schemes boxes stay light, with dark text; only their
	 * surroundings change. */
	pp_buf_text(out,
	    "<style>:root{background:#fff}rect{shape-rendering:crispEdges}"
	    "g:hover>rect{stroke:#1c1c1c}"
	    "@media(prefers-color-scheme:dark){:root{background:#16181c}"
	    ".b{fill:#16181c}.h{fill:#ececec}.s{fill:#a8adb5}"
	    "g:hover>rect{stroke:#fff}}</style>\n");
	pp_buf_printf(out,
	    "<rect class=\"b\" width=\"%d\" height=\"%u\" fill=\"#fff\"/>\n",
	    WIDTH, height);
	head_write(svg, title, value);
	svg->boxes = svg->merged = 0;
	if (svg->tree->node[0].total > 0)
		node_draw(svg, &svg->tree->node[0], MARGIN);
	pp_buf_text(out, "</svg>\n");
}

int
pp_encode_svg(const struct pp_profile *p, uint32_t value, const char *title,
    struct pp_buf *out)
{
	struct svg svg = { .p = p, .unit = p->value_type[value].unit };
	struct pp_tree tree;
	int status;

	status = pp_tree_build(&tree, p, value, PP_TREE_ABOVE_ZERO,
	    PP_TREE_NODES_MAX);
	if (status == 0)
		status = pp_svg_colours_make(&svg.colours, p, &tree);
	if (status == 0) {
		svg.tree = &tree;
		if (tree.node[0].total > 0)
			svg_measure(&svg);
		svg.out = out;
		svg_write(&svg, title, value);
	}
	pp_svg_colours_free(&svg.colours);
	pp_tree_free(&tree);
	return (status == -1 || out->failed ? -1 : 0);
}
