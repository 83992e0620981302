/*
 * From entries to samples; see aggregate.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "counts/aggregate.h"

int
pp_aggregate_begin(struct pp_aggregate *aggregate, struct pp_resolver *resolver)
{
	aggregate->entry = NULL;
	aggregate->entries = aggregate->room = 0;
	return (pp_resolve_begin(&aggregate->ids, resolver));
}

void
pp_aggregate_end(struct pp_aggregate *aggregate)
{
	free(aggregate->entry);
	pp_resolve_end(&aggregate->ids);
}

int
pp_aggregate_add(struct pp_aggregate *aggregate,
    const struct pp_aggregate_entry *entry)
{
	struct pp_aggregate_entry *bigger;
	uint32_t room;

	if (aggregate->entries == aggregate->room) {
		room = aggregate->room == 0 ? 256 : 2 * aggregate->room;
		bigger = reallocarray(aggregate->entry, room, sizeof(*bigger));
		if (bigger == NULL)
			return (-1);
		aggregate->entry = bigger;
		aggregate->room = room;
	}
	aggregate->entry[aggregate->entries++] = *entry;
	return (0);
}

void
pp_aggregate_resolve(struct pp_aggregate *aggregate, uint32_t slot,
    uint32_t first)
{
	struct pp_aggregate_entry *entry;

	if (first == aggregate->entries)
		return;
	pp_resolve_slot(&aggregate->ids, slot);
	for (; first < aggregate->entries; first++) {
		entry = &aggregate->entry[first];
		entry->stack = pp_resolve_stack(&aggregate->ids, entry->stack);
		entry->label = pp_resolve_label(&aggregate->ids, entry->label);
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
	const struct pp_aggregate_entry *left = a, *right = b;
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
	const struct pp_aggregate_entry *left = a, *right = b;
	const struct by_value *by = arg;
	int order;

	order = compare_number(right->value[by->value], left->value[by->value]);
	if (order == 0)
		order = compare_number(right->value[1 - by->value],
		    left->value[1 - by->value]);
	return (order != 0 ? order : compare_place(a, b, by->ids));
}

static void
aggregate_sum(uint64_t *to, uint64_t value)
{
	if (value > PP_AGGREGATE_MAX || *to + value > PP_AGGREGATE_MAX)
		*to = PP_AGGREGATE_MAX;
	else
		*to += value;
}

void
pp_aggregate_merge(struct pp_aggregate *aggregate)
{
	struct pp_aggregate_entry *to = aggregate->entry;
	uint32_t i, kept = 0;
	uint64_t value[2];

	if (aggregate->entries == 0)
		return;
	qsort_r(to, aggregate->entries, sizeof(*to), compare_place,
	    &aggregate->ids);
	for (i = 0; i < aggregate->entries; i++) {
		value[0] = to[i].value[0];
		value[1] = to[i].value[1];
		if (kept == 0 ||
		    compare_place(&to[kept - 1], &to[i], &aggregate->ids) !=
			0) {
			to[kept] = to[i];
			to[kept].value[0] = to[kept].value[1] = 0;
			kept++;
		}
		aggregate_sum(&to[kept - 1].value[0], value[0]);
		aggregate_sum(&to[kept - 1].value[1], value[1]);
	}
	aggregate->entries = kept;
}

static void
aggregate_head(struct pp_profile *p, const struct pp_aggregate_kind *kind)
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
aggregate_sample(struct pp_build *build, const struct pp_aggregate *aggregate,
    const struct pp_aggregate_kind *kind,
    const struct pp_aggregate_entry *entry)
{
	const char *numeric[] = { "worker", "thread", kind->text, NULL };
	int64_t value[PP_VALUES_MAX] = { (int64_t)entry->value[0],
		(int64_t)entry->value[1] };
	const uint64_t *word;
	uint32_t count;

	pp_profile_sample(build->p, value);
	word = pp_stacks_get(aggregate->ids.stacks, entry->stack, &count);
	pp_build_stack(build, word, count);
	pp_build_labels(build, aggregate->ids.labels, entry->label, numeric);
	if (kind->text != NULL && entry->text != NULL)
		pp_profile_label_text(build->p, kind->text, entry->text);
	pp_profile_label_number(build->p, "worker", entry->slot);
	pp_profile_label_number(build->p, "thread", entry->thread);
}

struct pp_build *
pp_aggregate_build(struct pp_aggregate *aggregate,
    const struct pp_aggregate_kind *kind)
{
	const struct pp_resolver *resolver = aggregate->ids.resolver;
	struct by_value by = { &aggregate->ids, kind->sort_by };
	struct pp_build *build;
	uint32_t i;

	if ((build = pp_build_new(resolver->map)) == NULL)
		return (NULL);
	if (aggregate->entries > 0)
		qsort_r(aggregate->entry, aggregate->entries,
		    sizeof(*aggregate->entry), compare_value, &by);
	aggregate_head(build->p, kind);
	pp_build_main(build, resolver->arena, resolver->slots);
	for (i = 0; i < aggregate->entries; i++)
		aggregate_sample(build, aggregate, kind, &aggregate->entry[i]);
	return (build);
}

void
pp_aggregate_comments(const struct pp_aggregate *aggregate,
    struct pp_build *build, const char *prefix)
{
	const struct pp_resolver *resolver = aggregate->ids.resolver;
	uint64_t loss[PP_LOSS_COUNT];
	uint32_t i;

	for (i = 0; i < PP_LOSS_COUNT; i++)
		loss[i] = pp_build_loss(resolver->arena, resolver->slots, i);
	pp_build_losses(build, loss, prefix);
	pp_resolve_comments(&aggregate->ids, build->p);
}
