/*
 * See wake.h.
 */
#include <unistd.h>

#include "merge/wake.h"

void
pp_wake_thread(const struct pp_arena *arena, uint32_t slot, int32_t parent,
    int32_t tid)
{
	int32_t pid = atomic_load(&arena->slot[slot].life.pid);

	if (pid > 1 && pid != getpid() && pid != parent && tid >= 0)
		(void)pp_ask(pid, tid, tid == 0 ? PP_ASK_CONTROL : PP_ASK_ONE);
}

void
pp_wake_slot(const struct pp_arena *arena, uint32_t slot, int32_t parent)
{
	pp_wake_thread(arena, slot, parent, 0);
}

void
pp_wake_all(const struct pp_arena *arena, uint32_t slots, int32_t parent)
{
	uint32_t slot;

	for (slot = 1; slot < slots; slot++)
		pp_wake_slot(arena, slot, parent);
}
