/*
 * A closed session as a profile: values, stacks, labels, comments. Names are
 * not looked up here; the service gives the locations their lines.
 *
 * Rule: the order depends on what was sampled, not on who came first, so that
 * the same samples make the same profile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mix.h"
#include "profile/cpu_private.h"
#include "store/objects.h"

/* Words whose location is remembered. A service's code has a few thousand
 * distinct ones; what falls out is looked up again. Power of two. */
#define CACHE_SIZE 4096U

struct build {
	const struct pp_cpu_session *session;
	struct pp_profile *p;
	const struct pp_cpu_entry **order;
	uint32_t lines;
	uint64_t samples;
	uint64_t ns;
	uint32_t mapping[PP_PLACES_MAX]; /* ids by number of place */
	struct {
		uint64_t word;
		uint32_t location; /* 0: free */
	} cache[CACHE_SIZE];
};

static int
compare_number(uint64_t a, uint64_t b)
{
	return ((a > b) - (a < b));
}

static int
compare_stacks(const struct pp_stacks *stacks, uint32_t a, uint32_t b)
{
	uint32_t left, right, i;
	const uint64_t *one = pp_stacks_get(stacks, a, &left);
	const uint64_t *other = pp_stacks_get(stacks, b, &right);

	if (a == b)
		return (0);
	for (i = 0; i < left && i < right; i++) {
		if (one[i] != other[i])
			return (compare_number(one[i], other[i]));
	}
	return (compare_number(left, right));
}

static int
compare_entries(const void *a, const void *b, void *arg)
{
	const struct pp_cpu_entry *left, *right;
	const struct pp_cpu *cpu = arg;
	int order;

	left = *(const struct pp_cpu_entry *const *)a;
	right = *(const struct pp_cpu_entry *const *)b;
	if ((order = compare_number(right->ns, left->ns)) == 0)
		order = compare_number(right->samples, left->samples);
	if (order == 0)
		order = compare_stacks(cpu->stacks, left->key.stack,
		    right->key.stack);
	if (order == 0)
		order = pp_labels_compare(cpu->labels, left->key.label,
		    right->key.label);
	if (order == 0)
		order = compare_number(left->key.slot, right->key.slot);
	if (order == 0)
		order = compare_number((uint32_t)left->key.pid,
		    (uint32_t)right->key.pid);
	if (order == 0)
		order = compare_number((uint32_t)left->key.tid,
		    (uint32_t)right->key.tid);
	return (order);
}

static uint32_t
build_mapping(struct build *build, const struct pp_place *place, int number)
{
	const struct pp_object *object = &place->object;
	char id[2 * PP_BUILD_ID_MAX + 1] = "";
	struct pp_mapping mapping;
	uint32_t i;

	if (build->mapping[number] != 0)
		return (build->mapping[number]);
	for (i = 0; i < object->build_id_len; i++)
		(void)snprintf(id + 2 * i, 3, "%02x", object->build_id[i]);
	memset(&mapping, 0, sizeof(mapping));
	mapping.start = place->start;
	mapping.limit = place->limit;
	mapping.offset = object->offset;
	mapping.file = pp_profile_string(build->p, object->name);
	mapping.build_id = pp_profile_string(build->p, id);
	build->mapping[number] = pp_profile_mapping(build->p, &mapping);
	return (build->mapping[number]);
}

/* Readers take the first mapping for the program's: the first object of the
 * first process that has any. */
static void
build_main(struct build *build)
{
	const struct pp_cpu *cpu = build->session->cpu;
	struct pp_object object;
	uint32_t slot;
	int number;

	for (slot = 0; slot < cpu->slots; slot++) {
		if (pp_objects_read(&cpu->arena->slot[slot].objects, 0,
			&object) == -1)
			continue;
		number = pp_canon_place(cpu->canon, &object);
		if (number == -1)
			continue;
		(void)build_mapping(build, pp_canon_get(cpu->canon, number),
		    number);
		return;
	}
}

static uint32_t
build_no_stack(struct build *build)
{
	struct pp_line line = { 0, 0 };
	uint32_t before = build->p->locations, location;

	location = pp_profile_location(build->p, PP_CPU_NO_STACK, 0);
	if (build->p->locations != before) {
		line.function =
		    pp_profile_function(build->p, "[no stack]", "", 0);
		pp_profile_lines(build->p, location, &line, 1);
	}
	return (location);
}

static uint32_t
build_location(struct build *build, uint64_t word)
{
	const struct pp_canon *canon = build->session->cpu->canon;
	const struct pp_place *place;
	uint32_t at = (uint32_t)pp_mix(0, word) & (CACHE_SIZE - 1);
	uint32_t location;
	uint64_t pc;
	int number;

	if (build->cache[at].location != 0 && build->cache[at].word == word)
		return (build->cache[at].location);
	if (word == PP_CPU_FRAMES_LOST) {
		location = build_no_stack(build);
	} else if ((word & PP_READING_UNKNOWN) != 0) {
		/* Never in a place, or some file would own it; never 0. */
		pc = word & ~PP_READING_UNKNOWN;
		if (pc == 0 || pc >= 1ULL << 47 ||
		    pp_canon_find(canon, pc, NULL) != NULL)
			pc = PP_CPU_OUTSIDE | (pc & ((1ULL << 56) - 1));
		location = pp_profile_location(build->p, pc, 0);
	} else if ((place = pp_canon_find(canon, word, &number)) != NULL) {
		location = pp_profile_location(build->p, word,
		    build_mapping(build, place, number));
	} else {
		location = pp_profile_location(build->p, word, 0);
	}
	build->cache[at].word = word;
	build->cache[at].location = location;
	return (location);
}

static void
build_labels(struct build *build, const struct pp_cpu_key *key)
{
	const char *at, *value;

	for (at = pp_labels_text(build->session->cpu->labels, key->label);
	     *at != '\0'; at = value + strlen(value) + 1) {
		value = at + strlen(at) + 1;
		/* A key is text or a number, never both. */
		if (strcmp(at, "worker") != 0 && strcmp(at, "pid") != 0 &&
		    strcmp(at, "tid") != 0)
			pp_profile_label_text(build->p, at, value);
	}
	pp_profile_label_number(build->p, "worker", key->slot);
	pp_profile_label_number(build->p, "pid", key->pid);
	pp_profile_label_number(build->p, "tid", key->tid);
}

static void
build_sample(struct build *build, const struct pp_cpu_entry *entry)
{
	int64_t value[PP_VALUES_MAX] = { (int64_t)entry->samples,
		(int64_t)entry->ns };
	const uint64_t *word;
	uint32_t count, i;

	pp_profile_sample(build->p, value);
	word = pp_stacks_get(build->session->cpu->stacks, entry->key.stack,
	    &count);
	for (i = 0; i < count; i++)
		pp_profile_push(build->p, build_location(build, word[i]));
	if (count == 0)
		pp_profile_push(build->p,
		    build_location(build, PP_CPU_FRAMES_LOST));
	build_labels(build, &entry->key);
}

/* What was asked, when it happened; else what happened, which is longer: a
 * sample stands for one period at least. */
static int64_t
build_period(const struct build *build)
{
	double asked = (double)PP_NS_PER_SEC / build->session->hz, real = 0;

	if (build->samples != 0)
		real = (double)build->ns / (double)build->samples;
	return ((int64_t)((real <= asked * 1.05 ? asked : real) + 0.5));
}

static void
build_comments(struct build *build)
{
	static const char *const loss[] = {
#define PP_LOSS_KEY(name, key, sentence) key,
		PP_LOSS_TABLE(PP_LOSS_KEY)
#undef PP_LOSS_KEY
	};
	const struct pp_cpu_session *session = build->session;
	struct pp_profile *p = build->p;
	double sampled = (double)build->ns / PP_NS_PER_SEC;
	uint32_t i;

	pp_profile_comment(p, "hz_asked=%u", session->hz);
	pp_profile_comment(p, "hz_actual=%.1f",
	    build->ns == 0 ? 0.0 : (double)build->samples / sampled);
	pp_profile_comment(p, "cpu_seconds_kernel=%.3f", session->kernel_s);
	pp_profile_comment(p, "cpu_seconds_sampled=%.3f", sampled);
	pp_profile_comment(p, "workers=%u", session->workers);
	pp_profile_comment(p, "worker_restarts=%llu",
	    (unsigned long long)session->restarts);
	for (i = 0; i < PP_LOSS_COUNT; i++)
		pp_profile_comment(p, "%s=%llu", loss[i],
		    (unsigned long long)session->loss[i]);
	pp_profile_comment(p, "session_samples_dropped=%llu",
	    (unsigned long long)session->dropped);
	pp_profile_comment(p, "session_labels_dropped=%llu",
	    (unsigned long long)session->labels_lost);
	pp_profile_comment(p, "records_malformed=%llu",
	    (unsigned long long)session->malformed);
}

static void
build_head(struct build *build)
{
	struct pp_profile *p = build->p;

	p->value_type[0].type = pp_profile_string(p, "samples");
	p->value_type[0].unit = pp_profile_string(p, "count");
	p->value_type[1].type = pp_profile_string(p, "cpu");
	p->value_type[1].unit = pp_profile_string(p, "nanoseconds");
	p->value_types = 2;
	p->period_type = p->value_type[1];
	p->time_ns = build->session->wall_ns;
	p->duration_ns = build->session->duration_ns;
}

static void
build_order(struct build *build)
{
	const struct pp_cpu_session *session = build->session;
	uint32_t i;

	for (i = 0; i < session->entries; i++)
		build->order[build->lines++] = &session->entry[i];
	if (session->rest.samples != 0)
		build->order[build->lines++] = &session->rest;
	for (i = 0; i < build->lines; i++) {
		build->samples += build->order[i]->samples;
		build->ns += build->order[i]->ns;
	}
	qsort_r(build->order, build->lines, sizeof(*build->order),
	    compare_entries, session->cpu);
}

struct pp_profile *
pp_cpu_profile(const struct pp_cpu_session *session)
{
	struct pp_profile *p = NULL;
	struct build *build;
	uint32_t i;

	if ((build = calloc(1, sizeof(*build))) == NULL)
		return (NULL);
	build->session = session;
	build->order = calloc(session->entries + 1, sizeof(*build->order));
	build->p = pp_profile_new();
	if (build->order == NULL || build->p == NULL)
		goto done;
	build_head(build);
	build_order(build);
	build_main(build);
	for (i = 0; i < build->lines; i++)
		build_sample(build, build->order[i]);
	build->p->period = build_period(build);
	build_comments(build);
	if (!build->p->failed) {
		p = build->p;
		build->p = NULL;
	}
done:
	pp_profile_free(build->p);
	free(build->order);
	free(build);
	return (p);
}
