/* Hot: signal handlers run what is in this file. */
/*
 * The writing half of intern.h. Hot: threads and signal handlers at once.
 */
#include <string.h>

#include "base/mix.h"
#include "store/intern.h"

static inline uint64_t
intern_header(uint64_t hash, uint32_t count)
{
	return ((hash & 0xffffffff00000000ULL) | count);
}

/* Reserves space for `count` words and a header; 0 if none is left. */
static uint32_t
intern_reserve(const struct pp_intern_table *table, uint32_t count)
{
	uint32_t at;

	/* The check comes first, so that tries that fail do not add up until
	 * the counter wraps. */
	at = atomic_load_explicit(table->used, memory_order_relaxed);
	if (count >= table->capacity || at > table->capacity - count - 2)
		return (0);
	at = atomic_fetch_add_explicit(table->used, count + 1,
		 memory_order_relaxed) +
	    1;
	if (at > table->capacity - count - 1)
		return (0);
	return (at);
}

uint32_t
pp_intern_put(const struct pp_intern_table *table, const uint64_t *sequence,
    uint32_t count)
{
	uint64_t hash, header;
	uint32_t probe, slot, id, mine;

	hash = pp_mix_words(sequence, count, count);
	header = intern_header(hash, count);
	mine = 0;
	for (probe = 0; probe < PP_PROBES_MAX; probe++) {
		slot = ((uint32_t)hash + probe) & (table->index_size - 1);
		id = atomic_load_explicit(&table->index[slot],
		    memory_order_acquire);
		if (id == 0) {
			if (mine == 0) {
				mine = intern_reserve(table, count);
				if (mine == 0)
					return (0);
				table->words[mine] = header;
				memcpy(&table->words[mine + 1], sequence,
				    count * sizeof(*sequence));
			}
			if (atomic_compare_exchange_strong_explicit(
				&table->index[slot], &id, mine,
				memory_order_release, memory_order_acquire))
				return (mine);
		}
		/* Only this process should write here, but any process of the
		 * service can: the id is checked before it indexes. */
		if (id < table->capacity && count < table->capacity - id &&
		    table->words[id] == header &&
		    memcmp(&table->words[id + 1], sequence,
			count * sizeof(*sequence)) == 0)
			return (id);
	}
	return (0);
}
