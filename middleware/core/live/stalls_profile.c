/*
 * Stalls and deaths as a profile: one sample for each, with the stack that held
 * the loop, and the recent samples of the workers that died.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "live/stalls_private.h"

/* Keys that this profile sets itself, as numbers or texts: a key must not be
 * both, so that the same key of the application is left out. */
static const char *const own_keys[] = { "worker", "pid", "stall", "state",
	"path", "ended", NULL };

static int
key_is_own(const char *key)
{
	size_t i;

	for (i = 0; own_keys[i] != NULL; i++) {
		if (strcmp(own_keys[i], key) == 0)
			return (1);
	}
	return (0);
}

static void
sample_labels(struct pp_profile *p, const char *label, uint32_t len)
{
	const char *at = label, *value;

	while (at < label + len && *at != '\0') {
		value = at + strlen(at) + 1;
		if (!key_is_own(at))
			pp_profile_label_text(p, at, value);
		at = value + strlen(value) + 1;
	}
}

static void
sample_facts(struct pp_profile *p, const struct pp_stall *stall)
{
	pp_profile_label_number(p, "worker", stall->slot);
	pp_profile_label_number(p, "pid", stall->pid);
	pp_profile_label_number(p, "stall", (int64_t)stall->number);
}

static void
sample_stall(struct pp_build *build, const struct pp_stall *stall)
{
	int64_t value[PP_VALUES_MAX] = { 1, stall->held_ns };
	struct pp_profile *p = build->p;
	char ended[32];

	pp_profile_sample(p, value);
	pp_build_stack(build, stall->word, stall->words);
	sample_labels(p, stall->label, stall->label_len);
	pp_profile_label_text(p, "path", stall->path);
	if (stall->state != NULL)
		pp_profile_label_text(p, "state", stall->state);
	if (stall->death != NULL)
		snprintf(ended, sizeof(ended), "signal %d",
		    stall->death->signal);
	else
		snprintf(ended, sizeof(ended), "%s",
		    stall->died	      ? "worker died"
			: stall->over ? "loop went on"
				      : "not yet");
	pp_profile_label_text(p, "ended", ended);
	sample_facts(p, stall);
}

/* Add one of the samples that come beside the death itself. Their value is CPU
 * time; they do not count as deaths. */
static void
sample_last(struct pp_build *build, const struct pp_stall *stall,
    const struct pp_stall_stack *last)
{
	int64_t value[PP_VALUES_MAX] = { 0 };
	struct pp_profile *p = build->p;

	value[1] =
	    last->weight_ns < INT64_MAX ? (int64_t)last->weight_ns : INT64_MAX;
	pp_profile_sample(p, value);
	pp_build_stack(build, last->word, last->words);
	sample_labels(p, last->label, last->label_len);
	pp_profile_label_text(p, "state", "last sample");
	sample_facts(p, stall);
}

struct pp_profile *
pp_stalls_profile(const struct pp_stalls *stalls)
{
	const struct pp_resolver *resolver = stalls->resolver;
	const struct pp_stall *stall;
	struct pp_build *build;
	struct pp_profile *p;
	uint32_t i, k;

	if ((build = pp_build_new(resolver->map)) == NULL)
		return (NULL);
	p = build->p;
	p->value_type[0].type = pp_profile_string(p, "stalls");
	p->value_type[0].unit = pp_profile_string(p, "count");
	p->value_type[1].type = pp_profile_string(p, "delay");
	p->value_type[1].unit = pp_profile_string(p, "nanoseconds");
	p->value_types = 2;
	p->period_type = p->value_type[0];
	p->period = 1;
	p->time_ns = pp_clock_wall();
	pp_build_main(build, resolver->arena, resolver->slots);
	for (i = 0; i < pp_stalls_count(stalls); i++) {
		stall = pp_stalls_get(stalls, i);
		sample_stall(build, stall);
		for (k = 0; stall->death != NULL && k < stall->death->samples;
		     k++)
			sample_last(build, stall, &stall->death->sample[k]);
	}
	pp_profile_comment(p, "stalls_forgotten=%llu",
	    (unsigned long long)(stalls->numbers - pp_stalls_count(stalls)));
	return (pp_build_done(build));
}
