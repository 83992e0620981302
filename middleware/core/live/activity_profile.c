/*
 * The list of activity.h as profiles.
 */
#include <stdlib.h>

#include "counts/aggregate.h"
#include "live/activity.h"

static const struct pp_aggregate_kind activity_kind = {
	{ { "goroutine", "count" } }, 0, "state"
};

static void
profile_comments(const struct pp_activity_list *list, struct pp_build *build)
{
	struct pp_profile *p = build->p;

	pp_aggregate_comments(list->aggregate, build, "flights_");
	pp_profile_comment(p, "threads_not_answering=%llu",
	    (unsigned long long)list->silent);
	pp_profile_comment(p, "in_progress_dropped=%llu",
	    (unsigned long long)list->dropped);
	pp_profile_comment(p, "in_progress_changed=%llu",
	    (unsigned long long)list->changed);
	pp_profile_comment(p, "in_progress_malformed=%llu",
	    (unsigned long long)list->malformed);
}

struct pp_profile *
pp_activity_profile(struct pp_activity_list *list)
{
	struct pp_aggregate_entry entry = { .value = { 1, 0 } };
	const struct pp_activity_item *item;
	struct pp_build *build;
	uint32_t i;

	for (i = 0; i < list->items; i++) {
		item = &list->item[i];
		entry.slot = item->slot;
		entry.stack = item->stack;
		entry.label = item->label;
		entry.thread = item->tid;
		entry.text = item->state;
		if (pp_aggregate_add(list->aggregate, &entry) == -1)
			return (NULL);
	}
	pp_aggregate_merge(list->aggregate);
	build = pp_aggregate_build(list->aggregate, &activity_kind);
	if (build != NULL)
		profile_comments(list, build);
	return (pp_build_done(build));
}

const char *
pp_activity_labels(const struct pp_activity_list *list, uint32_t label)
{
	return (pp_labels_text(list->aggregate->ids.labels, label));
}

static int
compare_stack(const void *a, const void *b)
{
	const struct pp_activity_item *left = a, *right = b;

	return ((left->stack > right->stack) - (left->stack < right->stack));
}

static int
compare_age(const void *a, const void *b)
{
	const struct pp_activity_item *left = a, *right = b;

	if (left->kind != right->kind)
		return (
		    (left->kind > right->kind) - (left->kind < right->kind));
	if (left->started_ns != right->started_ns)
		return (left->started_ns < right->started_ns ? -1 : 1);
	return ((left->id > right->id) - (left->id < right->id));
}

struct pp_profile *
pp_activity_stacks(struct pp_activity_list *list)
{
	const struct pp_resolver *resolver = list->aggregate->ids.resolver;
	int64_t value[PP_VALUES_MAX] = { 1 };
	struct pp_activity_item *item;
	uint32_t i, count, last = 0;
	struct pp_build *build;
	const uint64_t *word;

	if ((build = pp_build_new(resolver->map)) == NULL)
		return (NULL);
	build->p->value_types = 1;
	pp_build_main(build, resolver->arena, resolver->slots);
	if (list->items > 0)
		qsort(list->item, list->items, sizeof(*item), compare_stack);
	for (i = 0; i < list->items; i++) {
		item = &list->item[i];
		if (i == 0 || item->stack != last) {
			last = item->stack;
			pp_profile_sample(build->p, value);
			word = pp_stacks_get(list->aggregate->ids.stacks, last,
			    &count);
			pp_build_stack(build, word, count);
		}
		item->stack = build->p->samples - 1;
	}
	if (list->items > 0)
		qsort(list->item, list->items, sizeof(*item), compare_age);
	return (pp_build_done(build));
}
