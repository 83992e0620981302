/*
 * The rings' one reader, and the control word's one writer. What becomes of a
 * record is not decided here: each session does that (cpu_session.c).
 *
 * Rule: the work of one call is bounded by the rings' size, whatever is in
 * them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "cpu/cpu_private.h"
#include "merge/wake.h"

/* The time between two drains. Slow rates fill a ring slowly; 10,000 Hz and two
 * busy threads leave 80% of a ring free in 20 ms. */
#define DRAIN_SLOW_NS (2 * PP_NS_PER_SEC)
#define DRAIN_FAST_NS (20 * PP_NS_PER_MS)

/* A damaged stretch of a ring counts as so many words in the bound of one
 * drain. */
#define DAMAGE_WORDS (PP_CPU_RING_WORDS / 8)

/* Make a worker look at the control word. */
static void
cpu_signal(struct pp_cpu *cpu, uint32_t slot)
{
	cpu->generation[slot] =
	    atomic_load(&cpu->arena->slot[slot].life.generation);
	pp_wake_slot(cpu->arena, slot, cpu->parent_pid);
}

static void
cpu_signal_all(struct pp_cpu *cpu)
{
	uint32_t slot;

	for (slot = 1; slot < cpu->slots; slot++)
		cpu_signal(cpu, slot);
}

/* Write the period that is asked for, again and again: any worker may have
 * written over it. */
static void
cpu_ask(struct pp_cpu *cpu)
{
	uint64_t period = cpu->hz == 0 ? 0 : (uint64_t)PP_NS_PER_SEC / cpu->hz;

	if (atomic_exchange(&cpu->arena->control.cpu_period_ns, period) !=
	    period)
		cpu_signal_all(cpu);
}

/* Ask for the highest rate of all sessions. */
static void
cpu_control(struct pp_cpu *cpu)
{
	struct pp_cpu_session *session;
	unsigned int hz = 0;

	LIST_FOREACH(session, &cpu->sessions, list)
		if (session->hz > hz)
			hz = session->hz;
	cpu->hz = hz;
	cpu_ask(cpu);
}

static void
cpu_record(struct pp_cpu *cpu, uint32_t slot, enum pp_record kind,
    const uint64_t *record, uint32_t count)
{
	struct pp_cpu_session *session;
	struct pp_cpu_sample sample;

	sample.key.stack = PP_STACKS_NONE;
	sample.key.slot = slot;
	sample.key.pid = (int32_t)(record[PP_CPU_WORD_THREAD] >> 32);
	sample.key.tid = (int32_t)record[PP_CPU_WORD_THREAD];
	sample.key.label = pp_labels_number(cpu->labels, &cpu->cache[slot],
	    &cpu->arena->slot[slot].labels, record[PP_CPU_WORD_LABEL],
	    &sample.label_lost);
	sample.weight = record[PP_CPU_WORD_WEIGHT];
	sample.pc = record + PP_CPU_WORD_FRAMES;
	sample.pcs = count - PP_CPU_WORD_FRAMES;
	sample.resolved = 0;
	sample.left = kind == PP_RECORD_CPU_LEFT;
	LIST_FOREACH(session, &cpu->sessions, list)
		pp_cpu_session_add(session, &sample);
	pp_cpu_notify(cpu, &sample, record);
}

static void
cpu_take(struct pp_cpu *cpu, uint32_t slot, enum pp_record kind,
    const uint64_t *record, uint32_t count)
{
	if (kind == PP_RECORD_CPU)
		pp_cpu_recent_keep(cpu, slot, record, count);
	cpu_record(cpu, slot, kind, record, count);
}

/* Take what the slot's ring holds, at most one lap. When no session runs, the
 * records are thrown away. */
void
pp_cpu_drain_slot(struct pp_cpu *cpu, uint32_t slot)
{
	uint64_t record[PP_CPU_WORD_FRAMES + PP_FRAMES_MAX];
	struct pp_slot *from = &cpu->arena->slot[slot];
	enum pp_record kind;
	uint32_t words = 0;
	int count;

	if (cpu->running != 0) {
		(void)pp_maps_follow(&cpu->maps[slot], &from->objects,
		    cpu->map);
		cpu->maps[slot].spare = 1;
	}
	while (words < PP_CPU_RING_WORDS) {
		count = pp_ring_take(&from->cpu, &kind, record,
		    PP_CPU_WORD_FRAMES + PP_FRAMES_MAX);
		if (count == 0)
			break;
		if (count < 0) {
			pp_slot_lose(from, PP_LOSS_RINGS_REPAIRED, 1);
			words += DAMAGE_WORDS;
			continue;
		}
		words += (uint32_t)count + 1;
		if ((kind != PP_RECORD_CPU && kind != PP_RECORD_CPU_LEFT) ||
		    count < PP_CPU_WORD_FRAMES)
			cpu->malformed++;
		else if (cpu->running != 0)
			cpu_take(cpu, slot, kind, record, (uint32_t)count);
	}
	if (words > PP_CPU_RING_WORDS / 4)
		cpu->crowded = 1;
}

uint32_t
pp_cpu_recent_samples(struct pp_cpu *cpu, uint32_t slot, int32_t pid,
    struct pp_cpu_recent last[PP_RECENT_SAMPLES])
{
	pp_cpu_drain_slot(cpu, slot);
	return (pp_cpu_recent_of(cpu, slot, pid, last));
}

void
pp_cpu_drain(struct pp_cpu *cpu)
{
	uint32_t slot;

	cpu->crowded = 0;
	for (slot = 0; slot < cpu->slots; slot++)
		pp_cpu_drain_slot(cpu, slot);
}

/* When the last session has gone, give back what only sessions need. */
static void
cpu_idle_release(struct pp_cpu *cpu)
{
	uint32_t slot;

	if (cpu->running != 0) {
		pp_cpu_sweep(cpu);
		return;
	}
	pp_stacks_free(cpu->stacks);
	pp_labels_free(cpu->labels);
	cpu->stacks = NULL;
	cpu->labels = NULL;
	cpu->stacks_kept = cpu->labels_kept = 0;
	for (slot = 0; slot < cpu->slots; slot++)
		pp_labels_forget(&cpu->cache[slot]);
	cpu->idle_since = pp_clock_mono();
}

static int
cpu_wake(struct pp_cpu *cpu)
{
	if (cpu->stacks == NULL)
		cpu->stacks = pp_stacks_new(cpu->words_max);
	if (cpu->labels == NULL)
		cpu->labels = pp_labels_new();
	return (cpu->stacks == NULL || cpu->labels == NULL ? -1 : 0);
}

struct pp_cpu *
pp_cpu_new(struct pp_arena *arena, int arena_fd, struct pp_address_map *map)
{
	struct pp_cpu *cpu;

	if ((cpu = calloc(1, sizeof(*cpu))) == NULL)
		return (NULL);
	cpu->arena = arena;
	cpu->arena_fd = arena_fd;
	cpu->map = map;
	cpu->slots = arena->slots;
	cpu->parent_pid = arena->parent_pid;
	cpu->jiffy_ns = arena->jiffy_ns;
	cpu->samples_max = PP_SESSION_SAMPLES_MAX;
	cpu->words_max = PP_SESSION_WORDS_MAX;
	if (pp_budget_bound() / 4 < cpu->words_max * sizeof(uint64_t) &&
	    pp_budget_bound() != 0)
		cpu->words_max =
		    (uint32_t)(pp_budget_bound() / 4 / sizeof(uint64_t));
	LIST_INIT(&cpu->sessions);
	cpu->maps = calloc(cpu->slots, sizeof(*cpu->maps));
	cpu->cache = calloc(cpu->slots, sizeof(*cpu->cache));
	cpu->generation = calloc(cpu->slots, sizeof(*cpu->generation));
	cpu->recent = calloc(cpu->slots, sizeof(*cpu->recent));
	if (cpu->maps == NULL || cpu->cache == NULL ||
	    cpu->generation == NULL || cpu->recent == NULL) {
		free(cpu->maps);
		free(cpu->cache);
		free(cpu->generation);
		free(cpu->recent);
		free(cpu);
		return (NULL);
	}
	atomic_store(&arena->control.cpu_period_ns, 0);
	cpu_signal_all(cpu);
	cpu->idle_since = pp_clock_mono();
	return (cpu);
}

void
pp_cpu_free(struct pp_cpu *cpu)
{
	uint32_t slot;

	if (cpu == NULL)
		return;
	while (!LIST_EMPTY(&cpu->sessions))
		pp_cpu_cancel(LIST_FIRST(&cpu->sessions));
	cpu_idle_release(cpu);
	for (slot = 0; slot < cpu->slots; slot++)
		pp_maps_free(&cpu->maps[slot]);
	free(cpu->maps);
	free(cpu->cache);
	free(cpu->generation);
	pp_cpu_recent_free(cpu);
	free(cpu);
}

struct pp_cpu_session *
pp_cpu_begin(struct pp_cpu *cpu, unsigned int hz)
{
	struct pp_cpu_session *session;

	if (hz < PP_HZ_MIN || hz > PP_HZ_MAX) {
		errno = EINVAL;
		return (NULL);
	}
	if (cpu->running - cpu->always >= PP_SESSIONS_MAX) {
		errno = EAGAIN;
		return (NULL);
	}
	if (cpu_wake(cpu) == -1 ||
	    (session = pp_cpu_session_new(cpu, hz)) == NULL) {
		cpu_idle_release(cpu);
		errno = ENOMEM;
		return (NULL);
	}
	/* Records that lie in the rings now were written before this window. */
	pp_cpu_clocks_ask(cpu);
	pp_cpu_drain(cpu);
	pp_cpu_clocks_open(session);
	pp_cpu_account_open(session);
	LIST_INSERT_HEAD(&cpu->sessions, session, list);
	cpu->running++;
	cpu->idle_since = 0;
	cpu_control(cpu);
	return (session);
}

static void
cpu_leave(struct pp_cpu_session *session)
{
	LIST_REMOVE(session, list);
	session->cpu->running--;
	cpu_control(session->cpu);
}

struct pp_profile *
pp_cpu_snapshot(struct pp_cpu_session *session)
{
	pp_cpu_drain(session->cpu);
	return (pp_cpu_profile(session));
}

struct pp_profile *
pp_cpu_end(struct pp_cpu_session *session)
{
	struct pp_cpu *cpu = session->cpu;
	struct pp_profile *profile;

	pp_cpu_clocks_ask(cpu);
	pp_cpu_drain(cpu);
	pp_cpu_account_close(session);
	pp_cpu_clocks_close(session);
	cpu_leave(session);
	profile = pp_cpu_profile(session);
	pp_cpu_session_free(session);
	cpu_idle_release(cpu);
	return (profile);
}

void
pp_cpu_cancel(struct pp_cpu_session *session)
{
	struct pp_cpu *cpu = session->cpu;

	cpu_leave(session);
	pp_cpu_session_free(session);
	cpu_idle_release(cpu);
}

/* Only the memory of empty rings is given back: a ring whose memory was given
 * back reads as empty. */
static void
cpu_release(struct pp_cpu *cpu)
{
	const struct pp_ring *ring;
	uint32_t slot;

	pp_cpu_drain(cpu);
	for (slot = 0; slot < cpu->slots; slot++) {
		ring = &cpu->arena->slot[slot].cpu;
		if (atomic_load(&ring->head) == atomic_load(&ring->tail))
			pp_arena_ring_release(cpu->arena_fd, slot);
	}
}

static int64_t
cpu_interval(const struct pp_cpu *cpu)
{
	int64_t interval = 25 * PP_NS_PER_SEC / cpu->hz;

	if (cpu->crowded || interval < DRAIN_FAST_NS)
		return (DRAIN_FAST_NS);
	return (interval < DRAIN_SLOW_NS ? interval : DRAIN_SLOW_NS);
}

int64_t
pp_cpu_tick(struct pp_cpu *cpu, int64_t now)
{
	uint32_t slot;

	cpu_ask(cpu);
	if (cpu->running == 0) {
		if (cpu->idle_since == 0)
			return (INT64_MAX);
		if (now - cpu->idle_since < PP_CPU_IDLE_NS)
			return (cpu->idle_since + PP_CPU_IDLE_NS);
		cpu_release(cpu);
		cpu->idle_since = 0;
		return (INT64_MAX);
	}
	pp_cpu_drain(cpu);
	/* A worker reads the control word as it starts. If a signal came after
	 * that and before the worker knew its threads, the worker has missed
	 * it, so that each new generation is signalled. */
	for (slot = 1; slot < cpu->slots; slot++) {
		if (cpu->generation[slot] !=
		    atomic_load(&cpu->arena->slot[slot].life.generation))
			cpu_signal(cpu, slot);
	}
	return (now + cpu_interval(cpu));
}
