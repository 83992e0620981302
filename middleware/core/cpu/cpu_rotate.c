/*
 * The rotation of a session, which another of the same rate follows, and the
 * copy of a session that runs: both are for the recorder. Other sessions begin
 * and end in cpu.c.
 */
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu_private.h"

struct pp_cpu_session *
pp_cpu_rotate(struct pp_cpu_session *session)
{
	struct pp_cpu *cpu = session->cpu;
	struct pp_cpu_session *next;

	if ((next = pp_cpu_session_new(cpu, session->hz)) == NULL)
		return (NULL);
	pp_cpu_drain(cpu);
	pp_cpu_account_close(session);
	pp_cpu_account_open(next);
	/* CPU time of threads that is in no line yet goes on in the next
	 * session. */
	next->thread = session->thread;
	next->threads = session->threads;
	next->thread_room = session->thread_room;
	session->thread = NULL;
	session->threads = session->thread_room = 0;
	LIST_INSERT_AFTER(session, next, list);
	LIST_REMOVE(session, list);
	return (next);
}

/* No other session refers to stacks and labels, so that both begin anew. */
static void
cpu_fresh(struct pp_cpu *cpu)
{
	struct pp_stacks *stacks = pp_stacks_new(cpu->words_max);
	struct pp_labels *labels = pp_labels_new();
	uint32_t slot;

	if (stacks == NULL || labels == NULL) {
		pp_stacks_free(stacks);
		pp_labels_free(labels);
		return;
	}
	pp_stacks_free(cpu->stacks);
	pp_labels_free(cpu->labels);
	cpu->stacks = stacks;
	cpu->labels = labels;
	cpu->stacks_kept = cpu->labels_kept = 0;
	for (slot = 0; slot < cpu->slots; slot++)
		pp_labels_forget(&cpu->cache[slot]);
}

void
pp_cpu_retire(struct pp_cpu_session *old)
{
	struct pp_cpu *cpu = old->cpu;

	pp_cpu_session_free(old);
	if (cpu->running == 1 && cpu->listener == NULL)
		cpu_fresh(cpu);
	else
		pp_cpu_sweep(cpu);
}

struct pp_cpu_session *
pp_cpu_copy(struct pp_cpu_session *session)
{
	size_t size =
	    sizeof(*session) + session->cpu->slots * sizeof(session->then[0]);
	struct pp_cpu_session *copy;

	if ((copy = malloc(size)) == NULL)
		return (NULL);
	pp_cpu_drain(session->cpu);
	memcpy(copy, session, size);
	pp_cpu_account_close(copy);
	return (copy);
}
