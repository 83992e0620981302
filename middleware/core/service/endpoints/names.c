/*
 * Names for addresses, for all endpoints: where each object lies, and what
 * stands at an address in it.
 */
#include "service/endpoints/endpoint.h"
#include "store/objects.h"

void
pp_service_follow_objects(struct pp_service *service)
{
	struct pp_objects *objects;
	struct pp_object object;
	uint32_t slot, i, changes;

	for (slot = 0; slot < service->slots; slot++) {
		objects = &service->arena->slot[slot].objects;
		changes = atomic_load_explicit(&objects->changes,
		    memory_order_acquire);
		if (changes == service->changes[slot])
			continue;
		service->changes[slot] = changes;
		for (i = 0; i < PP_OBJECTS_MAX; i++) {
			if (pp_objects_read(objects, i, &object) == 0)
				pp_canon_place(service->canon, &object);
		}
	}
}

uint32_t
pp_service_frames(struct pp_service *service, uint64_t address,
    struct pp_frame frame[PP_INLINES_MAX])
{
	const struct pp_place *place;
	int number, file, named = 0;
	uint32_t frames;

	place = pp_canon_find(service->canon, address, &number);
	if (place == NULL)
		return (0);
	file = pp_symbols_find(service->symbols, place->object.build_id,
	    place->object.build_id_len, place->object.name);
	if (file < 0)
		return (0);
	frames = pp_symbols_resolve(service->symbols, file,
	    address - place->bias, frame, &named);
	return (named ? frames : 0);
}
