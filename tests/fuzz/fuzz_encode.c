/*
 * A profile made of the input, written by each encoder. The pprof file is
 * read back by zlib and protobuf-c and must be the profile.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decoded.h"
#include "encode/profile/folded.h"
#include "encode/profile/speedscope.h"
#include "encode/profile/svg.h"
#include "encode/text/text.h"
#include "encode/text/text_count.h"
#include "encode/text/text_heap.h"
#include "fuzz.h"

static void
head(struct fuzz *f, struct pp_profile *p)
{
	char text[16];
	uint32_t i;

	p->value_types = 1 + (uint32_t)fuzz_number(f, 1) % PP_VALUES_MAX;
	for (i = 0; i < p->value_types; i++) {
		fuzz_text(f, fuzz_number(f, 1) % 8, text);
		p->value_type[i].type = pp_profile_string(p, text);
		p->value_type[i].unit = pp_profile_string(p,
		    fuzz_number(f, 1) & 1 ? "nanoseconds" : "count");
	}
	p->period_type = p->value_type[0];
	p->period = (int64_t)fuzz_number(f, 8);
	p->time_ns = (int64_t)fuzz_number(f, 8);
	p->duration_ns = (int64_t)fuzz_number(f, 8);
	if (fuzz_number(f, 1) & 1)
		p->default_type = p->value_type[0].type;
}

static uint32_t
mapping(struct fuzz *f, struct pp_profile *p)
{
	struct pp_mapping m;
	char file[32], build_id[32];

	memset(&m, 0, sizeof(m));
	m.start = fuzz_number(f, 2);
	m.limit = fuzz_number(f, 8);
	m.offset = fuzz_number(f, 4);
	fuzz_text(f, fuzz_number(f, 1) % 31, file);
	fuzz_text(f, fuzz_number(f, 1) % 31, build_id);
	m.file = pp_profile_string(p, file);
	m.build_id = pp_profile_string(p, build_id);
	m.has_functions = fuzz_number(f, 1) & 1;
	return (pp_profile_mapping(p, &m));
}

static void
location(struct fuzz *f, struct pp_profile *p)
{
	struct pp_line line[3];
	uint32_t id, i, lines;
	char name[32], file[32];

	id = pp_profile_location(p, fuzz_number(f, 3),
	    fuzz_number(f, 1) & 1 ? mapping(f, p) : 0);
	lines = (uint32_t)fuzz_number(f, 1) % 4;
	for (i = 0; i < lines; i++) {
		fuzz_text(f, fuzz_number(f, 1) % 31, name);
		fuzz_text(f, fuzz_number(f, 1) % 31, file);
		line[i].function = pp_profile_function(p, name, file,
		    (int32_t)fuzz_number(f, 4));
		line[i].line = (int32_t)fuzz_number(f, 4);
	}
	if (lines > 0)
		pp_profile_lines(p, id, line, lines);
}

static void
sample(struct fuzz *f, struct pp_profile *p)
{
	int64_t value[PP_VALUES_MAX];
	char key[32], text[32];
	uint32_t i, count;

	for (i = 0; i < PP_VALUES_MAX; i++)
		value[i] = (int64_t)fuzz_number(f, 8);
	pp_profile_sample(p, value);
	count = p->locations == 0 ? 0 : (uint32_t)fuzz_number(f, 1) % 8;
	for (i = 0; i < count; i++)
		pp_profile_push(p,
		    1 + (uint32_t)fuzz_number(f, 1) % p->locations);
	count = (uint32_t)fuzz_number(f, 1) % 4;
	for (i = 0; i < count; i++) {
		fuzz_text(f, 1 + fuzz_number(f, 1) % 8, key);
		fuzz_text(f, fuzz_number(f, 1) % 31, text);
		/* No caller of ours makes a label without a key. */
		if (key[0] == '\0')
			strcpy(key, "key");
		if (fuzz_number(f, 1) & 1)
			pp_profile_label_text(p, key, text);
		else
			pp_profile_label_number(p, key,
			    (int64_t)fuzz_number(f, 8));
	}
}

static void
read_back(const struct pp_profile *p)
{
	struct pp_buf file = { 0 };
	struct decoded d;

	fuzz_must(pp_encode_pprof(p, &file) == 0);
	d = decode(&file);
	check_rules(d.wire);
	check_same(p, d.wire);
	decoded_free(&d);
	pp_buf_free(&file);
}

/* For people: judged by the sanitizers, and by what they may not contain. */
static void
shown(const struct pp_profile *p)
{
	uint32_t value = p->value_types - 1, i;
	struct pp_buf text = { 0 };

	(void)pp_encode_folded(p, value, "<&\">", &text);
	pp_buf_free(&text);
	(void)pp_encode_speedscope(p, value, "<&\">", &text);
	fuzz_must(text.len == 0 || memchr(text.data, '\0', text.len) == NULL);
	pp_buf_free(&text);
	(void)pp_encode_svg(p, value, "<&\">", &text);
	fuzz_must(text.len == 0 || memchr(text.data, '\0', text.len) == NULL);
	pp_buf_free(&text);
	for (i = 0; i < p->samples; i++) {
		pp_text_addresses(p, &p->sample[i], &text);
		pp_text_labels(p, &p->sample[i], &text);
		pp_text_frames(p, &p->sample[i], &text);
	}
	pp_buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { data, size };
	struct pp_profile *p;
	char text[64];

	/* An assertion of cmocka's then ends the program. */
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	setlocale(LC_ALL, "C.UTF-8");
	fuzz_must((p = pp_profile_new()) != NULL);
	head(&f, p);
	while (f.left > 0) {
		switch (fuzz_number(&f, 1) % 4) {
		case 0:
			location(&f, p);
			break;
		case 3:
			fuzz_text(&f, fuzz_number(&f, 1) % 64, text);
			pp_profile_comment(p, "%s", text);
			break;
		default:
			sample(&f, p);
		}
	}
	read_back(p);
	shown(p);
	pp_profile_free(p);
	return (0);
}
