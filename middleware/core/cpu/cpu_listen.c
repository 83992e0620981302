/*
 * The listeners, which get each sample beside the sessions: the trace and the
 * counters of routes. See cpu.h.
 */
#include "cpu/cpu_private.h"

void
pp_cpu_notify(struct pp_cpu *cpu, struct pp_cpu_sample *sample,
    const uint64_t *record)
{
	if (cpu->follow != NULL)
		cpu->follow(cpu->follow_arg, sample->key.slot,
		    record[PP_CPU_WORD_LABEL], sample->weight);
	if (cpu->listener == NULL || sample->left)
		return;
	if (!sample->resolved)
		pp_cpu_resolve(cpu, sample);
	cpu->listener(cpu->listener_arg, sample->key.slot,
	    (uint32_t)sample->key.tid, (int64_t)record[PP_CPU_WORD_TIME],
	    record[PP_CPU_WORD_INFLIGHT], sample->word, sample->pcs);
}

void
pp_cpu_listen(struct pp_cpu *cpu, pp_cpu_listener *listener, void *arg)
{
	cpu->listener = listener;
	cpu->listener_arg = arg;
}
