/*
 * What the kernel and the loss counters say of a session's window, beside
 * what its samples say: the check that a profile carries with it.
 *
 * Not a source of samples. Slot 0, the parent, is never sampled, and is left
 * out of the CPU time; its loss counters count.
 *
 * Rule: pids from the arena are only asked for their clocks here.
 */
#include "cpu/cpu_private.h"

/*
 * Return the CPU time of all processes that were in the slot: the living one
 * and those that the parent has reaped. If the parent reaps one meanwhile, its
 * time could be in neither number, so both are read again.
 */
static int64_t
account_slot_ns(const struct pp_life *life)
{
	int64_t dead, alive = 0;
	int tries, pid;

	for (tries = 0; tries < 3; tries++) {
		dead = atomic_load(&life->dead_cpu_ns);
		pid = atomic_load(&life->pid);
		alive = pid > 0 ? pp_clock_process_cpu(pid) : 0;
		if (dead == atomic_load(&life->dead_cpu_ns))
			break;
	}
	return ((int64_t)((uint64_t)alive + (uint64_t)dead));
}

void
pp_cpu_account_open(struct pp_cpu_session *session)
{
	const struct pp_cpu *cpu = session->cpu;
	const struct pp_life *life;
	uint32_t i;

	for (i = 0; i < PP_LOSS_COUNT; i++)
		session->loss[i] = pp_build_loss(cpu->arena, cpu->slots, i);
	session->malformed = cpu->malformed;
	for (i = 1; i < cpu->slots; i++) {
		life = &cpu->arena->slot[i].life;
		session->then[i].generation = atomic_load(&life->generation);
		session->then[i].cpu_ns = account_slot_ns(life);
		session->then[i].children_ns =
		    atomic_load(&life->children_cpu_ns);
	}
	session->wall_ns = pp_clock_wall();
	session->mono_ns = pp_clock_mono();
}

/* Return how many processes took the slot over. The first one ever is no
 * restart. */
static uint32_t
account_restarts(uint32_t before, uint32_t now)
{
	uint32_t taken = now - before;

	return (before == 0 && taken > 0 ? taken - 1 : taken);
}

void
pp_cpu_account_close(struct pp_cpu_session *session)
{
	const struct pp_cpu *cpu = session->cpu;
	const struct pp_life *life;
	int64_t ns;
	uint32_t i;

	session->duration_ns = pp_clock_mono() - session->mono_ns;
	for (i = 1; i < cpu->slots; i++) {
		life = &cpu->arena->slot[i].life;
		/* A sum that is less than before means that the process has
		 * died and was not reaped yet. */
		ns = (int64_t)((uint64_t)account_slot_ns(life) -
		    (uint64_t)session->then[i].cpu_ns);
		session->then[i].cpu_ns = ns > 0 ? ns : 0;
		if (ns > 0)
			session->kernel_s += (double)ns / PP_NS_PER_SEC;
		ns = (int64_t)((uint64_t)atomic_load(&life->children_cpu_ns) -
		    (uint64_t)session->then[i].children_ns);
		if (ns > 0)
			session->children_s += (double)ns / PP_NS_PER_SEC;
		session->restarts +=
		    account_restarts(session->then[i].generation,
			atomic_load(&life->generation));
		if (atomic_load(&life->pid) > 0)
			session->workers++;
	}
	session->malformed = cpu->malformed - session->malformed;
	for (i = 0; i < PP_LOSS_COUNT; i++)
		session->loss[i] =
		    pp_build_loss(cpu->arena, cpu->slots, i) - session->loss[i];
}

void
pp_cpu_follow(struct pp_cpu *cpu,
    void (*follow)(void *, uint32_t, uint64_t, uint64_t), void *arg)
{
	cpu->follow = follow;
	cpu->follow_arg = arg;
}
