/*
 * Turns the stack of a sample from the pcs of its process into words that all
 * sessions share.
 */
#include "cpu/cpu_private.h"

/* Return the word of a pc. An unknown pc may be in an object that was loaded
 * since the table of objects was read, so that the table is read again, at most
 * once in a drain. */
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
		/* A caller's pc is the return address; the call is before
		 * it. */
		pc = sample->pc[i];
		if (i > 0 && pc > 0)
			pc--;
		sample->word[i] = cpu_address(cpu, sample->key.slot, pc);
	}
	sample->key.stack =
	    pp_stacks_intern(cpu->stacks, sample->word, sample->pcs);
}
