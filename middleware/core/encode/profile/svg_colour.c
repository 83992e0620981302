/*
 * Files are ordered by their own values (a file that only calls has none). The
 * files that every service has keep their hues; each of the others gets a hue,
 * the heaviest first, until there is none left.
 */
#include "encode/profile/svg_colour.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode/bytes/xml.h"
#include "profile/frames.h"

#define LEGEND_MAX     7
#define NAME_MAX_SHOWN 24
#define TONES	       7
#define GREY	       -1

/* These hues differ also for people who see red and green alike. */
static const struct {
	const char *name;
	int hue;
} known[] = { { "kore", 150 }, { "libc.so.6", 28 }, { "pprof.so", 275 } };
static const int others[] = { 212, 330, 185, 55 };

/* Return the number of the object, or `objects` if it is not known. Addresses
 * are compared first, since the nodes of a mapping share one text: there may be
 * half a million nodes. */
static uint32_t
object_find(const struct pp_svg_colours *colours, const char *name)
{
	uint32_t i;

	for (i = 0; i < colours->objects; i++) {
		if (colours->object[i].name == name)
			return (i);
	}
	for (i = 0; i < colours->objects; i++) {
		if (strcmp(colours->object[i].name, name) == 0)
			break;
	}
	return (i);
}

static int
object_compare(const void *a, const void *b)
{
	const struct pp_svg_object *left = a, *right = b;

	if (left->self != right->self)
		return (left->self > right->self ? -1 : 1);
	return (strcmp(left->name, right->name));
}

static int
known_hue(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, name) == 0)
			return (known[i].hue);
	}
	return (GREY);
}

static void
objects_sum(struct pp_svg_colours *colours, uint32_t limit,
    const struct pp_tree *tree)
{
	const struct pp_tree_node *node;
	struct pp_svg_object *object;
	uint32_t i, at;

	for (i = 1; i < tree->nodes; i++) {
		node = &tree->node[i];
		if (*node->object == '\0')
			continue;
		at = object_find(colours, node->object);
		if (at == limit)
			continue;
		object = &colours->object[at];
		if (at == colours->objects)
			colours->objects++;
		object->name = node->object;
		if (__builtin_add_overflow(object->self, node->self,
			&object->self))
			object->self = INT64_MAX;
	}
}

int
pp_svg_colours_make(struct pp_svg_colours *colours, const struct pp_profile *p,
    const struct pp_tree *tree)
{
	uint32_t limit = p->mappings + 1; /* 1 for nodes without one */
	struct pp_svg_object *object;
	uint32_t i, next = 0;

	colours->objects = 0;
	colours->object = calloc(limit, sizeof(colours->object[0]));
	if (colours->object == NULL)
		return (-1);
	objects_sum(colours, limit, tree);
	qsort(colours->object, colours->objects, sizeof(colours->object[0]),
	    object_compare);
	for (i = 0; i < colours->objects; i++) {
		object = &colours->object[i];
		object->hue = known_hue(object->name);
		if (object->hue == GREY &&
		    strcmp(object->name, PP_FRAMES_UNKNOWN) != 0 &&
		    next < sizeof(others) / sizeof(others[0]))
			object->hue = others[next++];
	}
	return (0);
}

void
pp_svg_colours_free(struct pp_svg_colours *colours)
{
	free(colours->object);
	colours->object = NULL;
	colours->objects = 0;
}

/* Write hue (in degrees), saturation and lightness (0 to 1) as "#rrggbb". */
static void
hsl_text(double hue, double saturation, double light, char text[8])
{
	double chroma = saturation * fmin(light, 1 - light), part, k;
	unsigned int rgb[3];
	int i;

	for (i = 0; i < 3; i++) {
		k = fmod((i == 0 ? 0 : i == 1 ? 8 : 4) + hue / 30, 12);
		part = fmax(-1, fmin(fmin(k - 3, 9 - k), 1));
		rgb[i] = (unsigned int)lround(255 * (light - chroma * part));
	}
	snprintf(text, 8, "#%02x%02x%02x", rgb[0] & 0xff, rgb[1] & 0xff,
	    rgb[2] & 0xff);
}

static void
hue_text(int hue, int tone, char text[8])
{
	if (hue == GREY)
		hsl_text(215, 0.10, 0.82 - 0.01 * tone, text);
	else
		hsl_text(hue, hue == 55 ? 0.62 : 0.70, 0.83 - 0.017 * tone,
		    text);
}

/* The name of the function makes its colour lighter or darker. */
void
pp_svg_colour(const struct pp_svg_colours *colours,
    const struct pp_tree_node *node, char text[8])
{
	uint32_t at = object_find(colours, node->object);
	uint32_t hash = 0;
	size_t i;

	if (*node->object == '\0') {
		snprintf(text, 8, "#e2e6ec");
		return;
	}
	for (i = 0; i < 64 && node->name[i] != '\0'; i++)
		hash = hash * 31 + (uint8_t)node->name[i];
	hue_text(at == colours->objects ? GREY : colours->object[at].hue,
	    (int)((hash >> 8) % TONES), text);
}

void
pp_svg_legend(const struct pp_svg_colours *colours, struct pp_buf *out,
    double x, double y, double letter)
{
	const struct pp_svg_object *object;
	const char *name;
	char colour[8];
	size_t length;
	uint32_t i;

	for (i = 0; i < colours->objects && i < LEGEND_MAX; i++) {
		object = &colours->object[i];
		hue_text(object->hue, TONES / 2, colour);
		pp_buf_printf(out,
		    "<rect x=\"%.0f\" y=\"%.0f\" width=\"10\" height=\"10\" "
		    "fill=\"%s\"/><text class=\"s\" x=\"%.0f\" y=\"%.0f\" "
		    "fill=\"#5a5a5a\">",
		    x, y - 9, colour, x + 14, y);
		name = strcmp(object->name, PP_FRAMES_UNKNOWN) == 0
		    ? "unknown"
		    : object->name;
		pp_xml_text(out, name, NAME_MAX_SHOWN);
		pp_buf_text(out, "</text>\n");
		length = strlen(name);
		if (length > NAME_MAX_SHOWN)
			length = NAME_MAX_SHOWN;
		x += 14 + (double)length * letter + 14;
	}
}
