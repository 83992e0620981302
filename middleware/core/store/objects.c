/*
 * The table of objects.h: written by one process, read by another.
 */
#include <string.h>

#include "store/objects.h"

int
pp_objects_same_file(const struct pp_object *a, const struct pp_object *b)
{
	if (a->build_id_len != 0 && b->build_id_len != 0)
		return (a->build_id_len == b->build_id_len &&
		    memcmp(a->build_id, b->build_id, a->build_id_len) == 0);
	return (a->build_id_len == b->build_id_len &&
	    a->name_len == b->name_len &&
	    memcmp(a->name, b->name, a->name_len) == 0);
}

static void
objects_set_state(struct pp_objects *objects, uint32_t index,
    enum pp_object_state state)
{
	atomic_store_explicit(&objects->object[index].state, state,
	    memory_order_release);
	atomic_fetch_add_explicit(&objects->changes, 1, memory_order_release);
}

/* Whether a later row has addresses of this one: of two, a reader believes
 * the later. Only processes that had the slot one after the other make it so. */
static int
objects_covered(const struct pp_objects *objects, uint32_t row, uint32_t used)
{
	const struct pp_object *at = &objects->object[row], *later;

	for (later = at + 1; later < &objects->object[used]; later++) {
		if (later->start < at->limit && at->start < later->limit)
			return (1);
	}
	return (0);
}

int
pp_objects_add(struct pp_objects *objects, const struct pp_object *entry,
    int *fresh)
{
	struct pp_object *at;
	uint32_t used, i;

	*fresh = 0;
	used = atomic_load_explicit(&objects->used, memory_order_relaxed);
	if (used > PP_OBJECTS_MAX)
		return (-1);
	for (i = 0; i < used; i++) {
		at = &objects->object[i];
		if (at->bias != entry->bias || at->start != entry->start ||
		    !pp_objects_same_file(at, entry) ||
		    objects_covered(objects, i, used))
			continue;
		if (atomic_load_explicit(&at->state, memory_order_relaxed) !=
		    PP_OBJECT_LIVE)
			objects_set_state(objects, i, PP_OBJECT_LIVE);
		return ((int)i);
	}
	if (used == PP_OBJECTS_MAX)
		return (-1);
	*fresh = 1;
	at = &objects->object[used];
	at->name_len = entry->name_len;
	at->bias = entry->bias;
	at->start = entry->start;
	at->limit = entry->limit;
	at->offset = entry->offset;
	at->build_id_len = entry->build_id_len;
	memcpy(at->build_id, entry->build_id, sizeof(at->build_id));
	memcpy(at->name, entry->name, sizeof(at->name));
	atomic_store_explicit(&objects->used, used + 1, memory_order_release);
	objects_set_state(objects, used, PP_OBJECT_LIVE);
	return ((int)used);
}

void
pp_objects_retire(struct pp_objects *objects, uint32_t index)
{
	if (index < PP_OBJECTS_MAX)
		objects_set_state(objects, index, PP_OBJECT_RETIRED);
}

int
pp_objects_read(const struct pp_objects *objects, uint32_t index,
    struct pp_object *out)
{
	uint32_t state;

	if (index >= PP_OBJECTS_MAX ||
	    index >= atomic_load_explicit(&objects->used, memory_order_acquire))
		return (-1);
	state = atomic_load_explicit(&objects->object[index].state,
	    memory_order_acquire);
	memcpy(out, &objects->object[index], sizeof(*out));
	atomic_init(&out->state, state);
	if ((state != PP_OBJECT_LIVE && state != PP_OBJECT_RETIRED) ||
	    out->name_len >= PP_OBJECT_NAME_MAX ||
	    out->build_id_len > PP_BUILD_ID_MAX || out->start >= out->limit ||
	    out->bias > out->start)
		return (-1);
	out->name[out->name_len] = '\0';
	if (strlen(out->name) != out->name_len)
		return (-1);
	return (0);
}
