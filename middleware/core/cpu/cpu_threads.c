/*
 * The threads of a session: an open hash table that grows to a bound. What
 * becomes of their CPU time is decided in cpu_session.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/mix.h"
#include "base/random.h"
#include "cpu/cpu_private.h"

static uint32_t
thread_at(const struct pp_cpu_key *key, uint32_t room)
{
	uint64_t hash;

	hash = pp_mix(key->slot, (uint32_t)key->tid);
	return ((uint32_t)pp_mix(hash, (uint32_t)key->pid) & (room - 1));
}

/* Return the thread's entry or a free one. There always is one, since the table
 * is at most half full. */
static struct pp_cpu_thread *
thread_probe(struct pp_cpu_thread *table, uint32_t room,
    const struct pp_cpu_key *key)
{
	struct pp_cpu_thread *thread;
	uint32_t at;

	for (at = thread_at(key, room);; at = (at + 1) & (room - 1)) {
		thread = &table[at];
		if (!thread->used ||
		    (thread->tid == key->tid && thread->pid == key->pid &&
			thread->slot == key->slot))
			return (thread);
	}
}

static int
threads_grow(struct pp_cpu_session *session)
{
	uint32_t room =
	    session->thread_room == 0 ? 16 : session->thread_room * 2;
	struct pp_cpu_thread *table, *old;
	struct pp_cpu_key key = { 0 };
	uint32_t i;

	if (room > 2 * PP_CPU_THREADS_MAX ||
	    !pp_budget_keeps(room * sizeof(*table)) ||
	    (table = calloc(room, sizeof(*table))) == NULL)
		return (-1);
	for (i = 0; i < session->thread_room; i++) {
		old = &session->thread[i];
		if (!old->used)
			continue;
		key.slot = old->slot;
		key.pid = old->pid;
		key.tid = old->tid;
		*thread_probe(table, room, &key) = *old;
	}
	free(session->thread);
	session->thread = table;
	session->thread_room = room;
	return (0);
}

struct pp_cpu_thread *
pp_cpu_thread_find(struct pp_cpu_session *session, const struct pp_cpu_key *key)
{
	struct pp_cpu_thread *thread;

	if (session->thread_room == 0)
		return (NULL);
	thread = thread_probe(session->thread, session->thread_room, key);
	return (thread->used ? thread : NULL);
}

/* The first sample comes anywhere in a period, so that threads that live
 * shorter than one period are sampled, too. */
struct pp_cpu_thread *
pp_cpu_thread_at(struct pp_cpu_session *session, const struct pp_cpu_key *key)
{
	struct pp_cpu_thread *thread = pp_cpu_thread_find(session, key);

	if (thread != NULL)
		return (thread);
	if (2 * (session->threads + 1) > session->thread_room &&
	    threads_grow(session) == -1)
		return (&session->other);
	thread = thread_probe(session->thread, session->thread_room, key);
	thread->used = 1;
	thread->slot = key->slot;
	thread->pid = key->pid;
	thread->tid = key->tid;
	thread->rest = thread->debt = 0;
	thread->need = 1 + pp_random(&session->random) % session->period;
	session->threads++;
	return (thread);
}

/* The entries behind the dropped one move up, so that every lookup still finds
 * its entry. */
void
pp_cpu_thread_drop(struct pp_cpu_session *session, struct pp_cpu_thread *thread)
{
	struct pp_cpu_thread *table = session->thread;
	uint32_t mask = session->thread_room - 1, hole, at, home;
	struct pp_cpu_key key = { 0 };

	if (thread == &session->other)
		return;
	hole = (uint32_t)(thread - table);
	session->threads--;
	for (at = (hole + 1) & mask; table[at].used; at = (at + 1) & mask) {
		key.slot = table[at].slot;
		key.pid = table[at].pid;
		key.tid = table[at].tid;
		home = thread_at(&key, session->thread_room);
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		table[hole] = table[at];
		hole = at;
	}
	table[hole].used = 0;
}
