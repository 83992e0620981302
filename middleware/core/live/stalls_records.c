/*
 * The store of the records: the last stalls and deaths. See stalls.h. The watch
 * and the deaths (both in stalls.c) fill the records.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "live/stalls_private.h"

struct pp_stall *
pp_stalls_begin(struct pp_stalls *stalls, uint32_t slot, int32_t pid,
    int64_t held_ns)
{
	struct pp_stall *stall;

	stall = &stalls->stall[stalls->numbers++ % PP_STALLS_MAX];
	free(stall->death);
	memset(stall, 0, sizeof(*stall));
	stall->number = stalls->numbers;
	stall->slot = slot;
	stall->pid = pid;
	stall->held_ns = held_ns;
	stall->wall_ns = pp_clock_wall() - held_ns;
	return (stall);
}

struct pp_stall *
pp_stalls_find(struct pp_stalls *stalls, uint64_t number)
{
	struct pp_stall *stall;

	if (number == 0)
		return (NULL);
	stall = &stalls->stall[(number - 1) % PP_STALLS_MAX];
	return (stall->number == number ? stall : NULL);
}

void
pp_stalls_report(struct pp_stalls *stalls, const struct pp_stall *stall)
{
	if (stalls->report != NULL)
		stalls->report(stalls->arg, stall);
}

uint32_t
pp_stalls_crash(struct pp_stalls *stalls, uint32_t slot, const uint64_t *pc,
    uint32_t count, uint64_t word[PP_FRAMES_MAX])
{
	struct pp_resolver *resolver = stalls->resolver;
	struct pp_maps *maps = &resolver->maps[slot];
	uint32_t i;

	if (count > PP_FRAMES_MAX)
		count = 0;
	(void)pp_maps_follow(maps, &resolver->arena->slot[slot].objects,
	    resolver->map);
	for (i = 0; i < count; i++)
		word[i] = pp_maps_address(maps,
		    i == 0 || pc[i] == 0 ? pc[i] : pc[i] - 1);
	return (count);
}

uint32_t
pp_stalls_count(const struct pp_stalls *stalls)
{
	return (stalls->numbers < PP_STALLS_MAX ? (uint32_t)stalls->numbers
						: PP_STALLS_MAX);
}

const struct pp_stall *
pp_stalls_get(const struct pp_stalls *stalls, uint32_t i)
{
	return (&stalls->stall[(stalls->numbers - 1 - i) % PP_STALLS_MAX]);
}
