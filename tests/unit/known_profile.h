/*
 * A small profile of which everything is known, for the tests of the
 * encoder: two mappings, inlined calls, text and number labels, comments.
 *
 *     samples  cpu     stack, leaf first                  route     worker
 *     10       100 ms  memcpy < http_request_run          /concat/  1
 *     11       110 ms  fib (in page_fib) < http_req...    /fib/     1
 *     12       120 ms  memcpy < http_request_run          /concat/  2
 *     13       130 ms  fib (in page_fib) < http_req...    /fib/     2
 */
#ifndef PP_TEST_KNOWN_PROFILE_H
#define PP_TEST_KNOWN_PROFILE_H

#include "profile/profile.h"

/* The value types, period and time of a CPU profile. */
static inline void
known_head(struct pp_profile *p)
{
	p->value_type[0].type = pp_profile_string(p, "samples");
	p->value_type[0].unit = pp_profile_string(p, "count");
	p->value_type[1].type = pp_profile_string(p, "cpu");
	p->value_type[1].unit = pp_profile_string(p, "nanoseconds");
	p->value_types = 2;
	p->period_type = p->value_type[1];
	p->period = 10000000;
	p->time_ns = 1700000000000000000LL;
}

static inline void
known_sample(struct pp_profile *p, int n, uint32_t leaf, uint32_t caller)
{
	int64_t values[2] = { 10 + n, (10 + n) * 10000000LL };

	pp_profile_sample(p, values);
	pp_profile_push(p, leaf);
	pp_profile_push(p, caller);
	pp_profile_label_text(p, "http.route", n & 1 ? "/fib/" : "/concat/");
	pp_profile_label_text(p, "http.method", "GET");
	pp_profile_label_number(p, "worker", n / 2 + 1);
	pp_profile_label_number(p, "pid", 4000 + n / 2);
	pp_profile_label_number(p, "tid", 5000 + n);
}

/* The caller frees it. */
static inline struct pp_profile *
known_profile(void)
{
	struct pp_mapping kore = { .start = 0x400000,
		.limit = 0x500000,
		.offset = 0x1000,
		.file = "/srv/none/kore",
		.build_id = "0123456789abcdef",
		.has_functions = 1,
		.has_filenames = 1,
		.has_line_numbers = 1,
		.has_inline_frames = 1 };
	struct pp_mapping libc = { .start = 0x7f0000000000,
		.limit = 0x7f0000100000,
		.file = "/srv/none/libc.so.6",
		.build_id = "ffee",
		.has_functions = 1 };
	struct pp_profile *p;
	struct pp_line line[2];
	uint32_t copy, run, fib;
	int n;

	if ((p = pp_profile_new()) == NULL)
		return (NULL);
	known_head(p);
	p->duration_ns = 2000000000;
	run = pp_profile_location(p, 0x401400, pp_profile_mapping(p, &kore));
	fib = pp_profile_location(p, 0x401234, 1);
	copy = pp_profile_location(p, 0x7f0000000100,
	    pp_profile_mapping(p, &libc));
	line[0].function = pp_profile_function(p, "fib", "src/app.c", 5);
	line[0].line = 7;
	line[1].function = pp_profile_function(p, "page_fib", "src/app.c", 20);
	line[1].line = 21;
	pp_profile_lines(p, fib, line, 2);
	line[0].function =
	    pp_profile_function(p, "http_request_run", "src/http.c", 90);
	line[0].line = 99;
	pp_profile_lines(p, run, line, 1);
	line[0].function = pp_profile_function(p, "memcpy", "", 0);
	line[0].line = 0;
	pp_profile_lines(p, copy, line, 1);
	for (n = 0; n < 4; n++)
		known_sample(p, n, n & 1 ? fib : copy, run);
	pp_profile_comment(p, "samples_dropped=%d", 3);
	pp_profile_comment(p, "two of %s", "them");
	return (p);
}

#endif
