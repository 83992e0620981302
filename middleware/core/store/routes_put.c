/*
 * See routes.h. Hot: twice for each request.
 */
#include "base/mix.h"
#include "store/routes.h"

struct pp_route *
pp_routes_at(struct pp_routes *table, uint32_t label)
{
	uint32_t probe, at = (uint32_t)pp_mix(0, label), there;
	struct pp_route *row;

	for (probe = 0; label != 0 && probe < PP_PROBES_MAX; probe++) {
		row = &table->row[(at + probe) % PP_ROUTES_MAX];
		there = atomic_load_explicit(&row->label, memory_order_relaxed);
		if (there == label)
			return (row);
		if (there == 0) {
			atomic_store_explicit(&row->label, label,
			    memory_order_release);
			return (row);
		}
	}
	return (&table->row[PP_ROUTES_MAX]);
}
