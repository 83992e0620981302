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
	struct pp_maps *maps = &cpu->maps[slot];
	uint64_t word = pp_maps_address(maps, pc);

	if ((word & PP_MAPS_UNKNOWN) == 0 || !maps->spare)
		return (word);
	if (!pp_maps_follow(maps, &cpu->arena->slot[slot].objects, cpu->map))
		return (word);
	maps->spare = 0;
	return (pp_maps_address(maps, pc));
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
