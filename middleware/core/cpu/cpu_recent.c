/*
 * The recent samples of each slot's process, as records: what the process did
 * before it died. Not a session: nothing is thinned, since a worker is seldom
 * sampled where it dies.
 *
 * Rule: a copy of bounded size; the reader of the copy resolves its ids and
 * addresses.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu_private.h"

struct pp_cpu_recent_samples {
	uint32_t taken; /* number of all samples so far */
	struct pp_cpu_recent last[PP_RECENT_SAMPLES];
};

void
pp_cpu_recent_keep(struct pp_cpu *cpu, uint32_t slot, const uint64_t *record,
    uint32_t count)
{
	struct pp_cpu_recent_samples *recent = cpu->recent[slot];
	struct pp_cpu_recent *last;

	if (recent == NULL) {
		recent = cpu->recent[slot] = calloc(1, sizeof(*recent));
		if (recent == NULL)
			return;
	}
	last = &recent->last[recent->taken++ % PP_RECENT_SAMPLES];
	last->pid = (int32_t)(record[PP_CPU_WORD_THREAD] >> 32);
	last->tid = (int32_t)record[PP_CPU_WORD_THREAD];
	last->time_ns = (int64_t)record[PP_CPU_WORD_TIME];
	last->weight_ns = record[PP_CPU_WORD_WEIGHT];
	last->label = record[PP_CPU_WORD_LABEL];
	last->pcs = count - PP_CPU_WORD_FRAMES;
	memcpy(last->pc, record + PP_CPU_WORD_FRAMES,
	    last->pcs * sizeof(*last->pc));
}

uint32_t
pp_cpu_recent_of(const struct pp_cpu *cpu, uint32_t slot, int32_t pid,
    struct pp_cpu_recent last[PP_RECENT_SAMPLES])
{
	const struct pp_cpu_recent_samples *recent;
	const struct pp_cpu_recent *from;
	uint32_t i, found = 0;

	if ((recent = cpu->recent[slot]) == NULL)
		return (0);
	for (i = 1; i <= PP_RECENT_SAMPLES && i <= recent->taken; i++) {
		from = &recent->last[(recent->taken - i) % PP_RECENT_SAMPLES];
		if (from->pid == pid)
			last[found++] = *from;
	}
	return (found);
}

void
pp_cpu_recent_free(struct pp_cpu *cpu)
{
	uint32_t slot;

	for (slot = 0; slot < cpu->slots; slot++)
		free(cpu->recent[slot]);
	free(cpu->recent);
}
