/*
 * The table of functions; top.c makes the sums.
 *
 *     Type: cpu
 *     Showing nodes accounting for 460ms, 100% of 460ms total
 *           flat  flat%   sum%        cum   cum%
 *          240ms 52.17% 52.17%      240ms 52.17%  fib (inline)
 */
#include "encode/text/text_top.h"

#include <string.h>
#include <time.h>

#include "encode/bytes/measure.h"
#include "encode/text/top.h"
#include "profile/frames.h"

struct table {
	const struct pp_profile *p;
	const struct pp_value_type *type;
	const struct pp_top *top;
	int best;	     /* 1: each number has its best unit */
	struct pp_unit unit; /* otherwise the unit of all numbers */
	struct pp_buf *out;
};

static void
table_value(const struct table *t, char text[PP_MEASURE_MAX], int64_t value)
{
	if (t->best)
		pp_measure_best(text, value, t->type->unit);
	else
		pp_measure_text(text, value, t->unit);
}

/* Choose one unit for the whole table: that of the smallest number. If the
 * largest number has a larger unit and is more than a hundred times the
 * smallest, the unit is that of a hundred times the smallest. */
static void
table_choose(struct table *t)
{
	const struct pp_top_node *node;
	int64_t least = 0, value, most = t->top->total;
	struct pp_unit small, large;
	uint32_t i;

	t->best = t->top->rows == 0;
	for (i = 0; i < t->top->rows; i++) {
		node = &t->top->node[t->top->row[i]];
		value = pp_measure_abs(node->flat);
		if (value == 0)
			value = pp_measure_abs(node->cum);
		if (value > 0 && (least == 0 || value < least))
			least = value;
	}
	if (least == 0)
		least = most;
	small = pp_measure_unit(least, t->type->unit);
	large = pp_measure_unit(most, t->type->unit);
	t->unit = small;
	if (strcmp(small.name, large.name) != 0 && (__int128)least * 100 < most)
		t->unit = pp_measure_unit(100 * least, t->type->unit);
}

/* Write a name without newlines: it has one line. */
static void
line_text(struct pp_buf *out, const char *text)
{
	char c;

	for (; (c = *text) != '\0'; text++) {
		if ((unsigned char)c < ' ' || c == 0x7f)
			c = '?';
		pp_buf_append(out, &c, 1);
	}
}

static void
head_file(const struct table *t)
{
	const struct pp_mapping *first = t->p->mapping;
	const char *slash;

	if (t->p->mappings == 0)
		return;
	if (first->file[0] != '\0') {
		slash = strrchr(first->file, '/');
		pp_buf_text(t->out, "File: ");
		line_text(t->out, slash == NULL ? first->file : slash + 1);
		pp_buf_text(t->out, "\n");
	}
	if (first->build_id[0] != '\0')
		pp_buf_printf(t->out, "Build ID: %s\n", first->build_id);
}

static void
head_times(const struct table *t)
{
	time_t seconds = (time_t)(t->p->time_ns / 1000000000);
	char text[PP_MEASURE_MAX], total[PP_MEASURE_MAX];
	struct tm tm;

	if (t->p->time_ns != 0 && gmtime_r(&seconds, &tm) != NULL) {
		strftime(text, sizeof(text), "%b %-d, %Y at %-I:%M", &tm);
		pp_buf_printf(t->out, "Time: %s%s (UTC)\n", text,
		    tm.tm_hour < 12 ? "am" : "pm");
	}
	if (t->p->duration_ns == 0)
		return;
	pp_measure_best(text, t->p->duration_ns, "nanoseconds");
	table_value(t, total, t->top->total);
	pp_buf_printf(t->out, "Duration: %s, Total samples = %s ", text, total);
	if (t->top->total != 0 && strcmp(t->type->unit, "nanoseconds") == 0) {
		pp_measure_share(text, t->top->total, t->p->duration_ns);
		pp_buf_printf(t->out, "(%s)", text);
	}
	pp_buf_text(t->out, "\n");
}

static void
head_write(const struct table *t)
{
	uint32_t i;

	head_file(t);
	for (i = 0; i < t->p->comments; i++) {
		if (t->p->comment[i][0] == '#')
			continue;
		line_text(t->out, t->p->comment[i]);
		pp_buf_text(t->out, "\n");
	}
	pp_buf_text(t->out, "Type: ");
	line_text(t->out, t->type->type);
	pp_buf_text(t->out, "\n");
	head_times(t);
}

static void
head_sums(const struct table *t)
{
	char value[PP_MEASURE_MAX], share[PP_MEASURE_MAX];
	const struct pp_top *top = t->top;
	int64_t sum = 0;
	uint32_t i;

	for (i = 0; i < top->rows; i++)
		sum += top->node[top->row[i]].flat;
	table_value(t, value, sum);
	pp_measure_share(share, sum, top->total);
	pp_buf_printf(t->out, "Showing nodes accounting for %s, %s of ", value,
	    share + strspn(share, " "));
	table_value(t, value, top->total);
	pp_buf_printf(t->out, "%s total\n", value);
	if (top->total == 0)
		return;
	if (top->dropped > 0) {
		table_value(t, value, pp_top_cutoff(top->total));
		pp_buf_printf(t->out, "Dropped %u node%s (cum <= %s)\n",
		    top->dropped, top->dropped == 1 ? "" : "s", value);
	}
	if (top->rows > 0 && top->rows < top->left)
		pp_buf_printf(t->out, "Showing top %u nodes out of %u\n",
		    top->rows, top->left);
}

static void
row_write(const struct table *t, const struct pp_top_node *node, int64_t sum)
{
	char flat[PP_MEASURE_MAX], cum[PP_MEASURE_MAX];
	char share[3][PP_MEASURE_MAX];
	int object;

	table_value(t, flat, node->flat);
	table_value(t, cum, node->cum);
	pp_measure_share(share[0], node->flat, t->top->total);
	pp_measure_share(share[1], sum, t->top->total);
	pp_measure_share(share[2], node->cum, t->top->total);
	pp_buf_printf(t->out, "%10s %s %s %10s %s  ", flat, share[0], share[1],
	    cum, share[2]);
	object = node->nameless && strcmp(node->name, PP_FRAMES_UNKNOWN) != 0;
	pp_buf_text(t->out, object ? "[" : "");
	line_text(t->out, node->name);
	pp_buf_text(t->out, object ? "]" : "");
	if (node->inlined)
		pp_buf_text(t->out,
		    node->called ? " (partial-inline)" : " (inline)");
	pp_buf_text(t->out, "\n");
}

int
pp_encode_text_top(const struct pp_profile *p, uint32_t value,
    const char *title, struct pp_buf *out)
{
	struct pp_top top;
	struct table t = { .p = p,
		.type = &p->value_type[value],
		.top = &top,
		.out = out };
	int64_t sum = 0;
	uint32_t i;
	int status;

	(void)title;
	status = pp_top_make(&top, p, value, PP_TEXT_TOP_ROWS);
	if (status == 0) {
		table_choose(&t);
		head_write(&t);
		head_sums(&t);
		pp_buf_text(out,
		    "      flat  flat%   sum%        cum   cum%\n");
		for (i = 0; i < top.rows; i++) {
			sum += top.node[top.row[i]].flat;
			row_write(&t, &top.node[top.row[i]], sum);
		}
	}
	pp_top_free(&top);
	return (status == -1 || out->failed ? -1 : 0);
}
