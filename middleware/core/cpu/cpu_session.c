/*
 * One session: its own rate, and a bounded table of what it saw. This file
 * knows neither rings nor profiles.
 *
 * A worker takes samples at the highest rate of all sessions. For a session of
 * that rate each record is a sample. For a session of a lower rate the records
 * of a thread add up until they make a period: the record that fills the period
 * gets the CPU time of all records since the sample before, as a timer of that
 * rate would have found it. So no CPU time is rounded. Above the kernel's tick
 * the clocks of threads that share a processor come too often, so that the
 * records are thinned for the highest rate, too.
 *
 * Rule: CPU time of a record is in the totals, whatever is full: a full table
 * costs a sample first its callers, then its leaf, then its labels.
 */
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/mix.h"
#include "cpu/cpu_private.h"

/* A record that claims more than a day is wrong. */
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
	session->other.need = session->period / 2;
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

	if (!pp_budget_keeps(room * (sizeof(*entry) + 2 * sizeof(*index))))
		return (-1);
	entry = realloc(session->entry, room * sizeof(*entry));
	if (entry == NULL)
		return (-1);
	session->entry = entry;
	if ((index = calloc(2 * (size_t)room, sizeof(*index))) == NULL)
		return (-1);
	for (i = 0; i < session->entries; i++) {
		/* An entry that finds no place in the index stays in the
		 * totals, and its key may get a second line in the profile. */
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

/* Return the key's entry; a new one is made only while there are less than
 * `limit`. */
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
 * Return the entry that counts the sample. When the table is full, a new stack
 * is reduced to its leaf, and then to its thread and route alone: the last
 * eighth of the table is kept for these.
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
	return (&session->overflow);
}

static void
add_capped(uint64_t *sum, uint64_t more)
{
	*sum = more > INT64_MAX - *sum ? INT64_MAX : *sum + more;
}

/* Whether the thread's CPU time so far makes a sample. */
static int
session_takes(const struct pp_cpu_session *session,
    struct pp_cpu_thread *thread)
{
	const struct pp_cpu *cpu = session->cpu;
	uint64_t over;

	if (session->hz >= cpu->hz && (int64_t)session->period >= cpu->jiffy_ns)
		return (1);
	if (thread->rest < thread->need)
		return (0);
	/* If two periods end within one record, the next record is a sample,
	 * too. */
	over = thread->rest - thread->need;
	thread->need = over < session->period ? session->period - over : 0;
	return (1);
}

static void
session_count(struct pp_cpu_session *session, struct pp_cpu_sample *sample,
    uint64_t samples, uint64_t ns)
{
	struct pp_cpu_entry *entry;

	if (sample->label_lost)
		session->labels_lost++;
	entry = session_entry(session, sample);
	add_capped(&entry->samples, samples);
	add_capped(&entry->ns, ns);
	add_capped(&session->then[sample->key.slot].sampled_ns, ns);
}

void
pp_cpu_session_add(struct pp_cpu_session *session, struct pp_cpu_sample *sample)
{
	struct pp_cpu_thread *thread = pp_cpu_thread_at(session, &sample->key);
	uint64_t weight =
	    sample->weight < WEIGHT_MAX ? sample->weight : WEIGHT_MAX;

	add_capped(&thread->rest,
	    weight > thread->debt ? weight - thread->debt : 0);
	thread->debt = 0;
	if (!sample->left && !session_takes(session, thread))
		return;
	if (!sample->resolved)
		pp_cpu_resolve(session->cpu, sample);
	if (!sample->left || thread->rest != 0)
		session_count(session, sample, sample->left ? 0 : 1,
		    thread->rest);
	thread->rest = 0;
	if (sample->left)
		pp_cpu_thread_drop(session, thread);
}

void
pp_cpu_session_miss(struct pp_cpu_session *session,
    const struct pp_cpu_key *key, uint64_t ns)
{
	struct pp_cpu_sample sample = { .key = *key, .pcs = 1, .resolved = 1 };

	if (ns == 0)
		return;
	sample.word[0] = PP_BUILD_NOT_SAMPLED;
	sample.key.stack =
	    pp_stacks_intern(session->cpu->stacks, sample.word, 1);
	session_count(session, &sample, 0, ns);
	add_capped(&session->not_sampled_ns, ns);
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
