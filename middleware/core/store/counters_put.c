/* Hot: signal handlers run what is in this file. */
/*
 * See counters.h. Hot: inside malloc(), in several threads at once.
 */
#include "base/mix.h"
#include "store/counters.h"

/* Reserves a counter for the caller alone; the capacity if none is left. */
static uint32_t
counters_reserve(const struct pp_counters *table)
{
	uint32_t at;

	/* The check comes first, so that tries that fail do not add up until
	 * the counter wraps. */
	at = atomic_load_explicit(table->used, memory_order_relaxed);
	if (at >= table->capacity)
		return (table->capacity);
	at = atomic_fetch_add_explicit(table->used, 1, memory_order_relaxed);
	return (at < table->capacity ? at : table->capacity);
}

static int
counters_hold(const struct pp_counters *table, uint32_t number, uint64_t key)
{
	return (number < table->capacity &&
	    atomic_load_explicit(&table->counter[number].key,
		memory_order_relaxed) == key);
}

struct pp_counter *
pp_counters_at(const struct pp_counters *table, uint64_t key)
{
	uint32_t probe, slot, number, mine;
	uint64_t hash = pp_mix(0, key);

	mine = table->capacity;
	for (probe = 0; probe < PP_PROBES_MAX; probe++) {
		slot = ((uint32_t)hash + probe) & (table->index_size - 1);
		number = atomic_load_explicit(&table->index[slot],
		    memory_order_acquire);
		if (number == 0) {
			if (mine == table->capacity) {
				mine = counters_reserve(table);
				if (mine == table->capacity)
					return (NULL);
				/* With it, the interned words that it names. */
				atomic_store_explicit(&table->counter[mine].key,
				    key, memory_order_release);
			}
			if (atomic_compare_exchange_strong_explicit(
				&table->index[slot], &number, mine + 1,
				memory_order_release, memory_order_acquire))
				return (&table->counter[mine]);
		}
		if (counters_hold(table, number - 1, key)) {
			/* Another thread was first: our counter becomes a
			 * hole. */
			if (mine != table->capacity)
				atomic_store_explicit(&table->counter[mine].key,
				    0, memory_order_relaxed);
			return (&table->counter[number - 1]);
		}
	}
	if (mine != table->capacity)
		atomic_store_explicit(&table->counter[mine].key, 0,
		    memory_order_relaxed);
	return (NULL);
}

uint32_t
pp_counters_used(const struct pp_counters *table)
{
	uint32_t used;

	used = atomic_load_explicit(table->used, memory_order_acquire);
	return (used < table->capacity ? used : table->capacity);
}
