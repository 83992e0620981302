/*
 * The numbers that the operator has given in the environment are read here,
 * once, in the parent.
 *
 * Rule: all of them are in one table. A bad value gives one line in the log,
 * and the preset is taken.
 */
#include <kore/kore.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "kore/adapter.h"

/* The rates and bounds that an operator may set. */
static const struct {
	const char *name;
	const char *unit;
	uint64_t preset;
	uint64_t least; /* 0: off */
	uint64_t most;
	size_t offset; /* in struct pp_arena */
} rates[] = {
	{ "PPROF_HEAP_RATE", "bytes", PP_HEAP_RATE_DEFAULT, 0, PP_HEAP_RATE_MAX,
	    offsetof(struct pp_arena, control.heap_rate) },
	{ "PPROF_BLOCK_RATE", "nanoseconds", 0, 0, PP_BLOCK_RATE_MAX,
	    offsetof(struct pp_arena, control.block_rate_ns) },
	{ "PPROF_MUTEX_FRACTION", "contentions", 0, 0, PP_MUTEX_FRACTION_MAX,
	    offsetof(struct pp_arena, control.mutex_fraction) },
	{ "PPROF_RECORDER_HZ", "samples a second", PP_RECORDER_HZ_DEFAULT, 0,
	    PP_RECORDER_HZ_MAX, offsetof(struct pp_arena, recorder_hz) },
	{ "PPROF_STALL_MS", "milliseconds", PP_STALL_MS_DEFAULT, 0,
	    PP_STALL_MS_MAX, offsetof(struct pp_arena, stall_ms) },
	{ "PPROF_MEMORY_MIB", "MiB", PP_MEMORY_MIB_DEFAULT, PP_MEMORY_MIB_MIN,
	    PP_MEMORY_MIB_MAX, offsetof(struct pp_arena, memory_mib) },
};

void
pp_given_read(struct pp_arena *arena)
{
	const char *text;
	uint64_t rate;
	char *end;
	size_t i;

	for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		text = getenv(rates[i].name);
		rate = rates[i].preset;
		if (text != NULL && text[0] != '\0') {
			rate = strtoull(text, &end, 10);
			if (*end != '\0' || text[0] < '0' || text[0] > '9' ||
			    rate < rates[i].least || rate > rates[i].most) {
				pp_kore_log("%s: \"%s\" is not a number of %s "
					    "from %llu%s to %llu: %llu is "
					    "taken",
				    rates[i].name, text, rates[i].unit,
				    (unsigned long long)rates[i].least,
				    rates[i].least == 0 ? " (off)" : "",
				    (unsigned long long)rates[i].most,
				    (unsigned long long)rates[i].preset);
				rate = rates[i].preset;
			}
		}
		atomic_store((_Atomic uint64_t *)(void *)((char *)arena +
				 rates[i].offset),
		    rate);
	}
}

int
pp_given_perf_event(void)
{
	const char *text = getenv("PPROF_PERF_EVENT");

	if (text == NULL || text[0] == '\0' || strcmp(text, "0") == 0)
		return (0);
	if (strcmp(text, "1") == 0)
		return (1);
	pp_kore_log("PPROF_PERF_EVENT: \"%s\" is neither 0 (no) nor 1 "
		    "(workers may open perf events): 0 is taken",
	    text);
	return (0);
}
