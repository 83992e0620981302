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

struct pp_cpu_lasts {
	uint32_t taken; /* number of all samples so far */
	struct pp_cpu_last last[PP_LAST_SAMPLES];
};

void
pp_cpu_last_keep(struct pp_cpu *cpu, uint32_t slot, const uint64_t *record,
    uint32_t count)
{
	struct pp_cpu_lasts *lasts = cpu->lasts[slot];
	struct pp_cpu_last *last;

	if (lasts == NULL) {
		lasts = cpu->lasts[slot] = calloc(1, sizeof(*lasts));
		if (lasts == NULL)
			return;
	}
	last = &lasts->last[lasts->taken++ % PP_LAST_SAMPLES];
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
pp_cpu_last_of(const struct pp_cpu *cpu, uint32_t slot, int32_t pid,
    struct pp_cpu_last last[PP_LAST_SAMPLES])
{
	const struct pp_cpu_lasts *lasts;
	const struct pp_cpu_last *from;
	uint32_t i, found = 0;

	if ((lasts = cpu->lasts[slot]) == NULL)
		return (0);
	for (i = 1; i <= PP_LAST_SAMPLES && i <= lasts->taken; i++) {
		from = &lasts->last[(lasts->taken - i) % PP_LAST_SAMPLES];
		if (from->pid == pid)
			last[found++] = *from;
	}
	return (found);
}

void
pp_cpu_last_free(struct pp_cpu *cpu)
{
	uint32_t slot;

	for (slot = 0; slot < cpu->slots; slot++)
		free(cpu->lasts[slot]);
	free(cpu->lasts);
}
