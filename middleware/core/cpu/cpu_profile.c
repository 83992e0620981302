/*
 * A closed session as a profile: values, order, comments. merge/build.c makes
 * the locations and labels.
 *
 * Rule: the order depends on what was sampled, not on who came first, so that
 * the same samples make the same profile.
 */
#include <stdlib.h>

#include "cpu/cpu_private.h"

const struct pp_value_type pp_cpu_types[PP_CPU_TYPES] = {
	{ "samples", "count" },
	{ "cpu", "nanoseconds" },
};

/* A line with the numbers that decide most comparisons: 30,000 entries and the
 * words of their stacks fit in no cache. */
struct ordered {
	const struct pp_cpu_entry *entry;
	uint64_t ns, samples;
	uint32_t hash;
};

struct build {
	const struct pp_cpu_session *session;
	struct pp_build *base;
	struct ordered *order;
	uint32_t lines;
	uint64_t samples;
	uint64_t ns;
};

static int
compare_number(uint64_t a, uint64_t b)
{
	return ((a > b) - (a < b));
}

static int
compare_entries(const void *a, const void *b, void *arg)
{
	const struct ordered *one = a, *other = b;
	const struct pp_cpu_entry *left = one->entry, *right = other->entry;
	const struct pp_cpu *cpu = arg;
	int order;

	if ((order = compare_number(other->ns, one->ns)) == 0)
		order = compare_number(other->samples, one->samples);
	if (order == 0)
		order = compare_number(one->hash, other->hash);
	if (order == 0)
		order = pp_stacks_compare(cpu->stacks, left->key.stack,
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

static void
build_sample(const struct build *build, const struct pp_cpu_entry *entry)
{
	static const char *const numeric[] = { "worker", "pid", "tid", NULL };
	int64_t value[PP_VALUES_MAX] = { (int64_t)entry->samples,
		(int64_t)entry->ns };
	const struct pp_cpu *cpu = build->session->cpu;
	struct pp_profile *p = build->base->p;
	const uint64_t *word;
	uint32_t count;

	pp_profile_sample(p, value);
	word = pp_stacks_get(cpu->stacks, entry->key.stack, &count);
	pp_build_stack(build->base, word, count);
	pp_build_labels(build->base, cpu->labels, entry->key.label, numeric);
	pp_profile_label_number(p, "worker", entry->key.slot);
	pp_profile_label_number(p, "pid", entry->key.pid);
	pp_profile_label_number(p, "tid", entry->key.tid);
}

/* Return the period that was asked for if the samples came so, else the real
 * one, which is longer: a sample stands for one period at least. */
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
	const struct pp_cpu_session *session = build->session;
	struct pp_profile *p = build->base->p;
	double sampled = (double)build->ns / PP_NS_PER_SEC;

	pp_profile_comment(p, "hz_asked=%u", session->hz);
	pp_profile_comment(p, "hz_actual=%.1f",
	    build->ns == 0 ? 0.0 : (double)build->samples / sampled);
	pp_profile_comment(p, "cpu_seconds_kernel=%.3f", session->kernel_s);
	pp_profile_comment(p, "cpu_seconds_children=%.3f", session->children_s);
	pp_profile_comment(p, "cpu_seconds_sampled=%.3f", sampled);
	pp_profile_comment(p, "cpu_seconds_not_sampled=%.3f",
	    (double)session->not_sampled_ns / PP_NS_PER_SEC);
	pp_profile_comment(p, "workers=%u", session->workers);
	pp_profile_comment(p, "worker_restarts=%llu",
	    (unsigned long long)session->restarts);
	pp_build_losses(build->base, session->loss, NULL);
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
	struct pp_profile *p = build->base->p;

	for (; p->value_types < PP_CPU_TYPES; p->value_types++)
		p->value_type[p->value_types] = (struct pp_value_type){
			pp_profile_string(p, pp_cpu_types[p->value_types].type),
			pp_profile_string(p, pp_cpu_types[p->value_types].unit)
		};
	p->period_type = p->value_type[1];
	p->time_ns = build->session->wall_ns;
	p->duration_ns = build->session->duration_ns;
}

static void
build_line(struct build *build, const struct pp_cpu_entry *entry)
{
	const struct pp_cpu *cpu = build->session->cpu;

	build->order[build->lines++] = (struct ordered){ entry, entry->ns,
		entry->samples, pp_stacks_hash(cpu->stacks, entry->key.stack) };
	build->samples += entry->samples;
	build->ns += entry->ns;
}

static void
build_order(struct build *build)
{
	const struct pp_cpu_session *session = build->session;
	uint32_t i;

	for (i = 0; i < session->entries; i++)
		build_line(build, &session->entry[i]);
	if (session->overflow.ns != 0)
		build_line(build, &session->overflow);
	qsort_r(build->order, build->lines, sizeof(*build->order),
	    compare_entries, session->cpu);
}

struct pp_profile *
pp_cpu_profile(const struct pp_cpu_session *session)
{
	struct build build = { .session = session };
	const struct pp_cpu *cpu = session->cpu;
	uint32_t i;

	build.order = calloc(session->entries + 1, sizeof(*build.order));
	if (build.order == NULL)
		return (NULL);
	if ((build.base = pp_build_new(cpu->map)) != NULL) {
		build_head(&build);
		build_order(&build);
		pp_build_main(build.base, cpu->arena, cpu->slots);
		for (i = 0; i < build.lines; i++)
			build_sample(&build, build.order[i].entry);
		build.base->p->period = build_period(&build);
		build_comments(&build);
	}
	free(build.order);
	return (pp_build_done(build.base));
}
