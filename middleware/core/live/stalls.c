/*
 * The watch: which loops do not turn, and which workers a signal has ended: the
 * crash record that the parent made of their requests, and their recent CPU
 * samples. See stalls.h.
 *
 * A loop goes on when it waits for events, when it comes back from that wait,
 * and when another handler runs; three words of the slot show all of it. The
 * time without a change is exact for a handler. For the rest of a turn it is
 * known only to the time between two looks.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/mix.h"
#include "base/waits.h"
#include "live/stalls_private.h"
#include "merge/wake.h"
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
death_inflight(const struct pp_inflight *inflight,
    const struct pp_crash_record *last, struct pp_stall_inflight *out)
{
	memcpy(out->path, inflight->path, sizeof(out->path));
	pp_activity_path(out->path);
	out->task = atomic_load(&inflight->task) != 0;
	out->ran = last->running != 0 && last->running == inflight->id;
	out->came = atomic_load(&inflight->state) == PP_WAIT_RECEIVE;
	out->age_ns =
	    pp_clock_ago(last->died_ns, atomic_load(&inflight->started_ns));
}

static void
death_samples(struct pp_stalls *stalls, struct pp_stall *stall, int64_t died_ns)
{
	struct pp_slot *from = &stalls->resolver->arena->slot[stall->slot];
	struct pp_cpu_recent last[PP_RECENT_SAMPLES];
	struct pp_stall_stack *sample;
	uint32_t count, i;

	count =
	    pp_cpu_recent_samples(stalls->cpu, stall->slot, stall->pid, last);
	for (i = 0; i < count; i++) {
		sample = &stall->death->sample[stall->death->samples++];
		sample->tid = last[i].tid;
		sample->weight_ns = last[i].weight_ns;
		sample->ago_ns = pp_clock_ago(died_ns, last[i].time_ns);
		sample->label_len =
		    pp_labels_copy(&from->labels, last[i].label, sample->label);
		sample->words = pp_stalls_crash(stalls, stall->slot, last[i].pc,
		    last[i].pcs, sample->word);
	}
}

/* Take labels and stack of the record: the labels of the handler that ran, or
 * else those of the last sample. */
static void
death_label(struct pp_stalls *stalls, struct pp_stall *stall,
    const struct pp_crash_record *last)
{
	struct pp_slot *from = &stalls->resolver->arena->slot[stall->slot];
	const struct pp_stall_death *death = stall->death;

	if (death->kept > 0 && death->inflight[0].ran) {
		stall->handler = 1;
		stall->held_ns = pp_clock_ago(last->died_ns,
		    atomic_load(&last->inflight[0].since_ns));
		memcpy(stall->path, death->inflight[0].path,
		    sizeof(stall->path));
		stall->label_len = pp_labels_copy(&from->labels,
		    atomic_load(&last->inflight[0].label), stall->label);
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
    const struct pp_crash_record *last)
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
	death->inflights = last->inflights;
	death->kept =
	    last->kept < PP_CRASH_INFLIGHT ? last->kept : PP_CRASH_INFLIGHT;
	for (i = 0; i < death->kept; i++)
		death_inflight(&last->inflight[i], last, &death->inflight[i]);
	death_samples(stalls, stall, last->died_ns);
	death_label(stalls, stall, last);
	pp_stalls_report(stalls, stall);
}

static void
stalls_deaths(struct pp_stalls *stalls, uint32_t slot)
{
	struct pp_stall_watch *watch = &stalls->watch[slot];
	struct pp_slot *from = &stalls->resolver->arena->slot[slot];
	uint32_t deaths = atomic_load(&from->life.deaths), number;
	struct pp_crash_record last;

	if (deaths == watch->deaths)
		return;
	number = deaths - watch->deaths > PP_CRASH_RECORDS
	    ? deaths - PP_CRASH_RECORDS
	    : watch->deaths;
	watch->deaths = deaths;
	atomic_store(&from->deaths_reported, deaths);
	while (number++ != deaths) {
		if (pp_deaths_read(from, number, &last) == 0)
			death_take(stalls, slot, &last);
	}
}

/* The time between two looks while no loop is held. It is half the bound,
 * within these limits, so that a stall is noticed before it is too long, and
 * looked at when it is. */
#define POLL_MAX_NS (500 * PP_NS_PER_MS)
#define POLL_MIN_NS (2 * PP_NS_PER_MS)

/* While a loop is held, it is looked at this often: its end is known this
 * well. */
#define POLL_HELD_NS (50 * PP_NS_PER_MS)

/* How long an answer of a thread that was asked for its stack is waited for,
 * and how often it is looked for. */
#define ANSWER_NS      (100 * PP_NS_PER_MS)
#define POLL_ANSWER_NS (2 * PP_NS_PER_MS)

struct pp_stalls *
pp_stalls_new(struct pp_resolver *resolver, struct pp_cpu *cpu, int32_t parent,
    uint64_t stall_ms)
{
	struct pp_stalls *stalls;
	uint32_t slot;

	stalls = calloc(1,
	    sizeof(*stalls) + resolver->slots * sizeof(stalls->watch[0]));
	if (stalls == NULL)
		return (NULL);
	stalls->resolver = resolver;
	stalls->cpu = cpu;
	stalls->parent = parent;
	/* `stall_ms` was read from the arena, so that it may be any number. */
	if (stall_ms <= PP_STALL_MS_MAX)
		stalls->stall_ns = (int64_t)stall_ms * PP_NS_PER_MS;
	/* A worker may die while there is no collector. Such a death is
	 * reported by this one; a death that an earlier collector has reported
	 * is not. */
	for (slot = 1; slot < resolver->slots; slot++)
		stalls->watch[slot].deaths =
		    atomic_load(&resolver->arena->slot[slot].deaths_reported);
	return (stalls);
}

void
pp_stalls_free(struct pp_stalls *stalls)
{
	uint32_t i;

	if (stalls == NULL)
		return;
	for (i = 0; i < PP_STALLS_MAX; i++)
		free(stalls->stall[i].death);
	free(stalls);
}

void
pp_stalls_report_to(struct pp_stalls *stalls, pp_stall_report_fn *report,
    pp_activity_name_fn *name, void *arg)
{
	stalls->report = report;
	stalls->name = name;
	stalls->arg = arg;
}

/* Return the entry of the request whose handler runs, or NULL. */
static const struct pp_inflight *
watch_inflight(const struct pp_slot *from)
{
	uint64_t id = atomic_load(&from->inflights.running);
	uint32_t used = atomic_load(&from->inflights.used), i;

	for (i = 0; id != 0 && i < used && i < PP_INFLIGHT_MAX; i++) {
		if (atomic_load(&from->inflights.inflight[i].id) == id)
			return (&from->inflights.inflight[i]);
	}
	return (NULL);
}

/* Return when the work that runs now began; the last look did not see it. */
static int64_t
watch_began(const struct pp_slot *from, int64_t busy, int same_turn,
    int64_t now)
{
	const struct pp_inflight *inflight = watch_inflight(from);
	int64_t began = busy;

	if (inflight != NULL)
		began = atomic_load(&inflight->since_ns);
	else if (same_turn)
		began = now; /* after a handler, since the last look */
	return (began > 0 && began < now ? began : now);
}

static const struct pp_thread_facts *
watch_thread(const struct pp_slot *from, int32_t pid)
{
	uint32_t i;

	for (i = 0; i < PP_THREADS_MAX; i++) {
		if ((int32_t)atomic_load(&from->thread[i].tid) == pid)
			return (&from->thread[i]);
	}
	return (NULL);
}

static void
watch_ask(struct pp_stalls *stalls, uint32_t slot, int64_t now)
{
	struct pp_stall_watch *watch = &stalls->watch[slot];
	struct pp_slot *from = &stalls->resolver->arena->slot[slot];
	const struct pp_inflight *inflight = watch_inflight(from);
	struct pp_stall *stall;

	stall =
	    pp_stalls_begin(stalls, slot, watch->pid, now - watch->since_ns);
	if (inflight != NULL) {
		stall->handler = 1;
		memcpy(stall->path, inflight->path, sizeof(stall->path));
		pp_activity_path(stall->path);
		stall->label_len = pp_labels_copy(&from->labels,
		    atomic_load(&inflight->label), stall->label);
	}
	watch->on = stall->number;
	watch->began_ns = watch->since_ns;
	watch->asked_ns = now;
	watch->question = pp_activity_ask_thread(stalls->resolver,
	    stalls->parent, slot, watch->pid);
}

/* Complete the record if the thread has answered, or if it is too late for an
 * answer. Returns 0 if the answer is still waited for. */
static int
watch_answer(struct pp_stalls *stalls, uint32_t slot, int64_t now, int last)
{
	struct pp_stall_watch *watch = &stalls->watch[slot];
	struct pp_slot *from = &stalls->resolver->arena->slot[slot];
	struct pp_stall *stall = pp_stalls_find(stalls, watch->on);
	const struct pp_thread_facts *facts;
	uint64_t pc[PP_FRAMES_MAX];
	char label[PP_LABELS_TEXT_MAX];
	uint32_t len;
	int heard;

	facts = watch_thread(from, watch->pid);
	heard = facts != NULL && pp_activity_heard(facts, watch->question);
	if (!heard && !last && now - watch->asked_ns < ANSWER_NS) {
		/* The kernel throws a question away while a tick of the thread
		 * waits to be delivered, so that the thread is asked again. */
		pp_wake_thread(stalls->resolver->arena, slot, stalls->parent,
		    watch->pid);
		return (0);
	}
	watch->asked_ns = 0;
	if (stall == NULL)
		return (1);
	stall->held_ns = now - watch->began_ns;
	if (heard) {
		stall->words = pp_stalls_crash(stalls, slot, pc,
		    pp_activity_pcs(facts, pc), stall->word);
		stall->state = pp_activity_state(stalls->resolver->map,
		    stall->word, stall->words, stalls->name, stalls->arg);
		/* These labels also have those that the handler has pushed. */
		len = pp_labels_copy(&from->labels, atomic_load(&facts->label),
		    label);
		if (len != 0) {
			stall->label_len = len;
			memcpy(stall->label, label, len);
		}
	}
	pp_stalls_report(stalls, stall);
	return (1);
}

static void
watch_end(struct pp_stalls *stalls, uint32_t slot, int died, int64_t now)
{
	struct pp_stall_watch *watch = &stalls->watch[slot];
	struct pp_stall *stall;

	if (watch->on == 0)
		return;
	if (watch->asked_ns != 0)
		(void)watch_answer(stalls, slot, now, 1);
	stall = pp_stalls_find(stalls, watch->on);
	watch->on = 0;
	if (stall == NULL)
		return;
	stall->held_ns = now - watch->began_ns;
	stall->over = 1;
	stall->died = died;
	pp_stalls_report(stalls, stall);
}

static uint64_t
watch_fingerprint(const struct pp_slot *from, int64_t busy)
{
	const struct pp_inflights *inflights = &from->inflights;
	uint64_t fingerprint =
	    pp_mix((uint64_t)busy, atomic_load(&inflights->running));

	fingerprint = pp_mix(fingerprint, atomic_load(&inflights->requests));
	/* A request that is run again has the same id, but another time. */
	return (pp_mix(fingerprint,
	    (uint64_t)atomic_load(&inflights->inflight[0].since_ns)));
}

static int64_t
watch_slot(struct pp_stalls *stalls, uint32_t slot, int64_t now)
{
	struct pp_stall_watch *watch = &stalls->watch[slot];
	const struct pp_slot *from = &stalls->resolver->arena->slot[slot];
	int32_t pid = atomic_load(&from->life.pid);
	int64_t busy = atomic_load(&from->busy_ns);
	uint64_t fingerprint = watch_fingerprint(from, busy);

	if (pid != watch->pid || fingerprint != watch->fingerprint) {
		watch_end(stalls, slot, pid != watch->pid, now);
		watch->since_ns = watch_began(from, busy,
		    pid == watch->pid && busy == watch->busy_ns, now);
		watch->busy_ns = busy;
		watch->pid = pid;
		watch->fingerprint = fingerprint;
	}
	if (pid <= 0 || busy == 0)
		return (INT64_MAX);
	if (watch->on == 0) {
		if (now - watch->since_ns < stalls->stall_ns)
			return (watch->since_ns + stalls->stall_ns);
		watch_ask(stalls, slot, now);
	}
	if (watch->asked_ns != 0 && !watch_answer(stalls, slot, now, 0))
		return (now + POLL_ANSWER_NS);
	return (now + POLL_HELD_NS);
}

static int64_t
stalls_interval(const struct pp_stalls *stalls)
{
	int64_t interval = stalls->stall_ns / 2;

	if (interval > POLL_MAX_NS)
		return (POLL_MAX_NS);
	return (interval < POLL_MIN_NS ? POLL_MIN_NS : interval);
}

int64_t
pp_stalls_tick(struct pp_stalls *stalls, int64_t now)
{
	int64_t next = INT64_MAX, at;
	uint32_t slot;

	/* Without a bound nothing is timed: deaths are reported by the
	 * parent. */
	if (stalls->stall_ns != 0)
		next = now + stalls_interval(stalls);
	for (slot = 1; slot < stalls->resolver->slots; slot++) {
		stalls_deaths(stalls, slot);
		if (stalls->stall_ns == 0)
			continue;
		at = watch_slot(stalls, slot, now);
		if (at < next)
			next = at;
	}
	return (next);
}
