/*
 * Text forms of counts; see text_count.h.
 *
 *     goroutine profile: total 3          --- mutex:
 *     2 @ 0x401136 0x40119d               cycles/second=1000000000
 *     # labels: {"state":"sleeping"}      sampling period=1
 *     #	0x401135	f+0x25	f.c:31    5000000 2 @ 0x401136 0x40119d
 */
#include <string.h>

#include "encode/text/text.h"
#include "encode/text/text_count.h"

/* Write the comment as one line, whatever is in it. */
static void
comment_write(const char *comment, struct pp_buf *out)
{
	char c;

	pp_buf_text(out, "# ");
	for (; (c = *comment) != '\0'; comment++) {
		if ((unsigned char)c < ' ' || c == 0x7f)
			c = '?';
		pp_buf_append(out, &c, 1);
	}
	pp_buf_text(out, "\n");
}

static void
sample_write(const struct pp_profile *p, const struct pp_sample *sample,
    struct pp_buf *out)
{
	pp_buf_text(out, " @");
	pp_text_addresses(p, sample, out);
	pp_buf_text(out, "\n");
	pp_text_labels(p, sample, out);
	pp_text_frames(p, sample, out);
}

void
pp_encode_text_count(const struct pp_profile *p, const char *comments,
    struct pp_buf *out)
{
	uint64_t total = 0;
	uint32_t i;

	for (i = 0; i < p->samples; i++)
		total += (uint64_t)p->sample[i].value[0];
	pp_buf_printf(out, "%s profile: total %llu\n", p->value_type[0].type,
	    (unsigned long long)total);
	for (i = 0; comments != NULL && i < p->comments; i++) {
		if (strncmp(p->comment[i], comments, strlen(comments)) == 0)
			comment_write(p->comment[i], out);
	}
	for (i = 0; i < p->samples; i++) {
		pp_buf_printf(out, "%lld", (long long)p->sample[i].value[0]);
		sample_write(p, &p->sample[i], out);
	}
}

void
pp_encode_text_waits(const struct pp_profile *p, enum pp_waits which,
    uint64_t rate, struct pp_buf *out)
{
	const struct pp_sample *sample;
	uint32_t i;

	/* A cycle is a nanosecond. The workers have scaled each value by the
	 * fraction of its time, so that the reader must multiply by 1. */
	pp_buf_text(out,
	    which == PP_WAITS_BLOCK
		? "--- contention:\ncycles/second=1000000000\n"
		: "--- mutex:\ncycles/second=1000000000\nsampling period=1\n");
	if (rate == 0)
		pp_buf_printf(out,
		    "# Nothing is sampled now: %s is 0. POST settings, or %s, "
		    "sets it.\n",
		    which == PP_WAITS_BLOCK ? "block_rate" : "mutex_fraction",
		    which == PP_WAITS_BLOCK ? "PPROF_BLOCK_RATE"
					    : "PPROF_MUTEX_FRACTION");
	for (i = 0; i < p->samples; i++) {
		sample = &p->sample[i];
		pp_buf_printf(out, "%lld %lld",
		    (long long)sample->value[PP_WAITS_VALUE_DELAY],
		    (long long)sample->value[PP_WAITS_VALUE_CONTENTIONS]);
		sample_write(p, sample, out);
	}
}
