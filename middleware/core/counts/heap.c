/*
 * The counters of all slots as one list, and the list as a profile: ids that
 * mean something in one slot only become canonical stacks and common labels,
 * and equal entries then become one line. See heap.h.
 *
 * Rule: the order depends on what was sampled, not on where it lies, so that
 * the same counters make the same profile.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "counts/heap_private.h"
#include "store/counters.h"

/* The slot's counters, one after the other. */
struct walk {
	struct pp_slot *from;
	uint32_t next;
	uint32_t malformed; /* counters that were left out */
};

static int
walk_next(struct walk *walk, struct pp_heap_counter *out)
{
	struct pp_counters counters = pp_counters_heap(&walk->from->heap);
	struct pp_counter *counter;

	while (walk->next < pp_counters_used(&counters)) {
		counter = &counters.counter[walk->next++];
		if (atomic_load(&counter->key) == 0)
			continue;
		if (pp_heap_counter_read(&walk->from->heap, counter, out) == 0)
			return (1);
		walk->malformed++;
	}
	return (0);
}

static void
list_counter(struct pp_heap_list *list, uint32_t slot,
    const struct pp_heap_counter *counter)
{
	struct pp_heap_entry *entry = &list->entry[list->entries++];
	int64_t inuse[2];

	entry->slot = slot;
	entry->stack = counter->key.stack;
	entry->label = counter->key.label;
	entry->size_class = counter->key.size_class;
	pp_heap_scale(counter->inuse[0], counter->inuse[1], counter->rate,
	    inuse);
	list->view->live[slot] += (uint64_t)inuse[1];
	if (list->raw) {
		pp_heap_scale(counter->inuse[0], counter->inuse[1], 1, inuse);
		pp_heap_scale(counter->alloc[0], counter->alloc[1], 1,
		    entry->value);
	} else {
		pp_heap_scale(counter->alloc[0], counter->alloc[1],
		    counter->rate, entry->value);
	}
	entry->value[PP_HEAP_TYPE_INUSE_OBJECTS] = inuse[0];
	entry->value[PP_HEAP_TYPE_INUSE_SPACE] = inuse[1];
}

/* Add the slot's counters to the end of the list, with the slot's own ids. */
static void
list_counters(struct pp_heap_list *list, uint32_t slot)
{
	struct walk walk = { .from = pp_heap_slot(list->reader, slot) };
	int alive = atomic_load(&walk.from->life.pid) != 0;
	struct pp_heap_counter counter;

	while (walk_next(&walk, &counter)) {
		if (!alive)
			memset(counter.inuse, 0, sizeof(counter.inuse));
		/* The counter may be made while nothing is added to it yet. */
		if (counter.alloc[0] != 0)
			list_counter(list, slot, &counter);
	}
	list->counters_malformed += walk.malformed;
}

void
pp_heap_reader_labels(const struct pp_heap_reader *reader, uint32_t slot,
    void (*each)(void *, uint32_t, const int64_t[2]), void *arg)
{
	struct walk walk = { .from = pp_heap_slot(reader, slot) };
	struct pp_heap_counter counter;
	int64_t alloc[2];

	while (walk_next(&walk, &counter)) {
		pp_heap_scale(counter.alloc[0], counter.alloc[1], counter.rate,
		    alloc);
		each(arg, counter.key.label, alloc);
	}
}

/* Turn the slot's own ids into common ids. This comes after the counters, since
 * all objects of the counters' stacks are known then. */
static void
list_resolve(struct pp_heap_list *list, uint32_t first, uint32_t slot)
{
	struct pp_heap_entry *entry;

	pp_resolve_slot(&list->ids, slot);
	for (; first < list->entries; first++) {
		entry = &list->entry[first];
		entry->stack = pp_resolve_stack(&list->ids, entry->stack);
		entry->label = pp_resolve_label(&list->ids, entry->label);
	}
}

static int
list_read(struct pp_heap_list *list)
{
	const struct pp_heap_reader *reader = list->reader;
	uint32_t slot, first;

	/* The room is for full tables, since they may grow meanwhile; pages
	 * that are not written to cost nothing. */
	list->entry = calloc((size_t)reader->slots * PP_HEAP_COUNTERS,
	    sizeof(*list->entry));
	reader->resolver->words_max = reader->words_max;
	if (pp_resolve_begin(&list->ids, reader->resolver) == -1 ||
	    list->entry == NULL)
		return (-1);
	for (slot = 1; slot < reader->slots; slot++) {
		first = list->entries;
		list_counters(list, slot);
		if (list->entries != first)
			list_resolve(list, first, slot);
	}
	return (0);
}

static void
list_free(struct pp_heap_list *list)
{
	free(list->entry);
	pp_resolve_end(&list->ids);
}

struct pp_heap_reader *
pp_heap_reader_new(const struct pp_arena *arena, uint32_t slots,
    struct pp_address_map *map)
{
	struct pp_heap_reader *reader;

	if ((reader = calloc(1, sizeof(*reader))) == NULL)
		return (NULL);
	reader->resolver =
	    pp_resolver_new((struct pp_arena *)(uintptr_t)arena, slots, map);
	if (reader->resolver == NULL) {
		free(reader);
		return (NULL);
	}
	reader->arena = arena;
	reader->slots = slots;
	reader->map = map;
	reader->words_max = PP_SESSION_WORDS_MAX;
	return (reader);
}

void
pp_heap_reader_free(struct pp_heap_reader *reader)
{
	if (reader == NULL)
		return;
	pp_resolver_free(reader->resolver);
	free(reader);
}

uint64_t
pp_heap_reader_count(const struct pp_heap_reader *reader)
{
	struct pp_counters counters;
	uint64_t count = 0;
	uint32_t slot, used, i;

	for (slot = 1; slot < reader->slots; slot++) {
		counters = pp_counters_heap(&pp_heap_slot(reader, slot)->heap);
		used = pp_counters_used(&counters);
		for (i = 0; i < used; i++)
			count += atomic_load(&counters.counter[i].key) != 0;
	}
	return (count);
}

uint64_t
pp_heap_reader_live(const struct pp_heap_reader *reader)
{
	struct pp_heap_counter counter;
	uint64_t live = 0;
	struct walk walk;
	uint32_t slot;
	int64_t inuse[2];

	for (slot = 1; slot < reader->slots; slot++) {
		walk = (struct walk){ .from = pp_heap_slot(reader, slot) };
		if (atomic_load(&walk.from->life.pid) == 0)
			continue;
		while (walk_next(&walk, &counter)) {
			pp_heap_scale(counter.inuse[0], counter.inuse[1],
			    counter.rate, inuse);
			live += (uint64_t)inuse[1];
		}
	}
	return (live);
}

/* Find out the rate. Raw values mean something only if there is one rate. */
static void
heap_rates(const struct pp_heap_reader *reader, struct pp_heap_view *view)
{
	struct pp_heap_counter counter;
	struct walk walk;
	uint64_t rate = 0;
	uint32_t slot;

	view->mixed = 0;
	for (slot = 1; slot < reader->slots; slot++) {
		walk = (struct walk){ .from = pp_heap_slot(reader, slot) };
		while (walk_next(&walk, &counter)) {
			if (rate != 0 && counter.rate != rate)
				view->mixed = 1;
			rate = counter.rate;
		}
	}
	if (rate == 0)
		rate = atomic_load(&reader->arena->control.heap_rate);
	view->rate = view->mixed ? 1 : rate;
}

static int
compare_place(const void *a, const void *b, void *arg)
{
	const struct pp_heap_entry *left = a, *right = b;
	const struct pp_heap_list *list = arg;
	int order;

	order = pp_stacks_compare(list->ids.stacks, left->stack, right->stack);
	if (order == 0)
		order = pp_labels_compare(list->ids.labels, left->label,
		    right->label);
	if (order == 0)
		order = (left->size_class > right->size_class) -
		    (left->size_class < right->size_class);
	if (order == 0)
		order = (left->slot > right->slot) - (left->slot < right->slot);
	return (order);
}

static int
compare_value(const void *a, const void *b, void *arg)
{
	static const enum pp_heap_type by[] = { PP_HEAP_TYPE_INUSE_SPACE,
		PP_HEAP_TYPE_ALLOC_SPACE, PP_HEAP_TYPE_INUSE_OBJECTS,
		PP_HEAP_TYPE_ALLOC_OBJECTS };
	const struct pp_heap_entry *left = a, *right = b;
	size_t i;

	for (i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		if (left->value[by[i]] != right->value[by[i]])
			return (
			    left->value[by[i]] > right->value[by[i]] ? -1 : 1);
	}
	return (compare_place(a, b, arg));
}

/* Make one line of entries that are equal but for their values: two counters
 * had different rates, or their stack was taken before and after some object
 * was loaded. */
static void
heap_merge(struct pp_heap_list *list)
{
	struct pp_heap_entry *to = list->entry;
	uint32_t i, kept = 0, v;
	uint64_t sum;

	qsort_r(list->entry, list->entries, sizeof(*to), compare_place, list);
	for (i = 0; i < list->entries; i++) {
		if (kept == 0 ||
		    compare_place(&to[kept - 1], &to[i], list) != 0) {
			to[kept++] = to[i];
			continue;
		}
		for (v = 0; v < 4; v++) {
			sum = (uint64_t)to[kept - 1].value[v] +
			    (uint64_t)to[i].value[v];
			to[kept - 1].value[v] = sum < PP_HEAP_VALUE_MAX
			    ? (int64_t)sum
			    : PP_HEAP_VALUE_MAX;
		}
	}
	list->entries = kept;
	qsort_r(list->entry, kept, sizeof(*to), compare_value, list);
}

static void
heap_head(struct pp_profile *p, const struct pp_heap_list *list)
{
	static const char *const type[][2] = {
		[PP_HEAP_TYPE_ALLOC_OBJECTS] = { "alloc_objects", "count" },
		[PP_HEAP_TYPE_ALLOC_SPACE] = { "alloc_space", "bytes" },
		[PP_HEAP_TYPE_INUSE_OBJECTS] = { "inuse_objects", "count" },
		[PP_HEAP_TYPE_INUSE_SPACE] = { "inuse_space", "bytes" },
	};
	uint64_t rate;
	uint32_t i;

	for (i = 0; i < 4; i++) {
		p->value_type[i].type = pp_profile_string(p, type[i][0]);
		p->value_type[i].unit = pp_profile_string(p, type[i][1]);
	}
	p->value_types = 4;
	p->period_type.type = pp_profile_string(p, "space");
	p->period_type.unit = pp_profile_string(p, "bytes");
	rate = atomic_load(&list->reader->arena->control.heap_rate);
	p->period = rate < PP_HEAP_RATE_MAX ? (int64_t)rate : PP_HEAP_RATE_MAX;
	p->time_ns = pp_clock_wall();
	p->default_type = pp_profile_string(p, list->view->default_type);
}

static void
heap_sample(struct pp_build *build, const struct pp_heap_list *list,
    const struct pp_heap_entry *entry)
{
	static const char *const numeric[] = { "worker", "bytes", NULL };
	const uint64_t *word;
	uint32_t count;

	pp_profile_sample(build->p, entry->value);
	word = pp_stacks_get(list->ids.stacks, entry->stack, &count);
	pp_build_stack(build, word, count);
	pp_build_labels(build, list->ids.labels, entry->label, numeric);
	pp_profile_label_number(build->p, "worker", entry->slot);
	/* The label is the class, not the mean: the mean moves, and for a
	 * scraper that takes differences a sample with another label is another
	 * sample. */
	pp_profile_label_number(build->p, "bytes",
	    (int64_t)pp_heap_class_first(entry->size_class));
}

static void
heap_comments(struct pp_build *build, const struct pp_heap_list *list)
{
	const struct pp_heap_reader *reader = list->reader;
	struct pp_profile *p = build->p;
	uint64_t loss[PP_LOSS_COUNT];
	uint32_t i, workers = 0;

	for (i = 1; i < reader->slots; i++)
		workers += atomic_load(&reader->arena->slot[i].life.pid) > 0;
	for (i = 0; i < PP_LOSS_COUNT; i++)
		loss[i] = pp_build_loss(reader->arena, reader->slots, i);
	pp_profile_comment(p, "heap_rate=%lld", (long long)p->period);
	pp_profile_comment(p, "workers=%u", workers);
	if ((atomic_load(&reader->arena->entry_refused) & PP_ENTRIES_MEMORY) !=
	    0)
		pp_profile_comment(p, "entry_patch=refused");
	pp_build_losses(build, loss, "heap_");
	pp_profile_comment(p, "heap_rows_malformed=%llu",
	    (unsigned long long)list->counters_malformed);
	pp_profile_comment(p, "heap_stacks_unreadable=%llu",
	    (unsigned long long)list->ids.stacks_unreadable);
	pp_profile_comment(p, "heap_stacks_dropped=%llu",
	    (unsigned long long)list->ids.stacks_dropped);
	pp_profile_comment(p, "heap_labels_unreadable=%llu",
	    (unsigned long long)list->ids.labels_unreadable);
}

struct pp_profile *
pp_heap_reader_profile(struct pp_heap_reader *reader, struct pp_heap_view *view)
{
	struct pp_heap_list list = { .reader = reader, .view = view };
	struct pp_build *build = NULL;
	uint32_t i;

	memset(view->live, 0, sizeof(view->live));
	view->rate = 1;
	view->mixed = 0;
	if (view->raw) {
		heap_rates(reader, view);
		list.raw = !view->mixed;
	}
	if (list_read(&list) == 0 &&
	    (build = pp_build_new(reader->map)) != NULL) {
		heap_merge(&list);
		heap_head(build->p, &list);
		pp_build_main(build, reader->arena, reader->slots);
		for (i = 0; i < list.entries; i++)
			heap_sample(build, &list, &list.entry[i]);
		heap_comments(build, &list);
	}
	list_free(&list);
	return (pp_build_done(build));
}
