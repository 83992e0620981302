/*
 * The table of objects.h: one process writes, another reads.
 */
#include <string.h>

#include "store/objects.h"

int
pp_objects_same_file(const struct pp_object *a, const struct pp_object *own)
{
	if (a->build_id_len != own->build_id_len)
		return (0);
	if (own->build_id_len != 0)
		return (
		    memcmp(a->build_id, own->build_id, own->build_id_len) == 0);
	return (a->name_len == own->name_len &&
	    memcmp(a->name, own->name, own->name_len) == 0);
}

static void
objects_set_state(struct pp_objects *objects, uint32_t index,
    enum pp_object_state state)
{
	atomic_store_explicit(&objects->object[index].state, state,
	    memory_order_release);
	atomic_fetch_add_explicit(&objects->changes, 1, memory_order_release);
}

/* Whether a later entry has some of the addresses of this entry: a reader
 * believes the later of two. Only two processes that had the slot one after the
 * other can have written such entries. */
static int
objects_covered(const struct pp_objects *objects, uint32_t number,
    uint32_t used)
{
	const struct pp_object *at = &objects->object[number], *later;

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
pp_object_check(struct pp_object *object)
{
	uint32_t state = atomic_load(&object->state);

	if ((state != PP_OBJECT_LIVE && state != PP_OBJECT_RETIRED) ||
	    object->name_len >= PP_OBJECT_NAME_MAX ||
	    object->build_id_len > PP_BUILD_ID_MAX ||
	    object->start >= object->limit || object->bias > object->start)
		return (-1);
	object->name[object->name_len] = '\0';
	return (strlen(object->name) == object->name_len ? 0 : -1);
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
	return (pp_object_check(out));
}
