/*
 * Names for addresses, for all endpoints: in which object an address lies, and
 * what stands there in the object.
 */
#include "service/endpoints/endpoint.h"
#include "store/objects.h"

/* Names are looked for so many at once: some milliseconds, besides what opening
 * a file takes. After it they stay open for as long as slices bring addresses
 * that were not met before, and a little. */
#define NAMES_AT_ONCE 64
#define NAMES_KEEP_NS (PP_SLICE_NS + 2 * PP_NS_PER_SEC)

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
				pp_address_map_add(service->map, &object);
		}
	}
}

uint32_t
pp_service_frames(struct pp_service *service, uint64_t address,
    struct pp_frame frame[PP_INLINES_MAX])
{
	const struct pp_address_mapping *mapping;
	int number, file, named = 0;
	uint32_t frames;

	mapping = pp_address_map_find(service->map, address, &number);
	if (mapping == NULL)
		return (0);
	file = pp_symbols_find(service->symbols, mapping->object.build_id,
	    mapping->object.build_id_len, mapping->object.name);
	if (file < 0)
		return (0);
	frames = pp_symbols_resolve(service->symbols, file,
	    address - mapping->bias, frame, &named);
	return (named ? frames : 0);
}

int64_t
pp_service_name_recorded(struct pp_service *service, int64_t now)
{
	int64_t idle = now + NAMES_KEEP_NS - PP_SERVICE_IDLE_NS;
	uint64_t looked = pp_symbols_lookups(service->symbols);
	struct pp_frame frame[PP_INLINES_MAX];
	uint64_t address[NAMES_AT_ONCE];
	uint32_t count, i;

	count = pp_recorder_unnamed(service->recorder, address, NAMES_AT_ONCE);
	if (count == 0)
		return (INT64_MAX);
	pp_service_follow_objects(service);
	for (i = 0; i < count; i++)
		(void)pp_service_frames(service, address[i], frame);
	/* The addresses of what a service does every day are known soon: no
	 * file was opened for these. */
	if (pp_symbols_lookups(service->symbols) == looked)
		return (now);
	if (service->idle_since < idle)
		service->idle_since = idle;
	service->trimmed = 0;
	return (now);
}
