/*
 * From rows to samples; see tally.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "counts/tally.h"

int
pp_tally_begin(struct pp_tally *tally, struct pp_resolver *resolver)
{
	tally->row = NULL;
	tally->rows = tally->room = 0;
	return (pp_resolve_begin(&tally->ids, resolver));
}

void
pp_tally_end(struct pp_tally *tally)
{
	free(tally->row);
	pp_resolve_end(&tally->ids);
}

int
pp_tally_add(struct pp_tally *tally, const struct pp_tally_row *row)
{
	struct pp_tally_row *bigger;
	uint32_t room;

	if (tally->rows == tally->room) {
		room = tally->room == 0 ? 256 : 2 * tally->room;
		bigger = reallocarray(tally->row, room, sizeof(*bigger));
		if (bigger == NULL)
			return (-1);
		tally->row = bigger;
		tally->room = room;
	}
	tally->row[tally->rows++] = *row;
	return (0);
}

void
pp_tally_resolve(struct pp_tally *tally, uint32_t slot, uint32_t first)
{
	struct pp_tally_row *row;

	if (first == tally->rows)
		return;
	pp_resolve_slot(&tally->ids, slot);
	for (; first < tally->rows; first++) {
		row = &tally->row[first];
		row->stack = pp_resolve_stack(&tally->ids, row->stack);
		row->label = pp_resolve_label(&tally->ids, row->label);
	}
}

static int
compare_number(uint64_t a, uint64_t b)
{
	return ((a > b) - (a < b));
}

static int
compare_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return ((a != NULL) - (b != NULL));
	return (strcmp(a, b));
}

static int
compare_place(const void *a, const void *b, void *arg)
{
	const struct pp_tally_row *left = a, *right = b;
	const struct pp_resolve *ids = arg;
	int order;

	order = pp_stacks_compare(ids->stacks, left->stack, right->stack);
	if (order == 0)
		order =
		    pp_labels_compare(ids->labels, left->label, right->label);
	if (order == 0)
		order = compare_text(left->text, right->text);
	if (order == 0)
		order = compare_number(left->slot, right->slot);
	if (order == 0)
		order = compare_number(left->thread, right->thread);
	return (order);
}

struct by_value {
	struct pp_resolve *ids;
	uint32_t value;
};

static int
compare_value(const void *a, const void *b, void *arg)
{
	const struct pp_tally_row *left = a, *right = b;
	const struct by_value *by = arg;
	int order;

	order = compare_number(right->value[by->value], left->value[by->value]);
	if (order == 0)
		order = compare_number(right->value[1 - by->value],
		    left->value[1 - by->value]);
	return (order != 0 ? order : compare_place(a, b, by->ids));
}

static void
tally_sum(uint64_t *to, uint64_t value)
{
	if (value > PP_TALLY_MAX || *to + value > PP_TALLY_MAX)
		*to = PP_TALLY_MAX;
	else
		*to += value;
}

void
pp_tally_merge(struct pp_tally *tally)
{
	struct pp_tally_row *to = tally->row;
	uint32_t i, kept = 0;
	uint64_t value[2];

	if (tally->rows == 0)
		return;
	qsort_r(to, tally->rows, sizeof(*to), compare_place, &tally->ids);
	for (i = 0; i < tally->rows; i++) {
		value[0] = to[i].value[0];
		value[1] = to[i].value[1];
		if (kept == 0 ||
		    compare_place(&to[kept - 1], &to[i], &tally->ids) != 0) {
			to[kept] = to[i];
			to[kept].value[0] = to[kept].value[1] = 0;
			kept++;
		}
		tally_sum(&to[kept - 1].value[0], value[0]);
		tally_sum(&to[kept - 1].value[1], value[1]);
	}
	tally->rows = kept;
}

static void
tally_head(struct pp_profile *p, const struct pp_tally_kind *kind)
{
	uint32_t i;

	for (i = 0; i < 2 && kind->type[i][0] != NULL; i++) {
		p->value_type[i].type = pp_profile_string(p, kind->type[i][0]);
		p->value_type[i].unit = pp_profile_string(p, kind->type[i][1]);
	}
	p->value_types = i;
	p->period_type = p->value_type[0];
	p->period = 1;
	p->time_ns = pp_clock_wall();
}

static void
tally_sample(struct pp_build *build, const struct pp_tally *tally,
    const struct pp_tally_kind *kind, const struct pp_tally_row *row)
{
	const char *numeric[] = { "worker", "thread", kind->text, NULL };
	int64_t value[PP_VALUES_MAX] = { (int64_t)row->value[0],
		(int64_t)row->value[1] };
	const uint64_t *word;
	uint32_t count;

	pp_profile_sample(build->p, value);
	word = pp_stacks_get(tally->ids.stacks, row->stack, &count);
	pp_build_stack(build, word, count);
	pp_build_labels(build, tally->ids.labels, row->label, numeric);
	if (kind->text != NULL && row->text != NULL)
		pp_profile_label_text(build->p, kind->text, row->text);
	pp_profile_label_number(build->p, "worker", row->slot);
	pp_profile_label_number(build->p, "thread", row->thread);
}

struct pp_build *
pp_tally_build(struct pp_tally *tally, const struct pp_tally_kind *kind)
{
	const struct pp_resolver *resolver = tally->ids.resolver;
	struct by_value by = { &tally->ids, kind->sort_by };
	struct pp_build *build;
	uint32_t i;

	if ((build = pp_build_new(resolver->canon)) == NULL)
		return (NULL);
	if (tally->rows > 0)
		qsort_r(tally->row, tally->rows, sizeof(*tally->row),
		    compare_value, &by);
	tally_head(build->p, kind);
	pp_build_main(build, resolver->arena, resolver->slots);
	for (i = 0; i < tally->rows; i++)
		tally_sample(build, tally, kind, &tally->row[i]);
	return (build);
}

void
pp_tally_comments(const struct pp_tally *tally, struct pp_build *build,
    const char *sort)
{
	const struct pp_resolver *resolver = tally->ids.resolver;
	uint64_t loss[PP_LOSS_COUNT];
	uint32_t i;

	for (i = 0; i < PP_LOSS_COUNT; i++)
		loss[i] = pp_build_loss(resolver->arena, resolver->slots, i);
	pp_build_losses(build, loss, sort);
	pp_resolve_comments(&tally->ids, build->p);
}
