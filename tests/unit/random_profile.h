/*
 * Profiles of any shape for the tests of encoders: recursion, inlined calls,
 * functions without a file, locations without a name, values below zero.
 * The same seed gives the same profile.
 */
#ifndef PP_TEST_RANDOM_PROFILE_H
#define PP_TEST_RANDOM_PROFILE_H

#include <stdio.h>

#include "profile/profile.h"

struct random_shape {
	uint32_t seed;
	int functions, samples, depth;
	int negative; /* 1: some values are below zero */
};

static uint32_t random_state;

static inline uint32_t
random_below(uint32_t n)
{
	random_state = random_state * 1664525U + 1013904223U;
	return ((random_state >> 8) % n);
}

static inline void
random_locations(struct pp_profile *p, int functions)
{
	struct pp_mapping mapping[2] = {
		{ .start = 0x10000,
		    .limit = 0x20000000,
		    .file = "/srv/none/app",
		    .build_id = "abcd",
		    .has_functions = 1 },
		{ .start = 0x40000000,
		    .limit = 0x50000000,
		    .file = "/srv/none/libnone.so",
		    .build_id = "ef01" },
	};
	struct pp_line line[3];
	uint32_t id, lines, n;
	char name[64];
	int i;

	pp_profile_mapping(p, &mapping[0]);
	pp_profile_mapping(p, &mapping[1]);
	for (i = 0; i < functions; i++) {
		id = pp_profile_location(p,
		    i % 17 == 16 ? 0x40000000U + (uint32_t)i
				 : 0x10000U + 16 * (uint32_t)i,
		    i % 17 == 16 ? 2 : 1);
		if (i % 17 == 16)
			continue; /* nobody knows its name */
		lines = 1 + random_below(3);
		for (n = 0; n < lines; n++) {
			snprintf(name, sizeof(name), "work_%u",
			    n == 0 ? (uint32_t)i
				   : random_below((uint32_t)functions));
			line[n].function = pp_profile_function(p, name,
			    i % 5 == 0 ? "" : "src/work.c", 0);
			line[n].line = 0;
		}
		pp_profile_lines(p, id, line, lines);
	}
}

/* The caller frees it. */
static inline struct pp_profile *
random_profile(const struct random_shape *shape)
{
	struct pp_profile *p = pp_profile_new();
	int64_t value[2];
	uint32_t depth;
	int i;

	if (p == NULL)
		return (NULL);
	random_state = shape->seed;
	p->value_type[0].type = pp_profile_string(p, "things");
	p->value_type[0].unit = pp_profile_string(p, "count");
	p->value_type[1].type =
	    pp_profile_string(p, shape->seed % 2 ? "cpu" : "space");
	p->value_type[1].unit =
	    pp_profile_string(p, shape->seed % 2 ? "nanoseconds" : "bytes");
	p->value_types = 2;
	p->time_ns = 1700000000000000000LL;
	p->duration_ns = shape->seed % 3 ? 5000000000LL : 0;
	random_locations(p, shape->functions);
	for (i = 0; i < shape->samples; i++) {
		value[0] = 1 + random_below(9);
		value[1] = (int64_t)random_below(1U << random_below(24)) *
		    (1 + random_below(1000));
		if (shape->negative && random_below(3) == 0) {
			value[0] = -value[0];
			value[1] = -value[1];
		}
		pp_profile_sample(p, value);
		/* No two are the same: a reader would make them one. */
		pp_profile_label_number(p, "tid", i + 1);
		depth = 1 + random_below((uint32_t)shape->depth);
		while (depth-- > 0)
			pp_profile_push(p,
			    1 +
				random_below(1 +
				    random_below((uint32_t)shape->functions)));
	}
	pp_profile_comment(p, "hz_asked=%d", 100);
	pp_profile_comment(p, "# not for readers");
	return (p);
}

#endif
