/*
 * Forgets stacks and labels that no session refers to any more. Those of
 * sessions that have ended stay while another one runs, so that the overlapping
 * sessions of scrapers would fill the stores in hours.
 *
 * Rule: a sweep is done only when enough has come since the last one, so that
 * each stack and each label costs a constant amount of work.
 */
#include "cpu/cpu_private.h"

/* A sweep needs a store that is so many thousandths full: 6 MiB, which are some
 * 18,000 stacks. */
#define SWEEP_FILL 125

static void
sweep_stacks(struct pp_cpu *cpu)
{
	struct pp_cpu_session *session;
	uint32_t i, fill = pp_stacks_fill(cpu->stacks);

	if (fill < SWEEP_FILL || fill / 2 <= cpu->stacks_kept)
		return;
	LIST_FOREACH(session, &cpu->sessions, list)
		for (i = 0; i < session->entries; i++)
			pp_stacks_mark(cpu->stacks,
			    session->entry[i].key.stack);
	pp_stacks_settle(cpu->stacks);
	LIST_FOREACH(session, &cpu->sessions, list)
		for (i = 0; i < session->entries; i++)
			session->entry[i].key.stack =
			    pp_stacks_moved(cpu->stacks,
				session->entry[i].key.stack);
	pp_stacks_sweep(cpu->stacks);
	cpu->stacks_kept = pp_stacks_fill(cpu->stacks);
}

/* Copy the label sets that sessions refer to. Returns -1 when one could not be
 * copied. */
static int
sweep_copy(struct pp_cpu *cpu, struct pp_labels *fresh)
{
	struct pp_cpu_session *session;
	uint32_t i, label;

	LIST_FOREACH(session, &cpu->sessions, list) {
		for (i = 0; i < session->entries; i++) {
			label = session->entry[i].key.label;
			if (label != 0 &&
			    pp_labels_carry(fresh, cpu->labels, label) == 0)
				return (-1);
		}
	}
	return (0);
}

static void
sweep_labels(struct pp_cpu *cpu)
{
	uint32_t count = pp_labels_count(cpu->labels), slot, i;
	struct pp_cpu_session *session;
	struct pp_cpu_entry *entry;
	struct pp_labels *fresh;

	if (count < PP_LABELS_MAX / 4 || count / 2 <= cpu->labels_kept ||
	    (fresh = pp_labels_new()) == NULL)
		return;
	if (sweep_copy(cpu, fresh) == -1) {
		pp_labels_free(fresh);
		return;
	}
	LIST_FOREACH(session, &cpu->sessions, list) {
		for (i = 0; i < session->entries; i++) {
			entry = &session->entry[i];
			entry->key.label = pp_labels_carry(fresh, cpu->labels,
			    entry->key.label);
		}
	}
	pp_labels_free(cpu->labels);
	cpu->labels = fresh;
	cpu->labels_kept = pp_labels_count(fresh);
	for (slot = 0; slot < cpu->slots; slot++)
		pp_labels_forget(&cpu->cache[slot]);
}

void
pp_cpu_sweep(struct pp_cpu *cpu)
{
	sweep_stacks(cpu);
	sweep_labels(cpu);
}
