/*
 * speedscope: one list has the stacks, each as the numbers of its frames, root
 * first; another list has their weights. Both lists are made at once, in two
 * buffers.
 *
 * Rule: bounded by PP_PICTURE_BYTES_MAX, of which each type has its part; the
 * weights of all stacks that find no room are summed up in one last stack.
 */
#include "encode/profile/speedscope.h"

#include <string.h>

#include "encode/bytes/json.h"
#include "encode/bytes/measure.h"
#include "encode/profile/text_ids.h"
#include "profile/tree.h"

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"

struct speedscope {
	const struct pp_profile *p;
	struct pp_buf *out;
	struct pp_text_ids names; /* frames, by name; number 0 is not used */
	struct pp_buf files;	  /* const char *, of frames in this order */
	int failed;

	/* The members below belong to the type that is being written. */
	const struct pp_tree *tree;
	struct pp_buf weights;
	struct pp_buf path; /* uint32_t, root first */
	size_t start;	    /* of the stacks in `out` */
	size_t most;	    /* the most bytes of stacks */
	int any;
	int64_t unfit;
};

/* Return the frame's number, counted from 0; the frame's file is the first one
 * that was seen with the name. */
static uint32_t
frame_number(struct speedscope *s, const char *name, const char *file)
{
	uint32_t known = s->names.used;
	int64_t number = pp_text_ids_number(&s->names, name);

	if (number == 0) {
		/* The empty name has number 0, which no frame has. */
		number = pp_text_ids_number(&s->names, "?");
		file = "";
	}
	if (s->names.used != known) {
		if (known == 0) /* "" took number 0 */
			pp_buf_append(&s->files, &file, sizeof(file));
		pp_buf_append(&s->files, &file, sizeof(file));
	}
	return ((uint32_t)(number - 1));
}

static void
stack_write(struct speedscope *s, int64_t weight)
{
	const uint32_t *number = (const uint32_t *)(void *)s->path.data;
	size_t frames = s->path.len / sizeof(*number), i;

	if (s->any)
		pp_buf_text(s->out, ",\n");
	pp_buf_text(s->out, "[");
	for (i = 0; i < frames; i++)
		pp_buf_printf(s->out, "%s%u", i == 0 ? "" : ",", number[i]);
	pp_buf_text(s->out, "]");
	pp_buf_printf(&s->weights, "%s%lld", s->any ? "," : "",
	    (long long)weight);
	s->any = 1;
}

static void
node_walk(struct speedscope *s, const struct pp_tree_node *node)
{
	size_t len = s->path.len;
	uint32_t i, number;

	if (node->depth > 0) {
		number = frame_number(s, node->name, node->file);
		pp_buf_append(&s->path, &number, sizeof(number));
	}
	if (node->self > 0) {
		/* A number and its comma take eleven bytes at most. */
		if (s->out->len - s->start + s->weights.len +
			(s->path.len / sizeof(number) + 3) * 11 >
		    s->most)
			s->unfit += node->self;
		else
			stack_write(s, node->self);
	}
	for (i = 0; i < node->children; i++)
		node_walk(s, pp_tree_child(s->tree, node, i));
	s->path.len = len;
}

static const char *
type_unit(const char *unit)
{
	if (strcmp(unit, "nanoseconds") == 0 || strcmp(unit, "bytes") == 0)
		return (unit);
	return ("none");
}

static void
type_name(struct speedscope *s, const struct pp_value_type *type,
    const char *title, int64_t below)
{
	char text[PP_MEASURE_MAX];
	struct pp_buf name = { 0 };

	pp_buf_printf(&name, "%s: %s", title, type->type);
	if (below < 0) {
		pp_measure_best(text, below, type->unit);
		pp_buf_printf(&name, " (without %s of what became less)", text);
	}
	pp_buf_append(&name, "", 1);
	if (name.failed)
		s->failed = 1;
	else
		pp_json_string(s->out, name.data);
	pp_buf_free(&name);
}

static void
type_write(struct speedscope *s, uint32_t value, const char *title)
{
	const struct pp_value_type *type = &s->p->value_type[value];
	struct pp_tree tree;
	uint32_t number;

	if (pp_tree_build(&tree, s->p, value, PP_TREE_ABOVE_ZERO,
		PP_TREE_NODES_MAX) == -1) {
		s->failed = 1;
		pp_tree_free(&tree);
		return;
	}
	pp_buf_text(s->out, "{\"type\":\"sampled\",\"name\":");
	type_name(s, type, title, tree.below);
	pp_buf_printf(s->out,
	    ",\"unit\":\"%s\",\"startValue\":0,\"endValue\":%lld,"
	    "\"samples\":[\n",
	    type_unit(type->unit), (long long)tree.node[0].total);
	s->tree = &tree;
	s->any = 0;
	s->unfit = 0;
	s->start = s->out->len;
	s->most = PP_PICTURE_BYTES_MAX / s->p->value_types;
	node_walk(s, &tree.node[0]);
	if (s->unfit > 0) {
		number = frame_number(s, "[stacks that did not fit]", "");
		pp_buf_append(&s->path, &number, sizeof(number));
		stack_write(s, s->unfit);
		s->path.len = 0;
	}
	pp_buf_text(s->out, "],\n\"weights\":[");
	pp_buf_append(s->out, s->weights.data, s->weights.len);
	pp_buf_text(s->out, "]}");
	s->weights.len = 0;
	s->failed |= s->weights.failed | s->path.failed;
	pp_tree_free(&tree);
}

/* Write the frames. They come after the profiles, since only then all frames
 * are known. */
static void
frames_write(struct speedscope *s)
{
	const char *const *file = (const char *const *)(void *)s->files.data;
	uint32_t i;

	pp_buf_text(s->out, "\"shared\":{\"frames\":[");
	for (i = 1; i < s->names.used && !s->files.failed; i++) {
		pp_buf_text(s->out, i == 1 ? "\n{\"name\":" : ",\n{\"name\":");
		pp_json_string(s->out, s->names.text[i]);
		if (file[i][0] != '\0') {
			pp_buf_text(s->out, ",\"file\":");
			pp_json_string(s->out, file[i]);
		}
		pp_buf_text(s->out, "}");
	}
	pp_buf_text(s->out, "]}");
}

int
pp_encode_speedscope(const struct pp_profile *p, uint32_t value,
    const char *title, struct pp_buf *out)
{
	struct speedscope s = { .p = p, .out = out };
	uint32_t i;

	pp_buf_text(out, "{\"$schema\":\"" SCHEMA "\",\n\"name\":");
	pp_json_string(out, title);
	pp_buf_printf(out,
	    ",\"exporter\":\"kore-pprof\",\"activeProfileIndex\":%u,\n"
	    "\"profiles\":[",
	    value);
	for (i = 0; i < p->value_types && !s.failed; i++) {
		pp_buf_text(out, i == 0 ? "\n" : ",\n");
		type_write(&s, i, title);
	}
	pp_buf_text(out, "],\n");
	if (!s.failed)
		frames_write(&s);
	pp_buf_text(out, "}\n");
	s.failed |= s.names.failed | s.files.failed | out->failed;
	pp_text_ids_free(&s.names);
	pp_buf_free(&s.files);
	pp_buf_free(&s.weights);
	pp_buf_free(&s.path);
	return (s.failed ? -1 : 0);
}
