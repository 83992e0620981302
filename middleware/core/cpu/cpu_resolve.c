/*
 * The stack of a sample, from pcs of its process to words that all sessions
 * share.
 */
#include "cpu/cpu_private.h"

/* A pc to its word of a stack. What is not found may be in an object that was
 * loaded since the table was read: look once more, once a drain. */
static uint64_t
cpu_address(struct pp_cpu *cpu, uint32_t slot, uint64_t pc)
{
	struct pp_reading *reading = &cpu->reading[slot];
	uint64_t word = pp_readings_address(reading, pc);

	if ((word & PP_READING_UNKNOWN) == 0 || !reading->spare)
		return (word);
	if (!pp_readings_follow(reading, &cpu->arena->slot[slot].objects,
		cpu->canon))
		return (word);
	reading->spare = 0;
	return (pp_readings_address(reading, pc));
}

void
pp_cpu_resolve(struct pp_cpu *cpu, struct pp_cpu_sample *sample)
{
	uint64_t pc;
	uint32_t i;

	sample->resolved = 1;
	for (i = 0; i < sample->pcs; i++) {
		/* Of a caller we know where it goes on; the call is before. */
		pc = sample->pc[i];
		if (i > 0 && pc > 0)
			pc--;
		sample->word[i] = cpu_address(cpu, sample->key.slot, pc);
	}
	sample->key.stack =
	    pp_stacks_intern(cpu->stacks, sample->word, sample->pcs);
}
