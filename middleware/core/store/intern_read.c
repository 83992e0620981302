/*
 * The reading half of intern.h. Cold; checks what it reads.
 */
#include <string.h>

#include "store/intern.h"

uint32_t
pp_intern_read(const struct pp_intern_table *table, uint32_t id, uint64_t *out,
    uint32_t room)
{
	uint32_t count;

	if (id == 0 || id >= table->capacity)
		return (0);
	count = (uint32_t)table->words[id];
	if (count == 0 || count > room || count >= table->capacity - id)
		return (0);
	memcpy(out, &table->words[id + 1], count * sizeof(*out));
	return (count);
}
