/*
 * The writing half of routes.h. Hot: twice for each request.
 */
#include "base/hot_path.h"
#include "base/mix.h"
#include "store/routes.h"

/* Takes the next counter, which stays the label's for good; 0: none is left. */
static uint32_t
routes_new(struct pp_routes *table, uint32_t label)
{
	uint32_t number = pp_routes_used(table);

	if (number > PP_ROUTES_MAX)
		return (0);
	atomic_store_explicit(&table->counter[number].label, label,
	    memory_order_relaxed);
	atomic_store_explicit(&table->used, number + 1, memory_order_release);
	return (number);
}

PP_HOT_PATH struct pp_route *
pp_routes_at(struct pp_routes *table, uint32_t label)
{
	uint32_t probe, home = (uint32_t)pp_mix(0, label), at, number;
	struct pp_route *counter;

	for (probe = 0; label != 0 && probe < PP_PROBES_MAX; probe++) {
		at = (home + probe) % (2 * PP_ROUTES_MAX);
		number = atomic_load_explicit(&table->index[at],
		    memory_order_relaxed);
		if (number == 0) {
			number = routes_new(table, label);
			atomic_store_explicit(&table->index[at], number,
			    memory_order_relaxed);
			return (&table->counter[number]);
		}
		if (number > PP_ROUTES_MAX)
			break;
		counter = &table->counter[number];
		if (atomic_load_explicit(&counter->label,
			memory_order_relaxed) == label)
			return (counter);
	}
	return (&table->counter[0]);
}
