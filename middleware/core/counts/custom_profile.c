/*
 * Names and counters of custom profiles; see custom_profile.h.
 */
#include <stdlib.h>
#include <string.h>

#include "counts/aggregate.h"
#include "counts/custom_profile.h"
#include "store/counters.h"
#include "store/waits.h"

/* Copy out the name at index `place`. Returns -1 if it is no name. */
static int
custom_name(const struct pp_custom *custom, uint32_t place,
    char name[PP_CUSTOM_NAME_MAX])
{
	const char *c;

	memcpy(name, custom->name[place], PP_CUSTOM_NAME_MAX);
	name[PP_CUSTOM_NAME_MAX - 1] = '\0';
	for (c = name; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~' || *c == '/')
			return (-1);
	}
	return (c == name ? -1 : 0);
}

static uint32_t
custom_places(const struct pp_custom *custom)
{
	uint32_t used = atomic_load(&custom->used);

	return (used < PP_CUSTOM_MAX ? used : PP_CUSTOM_MAX);
}

/* The removed value is read before the added one: what is removed meanwhile
 * still counts as held, and the removed value never exceeds the added one. */
static uint64_t
custom_held(const struct pp_counter *counter)
{
	uint64_t removed, added;

	removed = atomic_load(&counter->value[PP_CUSTOM_VALUE_REMOVED]);
	added = atomic_load(&counter->value[PP_CUSTOM_VALUE_ADDED]);
	return (added > removed ? added - removed : 0);
}

/* Sum up what the slot holds under each name's index. If no process lives in
 * the slot, all sums are 0. */
static void
custom_sums(const struct pp_resolver *resolver, uint32_t slot,
    uint64_t held[PP_CUSTOM_MAX])
{
	struct pp_slot *from = &resolver->arena->slot[slot];
	struct pp_counters counters = pp_counters_waits(&from->custom.counters);
	uint32_t used = pp_counters_used(&counters), i, place, label, stack;
	uint64_t key;

	memset(held, 0, PP_CUSTOM_MAX * sizeof(*held));
	if (atomic_load(&from->life.pid) <= 0)
		return;
	for (i = 0; i < used; i++) {
		key = atomic_load(&counters.counter[i].key);
		if (key == 0)
			continue;
		pp_wait_unpack(key, &place, &label, &stack);
		if (place < PP_CUSTOM_MAX)
			held[place] += custom_held(&counters.counter[i]);
	}
}

static void
list_add(struct pp_counts_custom_names *list, const char *name, uint64_t held)
{
	uint32_t i, at;
	int order = 1;

	for (at = 0; at < list->used; at++) {
		if ((order = strcmp(name, list->name[at])) <= 0)
			break;
	}
	if (at < list->used && order == 0) {
		list->held[at] += held;
		return;
	}
	if (list->used == PP_CUSTOM_NAMES_MAX) {
		list->dropped++;
		return;
	}
	for (i = list->used++; i > at; i--) {
		memcpy(list->name[i], list->name[i - 1], PP_CUSTOM_NAME_MAX);
		list->held[i] = list->held[i - 1];
	}
	memcpy(list->name[at], name, PP_CUSTOM_NAME_MAX);
	list->held[at] = held;
}

void
pp_counts_custom_names(const struct pp_resolver *resolver,
    struct pp_counts_custom_names *out)
{
	const struct pp_custom *custom;
	char name[PP_CUSTOM_NAME_MAX];
	uint64_t held[PP_CUSTOM_MAX];
	uint32_t slot, place;

	memset(out, 0, sizeof(*out));
	for (slot = 1; slot < resolver->slots; slot++) {
		custom = &resolver->arena->slot[slot].custom;
		if (custom_places(custom) == 0)
			continue;
		custom_sums(resolver, slot, held);
		for (place = 0; place < custom_places(custom); place++) {
			if (custom_name(custom, place, name) == 0)
				list_add(out, name, held[place]);
		}
	}
}

/* Return a bit for each index that has this name: two threads may have claimed
 * one index each for it at the same moment. */
static uint32_t
custom_find(const struct pp_custom *custom, const char *name)
{
	char found[PP_CUSTOM_NAME_MAX];
	uint32_t place, places = 0;

	for (place = 0; place < custom_places(custom); place++) {
		if (custom_name(custom, place, found) == 0 &&
		    strcmp(found, name) == 0)
			places |= 1U << place;
	}
	return (places);
}

static int
custom_read(struct pp_aggregate *aggregate, uint32_t slot, uint32_t places)
{
	struct pp_slot *from = &aggregate->ids.resolver->arena->slot[slot];
	struct pp_counters counters = pp_counters_waits(&from->custom.counters);
	struct pp_aggregate_entry entry = { .slot = slot };
	uint32_t used = pp_counters_used(&counters), i, place,
		 first = aggregate->entries;
	uint64_t key;

	for (i = 0; i < used; i++) {
		key = atomic_load_explicit(&counters.counter[i].key,
		    memory_order_acquire);
		if (key == 0)
			continue;
		pp_wait_unpack(key, &place, &entry.label, &entry.stack);
		if (place >= PP_CUSTOM_MAX || (places & 1U << place) == 0)
			continue;
		entry.value[0] = custom_held(&counters.counter[i]);
		if (entry.value[0] != 0 &&
		    pp_aggregate_add(aggregate, &entry) == -1)
			return (-1);
	}
	pp_aggregate_resolve(aggregate, slot, first);
	return (0);
}

struct pp_profile *
pp_counts_custom_profile(struct pp_resolver *resolver, const char *name)
{
	struct pp_aggregate_kind kind = { { { name, "count" } }, 0, NULL };
	struct pp_build *build = NULL;
	struct pp_aggregate aggregate;
	uint32_t slot, places;
	int status;

	status = pp_aggregate_begin(&aggregate, resolver);
	for (slot = 1; status == 0 && slot < resolver->slots; slot++) {
		places = custom_find(&resolver->arena->slot[slot].custom, name);
		if (places != 0 &&
		    atomic_load(&resolver->arena->slot[slot].life.pid) > 0)
			status = custom_read(&aggregate, slot, places);
	}
	if (status == 0) {
		pp_aggregate_merge(&aggregate);
		build = pp_aggregate_build(&aggregate, &kind);
		if (build != NULL)
			pp_aggregate_comments(&aggregate, build, "own_");
	}
	pp_aggregate_end(&aggregate);
	return (pp_build_done(build));
}
