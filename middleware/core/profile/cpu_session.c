/*
 * One session: its own rate, and a bounded table of what it saw. Knows
 * neither rings nor profiles.
 *
 * Thinning: each thread has a remainder of CPU time. A record adds its weight
 * to it; every whole period in it becomes value, in the record's stack. The
 * remainder starts at half a period, so that ticks that come a little early
 * count as what they are, and a thread's sum is never more than half a
 * period off.
 *
 * Rule: CPU time that was weighed is in the totals, whatever is full: first
 * the callers are given up, then the leaf, then the labels.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mix.h"
#include "profile/cpu_private.h"

/* More than a day in one record is a lie. */
#define WEIGHT_MAX ((uint64_t)PP_SECONDS_MAX * PP_NS_PER_SEC)

struct pp_cpu_session *
pp_cpu_session_new(struct pp_cpu *cpu, unsigned int hz)
{
	struct pp_cpu_session *session;

	session =
	    calloc(1, sizeof(*session) + cpu->slots * sizeof(session->then[0]));
	if (session == NULL)
		return (NULL);
	session->cpu = cpu;
	session->hz = hz;
	session->period = PP_NS_PER_SEC / hz;
	session->thread_rest = session->period / 2;
	return (session);
}

void
pp_cpu_session_free(struct pp_cpu_session *session)
{
	if (session == NULL)
		return;
	free(session->entry);
	free(session->index);
	free(session->thread);
	free(session);
}

static uint32_t
thread_at(const struct pp_cpu_key *key, uint32_t room)
{
	uint64_t hash;

	hash = pp_mix(key->slot, (uint32_t)key->tid);
	return ((uint32_t)pp_mix(hash, (uint32_t)key->pid) & (room - 1));
}

/* The thread's entry or a free one; there always is one, the table is at
 * most half full. */
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

/* Where the thread's remainder is. */
static uint64_t *
thread_rest(struct pp_cpu_session *session, const struct pp_cpu_key *key)
{
	struct pp_cpu_thread *thread;

	if (session->thread_room != 0) {
		thread =
		    thread_probe(session->thread, session->thread_room, key);
		if (thread->used)
			return (&thread->rest);
	}
	if (2 * (session->threads + 1) > session->thread_room &&
	    threads_grow(session) == -1)
		return (&session->thread_rest);
	thread = thread_probe(session->thread, session->thread_room, key);
	thread->used = 1;
	thread->slot = key->slot;
	thread->pid = key->pid;
	thread->tid = key->tid;
	thread->rest = session->period / 2;
	session->threads++;
	return (&thread->rest);
}

static uint32_t
entry_hash(const struct pp_cpu *cpu, const struct pp_cpu_key *key)
{
	uint64_t hash = pp_stacks_hash(cpu->stacks, key->stack);

	hash = pp_mix(hash, pp_labels_hash(cpu->labels, key->label));
	hash = pp_mix(hash, key->slot);
	hash = pp_mix(hash,
	    (uint64_t)(uint32_t)key->pid << 32 | (uint32_t)key->tid);
	return ((uint32_t)(hash ^ hash >> 29));
}

static int
entries_grow(struct pp_cpu_session *session)
{
	uint32_t room = session->room == 0 ? 64 : session->room * 2;
	struct pp_cpu_entry *entry;
	uint32_t *index, i, probe, at;

	entry = realloc(session->entry, room * sizeof(*entry));
	if (entry == NULL)
		return (-1);
	session->entry = entry;
	if ((index = calloc(2 * (size_t)room, sizeof(*index))) == NULL)
		return (-1);
	for (i = 0; i < session->entries; i++) {
		/* One that finds no place stays in the totals, and may get
		 * a second line in the profile. */
		for (probe = 0; probe < PP_PROBES_MAX; probe++) {
			at = (entry[i].hash + probe) & (2 * room - 1);
			if (index[at] != 0)
				continue;
			index[at] = i + 1;
			break;
		}
	}
	free(session->index);
	session->index = index;
	session->room = room;
	return (0);
}

/* The key's entry; a new one only while there are less than `limit`. */
static struct pp_cpu_entry *
entry_find(struct pp_cpu_session *session, const struct pp_cpu_key *key,
    uint32_t limit)
{
	uint32_t hash = entry_hash(session->cpu, key);
	struct pp_cpu_entry *entry;
	uint32_t probe, at;

	if (session->entries == session->room && session->entries < limit)
		(void)entries_grow(session);
	if (session->room == 0)
		return (NULL);
	for (probe = 0; probe < PP_PROBES_MAX; probe++) {
		at = (hash + probe) & (2 * session->room - 1);
		if (session->index[at] == 0)
			break;
		entry = &session->entry[session->index[at] - 1];
		if (entry->hash == hash &&
		    memcmp(&entry->key, key, sizeof(*key)) == 0)
			return (entry);
	}
	if (probe == PP_PROBES_MAX || session->entries >= limit ||
	    session->entries == session->room)
		return (NULL);
	entry = &session->entry[session->entries];
	memset(entry, 0, sizeof(*entry));
	entry->key = *key;
	entry->hash = hash;
	session->index[at] = ++session->entries;
	return (entry);
}

/*
 * Where to count the sample. The last eighth of the table is kept for what
 * a new stack degrades to: its leaf, and at last its thread and route alone.
 */
static struct pp_cpu_entry *
session_entry(struct pp_cpu_session *session, struct pp_cpu_sample *sample)
{
	uint32_t limit = session->cpu->samples_max;
	struct pp_cpu_key key = sample->key;
	struct pp_cpu_entry *entry;
	uint64_t leaf[PP_STACKS_SHORT];

	if (key.stack != PP_STACKS_NONE) {
		entry = entry_find(session, &key, limit - limit / 8);
		if (entry != NULL)
			return (entry);
	}
	if (sample->pcs > 0) {
		session->dropped++;
		leaf[0] = sample->word[0];
		leaf[1] = PP_BUILD_FRAMES_LOST;
		key.stack = pp_stacks_intern(session->cpu->stacks, leaf, 2);
		if (key.stack != PP_STACKS_NONE) {
			entry = entry_find(session, &key, limit - limit / 16);
			if (entry != NULL)
				return (entry);
		}
	}
	key.stack = PP_STACKS_NONE;
	entry = entry_find(session, &key, limit);
	if (entry != NULL)
		return (entry);
	if (sample->pcs == 0)
		session->dropped++;
	return (&session->rest);
}

static void
add_capped(uint64_t *sum, uint64_t more)
{
	*sum = more > INT64_MAX - *sum ? INT64_MAX : *sum + more;
}

void
pp_cpu_session_add(struct pp_cpu_session *session, struct pp_cpu_sample *sample)
{
	struct pp_cpu_entry *entry;
	uint64_t *rest, ns;

	rest = thread_rest(session, &sample->key);
	*rest += sample->weight < WEIGHT_MAX ? sample->weight : WEIGHT_MAX;
	if (*rest < session->period)
		return;
	ns = *rest - *rest % session->period;
	*rest -= ns;
	if (!sample->resolved)
		pp_cpu_resolve(session->cpu, sample);
	if (sample->label_lost)
		session->labels_lost++;
	entry = session_entry(session, sample);
	add_capped(&entry->samples, 1);
	add_capped(&entry->ns, ns);
}

void
pp_cpu_session_put(struct pp_cpu_session *session, const struct pp_cpu_key *key,
    const uint64_t *word, uint32_t count, uint64_t samples, uint64_t ns)
{
	struct pp_cpu_sample sample;
	struct pp_cpu_entry *entry;

	sample.key = *key;
	sample.key.stack = PP_STACKS_NONE;
	sample.pcs = count;
	memcpy(sample.word, word, count * sizeof(*word));
	if (count > 0)
		sample.key.stack =
		    pp_stacks_intern(session->cpu->stacks, word, count);
	entry = session_entry(session, &sample);
	add_capped(&entry->samples, samples);
	add_capped(&entry->ns, ns);
}
