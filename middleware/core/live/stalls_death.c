/*
 * Workers that a signal has ended: the crash record that the parent made of
 * their requests, and their recent CPU samples. See stalls.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/waits.h"
#include "live/stalls_private.h"
#include "store/deaths.h"

const char *
pp_stalls_label(const char *label, uint32_t len, const char *key)
{
	const char *at = label, *value;

	/* The text was checked when it was copied: pairs, then padding. */
	while (at < label + len && *at != '\0') {
		value = at + strlen(at) + 1;
		if (strcmp(at, key) == 0)
			return (value);
		at = value + strlen(value) + 1;
	}
	return (NULL);
}

static void
death_flight(const struct pp_flight *flight, const struct pp_last_words *last,
    struct pp_stall_flight *out)
{
	memcpy(out->path, flight->path, sizeof(out->path));
	pp_progress_path(out->path);
	out->task = atomic_load(&flight->task) != 0;
	out->ran = last->running != 0 && last->running == flight->id;
	out->came = atomic_load(&flight->state) == PP_WAIT_RECEIVE;
	out->age_ns =
	    pp_clock_ago(last->died_ns, atomic_load(&flight->started_ns));
}

static void
death_samples(struct pp_stalls *stalls, struct pp_stall *stall, int64_t died_ns)
{
	struct pp_slot *from = &stalls->resolver->arena->slot[stall->slot];
	struct pp_cpu_last last[PP_LAST_SAMPLES];
	struct pp_stall_stack *sample;
	uint32_t count, i;

	count = pp_cpu_lasts(stalls->cpu, stall->slot, stall->pid, last);
	for (i = 0; i < count; i++) {
		sample = &stall->death->sample[stall->death->samples++];
		sample->tid = last[i].tid;
		sample->weight_ns = last[i].weight_ns;
		sample->ago_ns = pp_clock_ago(died_ns, last[i].time_ns);
		sample->label_len =
		    pp_labels_copy(&from->labels, last[i].label, sample->label);
		sample->words = pp_stalls_words(stalls, stall->slot, last[i].pc,
		    last[i].pcs, sample->word);
	}
}

/* Take labels and stack of the record: the labels of the handler that ran, or
 * else those of the last sample. */
static void
death_label(struct pp_stalls *stalls, struct pp_stall *stall,
    const struct pp_last_words *last)
{
	struct pp_slot *from = &stalls->resolver->arena->slot[stall->slot];
	const struct pp_stall_death *death = stall->death;

	if (death->kept > 0 && death->flight[0].ran) {
		stall->handler = 1;
		stall->held_ns = pp_clock_ago(last->died_ns,
		    atomic_load(&last->flight[0].since_ns));
		memcpy(stall->path, death->flight[0].path, sizeof(stall->path));
		stall->label_len = pp_labels_copy(&from->labels,
		    atomic_load(&last->flight[0].label), stall->label);
	}
	if (death->samples == 0)
		return;
	stall->words = death->sample[0].words;
	memcpy(stall->word, death->sample[0].word,
	    stall->words * sizeof(*stall->word));
	if (stall->label_len == 0) {
		stall->label_len = death->sample[0].label_len;
		memcpy(stall->label, death->sample[0].label, stall->label_len);
	}
}

static void
death_take(struct pp_stalls *stalls, uint32_t slot,
    const struct pp_last_words *last)
{
	struct pp_stall_death *death;
	struct pp_stall *stall;
	uint32_t i;

	if ((death = calloc(1, sizeof(*death))) == NULL)
		return;
	stall = pp_stalls_begin(stalls, slot, last->pid, 0);
	stall->kind = PP_STALL_DIED;
	stall->over = stall->died = 1;
	stall->wall_ns -= pp_clock_ago(pp_clock_mono(), last->died_ns);
	stall->death = death;
	death->signal = WIFSIGNALED(last->status) ? WTERMSIG(last->status) : 0;
	death->flights = last->flights;
	death->kept =
	    last->kept < PP_LAST_FLIGHTS ? last->kept : PP_LAST_FLIGHTS;
	for (i = 0; i < death->kept; i++)
		death_flight(&last->flight[i], last, &death->flight[i]);
	death_samples(stalls, stall, last->died_ns);
	death_label(stalls, stall, last);
	pp_stalls_told(stalls, stall);
}

void
pp_stalls_deaths(struct pp_stalls *stalls, uint32_t slot)
{
	struct pp_stall_watch *watch = &stalls->watch[slot];
	struct pp_slot *from = &stalls->resolver->arena->slot[slot];
	uint32_t deaths = atomic_load(&from->life.deaths), number;
	struct pp_last_words last;

	if (deaths == watch->deaths)
		return;
	number = deaths - watch->deaths > PP_LAST_DEATHS
	    ? deaths - PP_LAST_DEATHS
	    : watch->deaths;
	watch->deaths = deaths;
	atomic_store(&from->deaths_told, deaths);
	while (number++ != deaths) {
		if (pp_deaths_read(from, number, &last) == 0)
			death_take(stalls, slot, &last);
	}
}
