/*
 * One counter of the heap's table: it is read while the worker goes on adding,
 * checked, and scaled up. docs/sampling.md says why it is done in this way.
 */
#include <math.h>

#include "counts/heap_private.h"

/* The worker adds to the two numbers of a pair one after the other; a reader
 * that comes between the two reads again. A worker that was killed between the
 * two has left the pair so for ever. */
#define TRIES 4

/* No process can have so many samples or bytes: such a counter is damaged. */
#define COUNT_MAX (1ULL << 52)
#define BYTES_MAX (1ULL << 60)

/* What pp_heap_class() returns for the largest size. */
#define CLASS_LAST ((63 - 3) * 16 + 15)

uint64_t
pp_heap_class_first(uint32_t size_class)
{
	if (size_class < 16)
		return (size_class);
	return ((16ULL + size_class % 16) << (size_class / 16 - 1));
}

uint64_t
pp_heap_class_last(uint32_t size_class)
{
	if (size_class >= CLASS_LAST)
		return (UINT64_MAX);
	return (pp_heap_class_first(size_class + 1) - 1);
}

static uint64_t
counter_load(const struct pp_counter *counter, enum pp_heap_value what)
{
	return (
	    atomic_load_explicit(&counter->value[what], memory_order_acquire));
}

/* Whether that many blocks of this class can have that many bytes. */
static int
pair_fits(const uint64_t pair[2], uint32_t size_class)
{
	unsigned __int128 first = pp_heap_class_first(size_class);
	unsigned __int128 last = pp_heap_class_last(size_class);

	return (pair[1] >= first * pair[0] && pair[1] <= last * pair[0]);
}

static void
pair_mend(uint64_t pair[2], uint32_t size_class)
{
	unsigned __int128 least, most;

	least = (unsigned __int128)pp_heap_class_first(size_class) * pair[0];
	most = (unsigned __int128)pp_heap_class_last(size_class) * pair[0];
	if (pair[1] < least)
		pair[1] = least < UINT64_MAX ? (uint64_t)least : UINT64_MAX;
	else if (pair[1] > most)
		pair[1] = (uint64_t)most;
}

/* Frees are read before allocations: what is freed meanwhile counts as in use,
 * and frees never exceed allocations. */
static void
counter_values(const struct pp_counter *counter, struct pp_heap_counter *out)
{
	uint64_t frees[2];
	int i, tries;

	for (tries = 0; tries < TRIES; tries++) {
		frees[0] = counter_load(counter, PP_HEAP_FREES);
		frees[1] = counter_load(counter, PP_HEAP_FREE_BYTES);
		out->alloc[0] = counter_load(counter, PP_HEAP_ALLOCS);
		out->alloc[1] = counter_load(counter, PP_HEAP_ALLOC_BYTES);
		for (i = 0; i < 2; i++)
			out->inuse[i] = out->alloc[i] > frees[i]
			    ? out->alloc[i] - frees[i]
			    : 0;
		if (pair_fits(out->alloc, out->key.size_class) &&
		    pair_fits(out->inuse, out->key.size_class))
			return;
	}
	pair_mend(out->alloc, out->key.size_class);
	pair_mend(out->inuse, out->key.size_class);
}

int
pp_heap_counter_read(const struct pp_heap_table *table,
    const struct pp_counter *counter, struct pp_heap_counter *out)
{
	out->key = pp_heap_unpack(
	    atomic_load_explicit(&counter->key, memory_order_acquire));
	if (out->key.rate >= PP_HEAP_RATES || out->key.size_class > CLASS_LAST)
		return (-1);
	out->rate = atomic_load_explicit(&table->rate[out->key.rate],
	    memory_order_acquire);
	if (out->rate == 0 || out->rate > PP_HEAP_RATE_MAX)
		return (-1);
	counter_values(counter, out);
	return (
	    out->alloc[0] > COUNT_MAX || out->alloc[1] > BYTES_MAX ? -1 : 0);
}

static int64_t
scaled(uint64_t value, double scale)
{
	double product = (double)value * scale + 0.5;

	return (product >= (double)PP_HEAP_VALUE_MAX ? PP_HEAP_VALUE_MAX
						     : (int64_t)product);
}

void
pp_heap_scale(uint64_t count, uint64_t bytes, uint64_t rate, int64_t out[2])
{
	double scale = 1;

	if (rate > 1 && count > 0 && bytes > 0)
		/* expm1() keeps all digits of a small mean. */
		scale =
		    -1 / expm1(-((double)bytes / (double)count / (double)rate));
	if (scale > 1) {
		out[0] = scaled(count, scale);
		out[1] = scaled(bytes, scale);
		return;
	}
	/* The exact numbers: a double has not all of their digits. */
	out[0] = count < PP_HEAP_VALUE_MAX ? (int64_t)count : PP_HEAP_VALUE_MAX;
	out[1] = bytes < PP_HEAP_VALUE_MAX ? (int64_t)bytes : PP_HEAP_VALUE_MAX;
}
