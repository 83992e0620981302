/*
 * The list of activities as profiles. See progress.h.
 */
#include <stdlib.h>

#include "counts/tally.h"
#include "live/progress.h"

static const struct pp_tally_kind progress_kind = {
	{ { "goroutine", "count" } }, 0, "state"
};

static void
profile_comments(const struct pp_progress_list *list, struct pp_build *build)
{
	struct pp_profile *p = build->p;

	pp_tally_comments(list->tally, build, "flights_");
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
pp_progress_profile(struct pp_progress_list *list)
{
	struct pp_tally_row row = { .value = { 1, 0 } };
	const struct pp_progress_item *item;
	struct pp_build *build;
	uint32_t i;

	for (i = 0; i < list->items; i++) {
		item = &list->item[i];
		row.slot = item->slot;
		row.stack = item->stack;
		row.label = item->label;
		row.thread = item->tid;
		row.text = item->state;
		if (pp_tally_add(list->tally, &row) == -1)
			return (NULL);
	}
	pp_tally_merge(list->tally);
	build = pp_tally_build(list->tally, &progress_kind);
	if (build != NULL)
		profile_comments(list, build);
	return (pp_build_done(build));
}

const char *
pp_progress_labels(const struct pp_progress_list *list, uint32_t label)
{
	return (pp_labels_text(list->tally->ids.labels, label));
}

static int
compare_stack(const void *a, const void *b)
{
	const struct pp_progress_item *left = a, *right = b;

	return ((left->stack > right->stack) - (left->stack < right->stack));
}

static int
compare_age(const void *a, const void *b)
{
	const struct pp_progress_item *left = a, *right = b;

	if (left->kind != right->kind)
		return (
		    (left->kind > right->kind) - (left->kind < right->kind));
	if (left->started_ns != right->started_ns)
		return (left->started_ns < right->started_ns ? -1 : 1);
	return ((left->id > right->id) - (left->id < right->id));
}

struct pp_profile *
pp_progress_stacks(struct pp_progress_list *list)
{
	const struct pp_resolver *resolver = list->tally->ids.resolver;
	int64_t value[PP_VALUES_MAX] = { 1 };
	struct pp_progress_item *item;
	uint32_t i, count, last = 0;
	struct pp_build *build;
	const uint64_t *word;

	if ((build = pp_build_new(resolver->canon)) == NULL)
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
			word = pp_stacks_get(list->tally->ids.stacks, last,
			    &count);
			pp_build_stack(build, word, count);
		}
		item->stack = build->p->samples - 1;
	}
	if (list->items > 0)
		qsort(list->item, list->items, sizeof(*item), compare_age);
	return (pp_build_done(build));
}
