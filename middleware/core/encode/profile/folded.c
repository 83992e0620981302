/*
 * Folded stacks: the nodes of the tree that have a value of their own, each
 * with its path before it.
 *
 * Rule: bounded by PP_PICTURE_BYTES_MAX; the values of all lines that find no
 * room are summed up in one last line.
 */
#include "encode/profile/folded.h"

#include "profile/tree.h"

/* A longer name is cut. */
#define NAME_MAX_BYTES 1024

struct folded {
	const struct pp_tree *tree;
	struct pp_buf *out;
	struct pp_buf path;
	size_t start;  /* of the text in `out` */
	int64_t unfit; /* sum of the lines that found no room */
};

/* Append a name. A ';' in it would end the frame, a newline the line, so that
 * both are replaced. */
static void
name_append(struct pp_buf *path, const char *name)
{
	size_t len;
	char c;

	for (len = 0; (c = name[len]) != '\0'; len++) {
		if (len >= NAME_MAX_BYTES && ((unsigned char)c & 0xc0) != 0x80)
			break; /* not inside a character */
		if (c == ';')
			c = ':';
		else if ((unsigned char)c < ' ' || c == 0x7f)
			c = '?';
		pp_buf_append(path, &c, 1);
	}
	if (len == 0)
		pp_buf_text(path, "?");
}

static void
line_write(struct folded *f, const struct pp_tree_node *node)
{
	if (f->out->len - f->start + f->path.len + 32 > PP_PICTURE_BYTES_MAX) {
		f->unfit += node->self;
		return;
	}
	pp_buf_append(f->out, f->path.data, f->path.len);
	pp_buf_printf(f->out, " %lld\n", (long long)node->self);
}

/* Walk through the tree. The recursion is as deep as a stack, whose depth is
 * bounded. */
static void
node_walk(struct folded *f, const struct pp_tree_node *node)
{
	size_t len = f->path.len;
	uint32_t i;

	if (node->depth > 0) {
		if (node->depth > 1)
			pp_buf_text(&f->path, ";");
		name_append(&f->path, node->name);
	}
	if (node->self != 0) {
		if (node->depth == 0)
			pp_buf_text(&f->path, PP_TREE_ALL);
		line_write(f, node);
	}
	if (node->depth == 0)
		f->path.len = len;
	for (i = 0; i < node->children; i++)
		node_walk(f, pp_tree_child(f->tree, node, i));
	f->path.len = len;
}

int
pp_encode_folded(const struct pp_profile *p, uint32_t value, const char *title,
    struct pp_buf *out)
{
	struct folded f = { .out = out, .start = out->len };
	struct pp_tree tree;
	int status;

	(void)title;
	status = pp_tree_build(&tree, p, value, PP_TREE_ALL_SIGNS,
	    PP_TREE_NODES_MAX);
	if (status == 0) {
		f.tree = &tree;
		node_walk(&f, &tree.node[0]);
		if (f.unfit != 0)
			pp_buf_printf(out, "[lines that did not fit] %lld\n",
			    (long long)f.unfit);
	}
	if (f.path.failed || out->failed)
		status = -1;
	pp_buf_free(&f.path);
	pp_tree_free(&tree);
	return (status);
}
