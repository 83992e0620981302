/*
 * Names and rows of custom profiles; see own.h.
 */
#include <stdlib.h>
#include <string.h>

#include "counts/own.h"
#include "counts/tally.h"
#include "store/rows.h"
#include "store/waits.h"

/* Copy out the name at index `place`. Returns -1 if it is no name. */
static int
own_name(const struct pp_own *own, uint32_t place, char name[PP_OWN_NAME_MAX])
{
	const char *c;

	memcpy(name, own->name[place], PP_OWN_NAME_MAX);
	name[PP_OWN_NAME_MAX - 1] = '\0';
	for (c = name; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~' || *c == '/')
			return (-1);
	}
	return (c == name ? -1 : 0);
}

static uint32_t
own_places(const struct pp_own *own)
{
	uint32_t used = atomic_load(&own->used);

	return (used < PP_OWN_MAX ? used : PP_OWN_MAX);
}

/* The removed value is read first: what is removed meanwhile still counts as
 * held, and the removed value never exceeds the added one. */
static uint64_t
own_held(const struct pp_row *row)
{
	uint64_t removed, added;

	removed = atomic_load(&row->value[PP_OWN_VALUE_REMOVED]);
	added = atomic_load(&row->value[PP_OWN_VALUE_ADDED]);
	return (added > removed ? added - removed : 0);
}

/* Sum up what the slot holds under each name's index. If no process lives in
 * the slot, all sums are 0. */
static void
own_sums(const struct pp_resolver *resolver, uint32_t slot,
    uint64_t held[PP_OWN_MAX])
{
	struct pp_slot *from = &resolver->arena->slot[slot];
	struct pp_rows rows = pp_rows_waits(&from->own.rows);
	uint32_t used = pp_rows_used(&rows), i, place, label, stack;
	uint64_t key;

	memset(held, 0, PP_OWN_MAX * sizeof(*held));
	if (atomic_load(&from->life.pid) <= 0)
		return;
	for (i = 0; i < used; i++) {
		key = atomic_load(&rows.row[i].key);
		if (key == 0)
			continue;
		pp_wait_unpack(key, &place, &label, &stack);
		if (place < PP_OWN_MAX)
			held[place] += own_held(&rows.row[i]);
	}
}

static void
list_add(struct pp_own_list *list, const char *name, uint64_t held)
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
	if (list->used == PP_OWN_NAMES_MAX) {
		list->dropped++;
		return;
	}
	for (i = list->used++; i > at; i--) {
		memcpy(list->name[i], list->name[i - 1], PP_OWN_NAME_MAX);
		list->held[i] = list->held[i - 1];
	}
	memcpy(list->name[at], name, PP_OWN_NAME_MAX);
	list->held[at] = held;
}

void
pp_own_list(const struct pp_resolver *resolver, struct pp_own_list *out)
{
	const struct pp_own *own;
	char name[PP_OWN_NAME_MAX];
	uint64_t held[PP_OWN_MAX];
	uint32_t slot, place;

	memset(out, 0, sizeof(*out));
	for (slot = 1; slot < resolver->slots; slot++) {
		own = &resolver->arena->slot[slot].own;
		if (own_places(own) == 0)
			continue;
		own_sums(resolver, slot, held);
		for (place = 0; place < own_places(own); place++) {
			if (own_name(own, place, name) == 0)
				list_add(out, name, held[place]);
		}
	}
}

/* Return a bit for each index that has this name: two threads may have claimed
 * one index each for it at the same moment. */
static uint32_t
own_find(const struct pp_own *own, const char *name)
{
	char found[PP_OWN_NAME_MAX];
	uint32_t place, places = 0;

	for (place = 0; place < own_places(own); place++) {
		if (own_name(own, place, found) == 0 &&
		    strcmp(found, name) == 0)
			places |= 1U << place;
	}
	return (places);
}

static int
own_read(struct pp_tally *tally, uint32_t slot, uint32_t places)
{
	struct pp_slot *from = &tally->ids.resolver->arena->slot[slot];
	struct pp_rows rows = pp_rows_waits(&from->own.rows);
	struct pp_tally_row row = { .slot = slot };
	uint32_t used = pp_rows_used(&rows), i, place, first = tally->rows;
	uint64_t key;

	for (i = 0; i < used; i++) {
		key = atomic_load_explicit(&rows.row[i].key,
		    memory_order_acquire);
		if (key == 0)
			continue;
		pp_wait_unpack(key, &place, &row.label, &row.stack);
		if (place >= PP_OWN_MAX || (places & 1U << place) == 0)
			continue;
		row.value[0] = own_held(&rows.row[i]);
		if (row.value[0] != 0 && pp_tally_add(tally, &row) == -1)
			return (-1);
	}
	pp_tally_resolve(tally, slot, first);
	return (0);
}

struct pp_profile *
pp_own_profile(struct pp_resolver *resolver, const char *name)
{
	struct pp_tally_kind kind = { { { name, "count" } }, 0, NULL };
	struct pp_build *build = NULL;
	struct pp_tally tally;
	uint32_t slot, places;
	int status;

	status = pp_tally_begin(&tally, resolver);
	for (slot = 1; status == 0 && slot < resolver->slots; slot++) {
		places = own_find(&resolver->arena->slot[slot].own, name);
		if (places != 0 &&
		    atomic_load(&resolver->arena->slot[slot].life.pid) > 0)
			status = own_read(&tally, slot, places);
	}
	if (status == 0) {
		pp_tally_merge(&tally);
		build = pp_tally_build(&tally, &kind);
		if (build != NULL)
			pp_tally_comments(&tally, build, "own_");
	}
	pp_tally_end(&tally);
	return (pp_build_done(build));
}
