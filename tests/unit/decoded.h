/*
 * Reads an encoded profile back with zlib and protobuf-c, and judges it.
 * Everything fails the test at once, nothing is returned as an error.
 *
 * Included after cmocka.h.
 */
#ifndef PP_TEST_DECODED_H
#define PP_TEST_DECODED_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "encode/profile/pprof.h"
#include "profile.pb-c.h"

#define FIELDS 16

/* A decoded file, and how often each field of Profile is in it. */
struct decoded {
	Pp__Wire__Profile *wire;
	unsigned char *plain;
	size_t len;
	uint32_t fields[FIELDS];
};

static inline unsigned char *
gunzip(const struct pp_buf *file, size_t *len)
{
	z_stream zip = { 0 };
	size_t room = 1 << 16;
	unsigned char *plain = malloc(room);
	int status;

	assert_int_equal(inflateInit2(&zip, 15 + 16), Z_OK);
	zip.next_in = (unsigned char *)file->data;
	zip.avail_in = (uInt)file->len;
	do {
		if (zip.total_out == room)
			plain = realloc(plain, room *= 2);
		assert_non_null(plain);
		zip.next_out = plain + zip.total_out;
		zip.avail_out = (uInt)(room - zip.total_out);
		status = inflate(&zip, Z_NO_FLUSH);
	} while (status == Z_OK);
	assert_int_equal(status, Z_STREAM_END);
	assert_int_equal(zip.avail_in, 0); /* one member, nothing behind it */
	*len = zip.total_out;
	inflateEnd(&zip);
	return (plain);
}

static inline uint64_t
varint(const struct decoded *d, size_t *at)
{
	uint64_t value = 0;
	int shift = 0;

	do {
		assert_true(*at < d->len && shift < 64);
		value |= (uint64_t)(d->plain[*at] & 0x7f) << shift;
		shift += 7;
	} while (d->plain[(*at)++] & 0x80);
	return (value);
}

static inline struct decoded
decode(const struct pp_buf *file)
{
	struct decoded d = { 0 };
	uint64_t key, skip;
	size_t at = 0;

	d.plain = gunzip(file, &d.len);
	while (at < d.len) {
		key = varint(&d, &at);
		assert_in_range(key >> 3, 1, FIELDS - 1);
		d.fields[key >> 3]++;
		assert_true((key & 7) == 0 || (key & 7) == 2);
		skip = varint(&d, &at);
		if ((key & 7) == 2)
			at += skip;
	}
	assert_int_equal(at, d.len);
	d.wire = pp__wire__profile__unpack(NULL, d.len, d.plain);
	assert_non_null(d.wire);
	return (d);
}

static inline void
decoded_free(struct decoded *d)
{
	pp__wire__profile__free_unpacked(d->wire, NULL);
	free(d->plain);
}

/* What every file must keep, whatever is in it. UTF-8 is judged by glibc. */
static inline void
check_rules(const Pp__Wire__Profile *w)
{
	size_t i, n;

	assert_true(w->n_string_table > 0);
	assert_string_equal(w->string_table[0], "");
	for (i = 0; i < w->n_string_table; i++)
		assert_true(
		    mbstowcs(NULL, w->string_table[i], 0) != (size_t)-1);
#define TEXT(number) assert_in_range(number, 0, w->n_string_table - 1)
	for (i = 0; i < w->n_mapping; i++) {
		assert_int_equal(w->mapping[i]->id, i + 1);
		TEXT(w->mapping[i]->filename);
		TEXT(w->mapping[i]->build_id);
	}
	for (i = 0; i < w->n_function; i++) {
		assert_int_equal(w->function[i]->id, i + 1);
		TEXT(w->function[i]->name);
		TEXT(w->function[i]->filename);
		assert_int_equal(w->function[i]->name,
		    w->function[i]->system_name);
	}
	for (i = 0; i < w->n_location; i++) {
		assert_int_equal(w->location[i]->id, i + 1);
		assert_in_range(w->location[i]->mapping_id, 0, w->n_mapping);
		for (n = 0; n < w->location[i]->n_line; n++)
			assert_in_range(w->location[i]->line[n]->function_id, 1,
			    w->n_function);
	}
	for (i = 0; i < w->n_sample; i++) {
		assert_int_equal(w->sample[i]->n_value, w->n_sample_type);
		for (n = 0; n < w->sample[i]->n_location_id; n++)
			assert_in_range(w->sample[i]->location_id[n], 1,
			    w->n_location);
		for (n = 0; n < w->sample[i]->n_label; n++) {
			assert_in_range(w->sample[i]->label[n]->key, 1,
			    w->n_string_table - 1);
			TEXT(w->sample[i]->label[n]->str);
			/* Either a text or a number, and never nothing. */
			assert_int_equal(w->sample[i]->label[n]->str != 0,
			    w->sample[i]->label[n]->num == 0);
			assert_int_equal(w->sample[i]->label[n]->num_unit, 0);
		}
	}
	for (i = 0; i < w->n_comment; i++)
		TEXT(w->comment[i]);
}

#define assert_text(w, number, want)                                           \
	assert_string_equal((w)->string_table[number], want)

/* Everything of the profile is in the file, and nothing else. */
static inline void
check_same(const struct pp_profile *p, const Pp__Wire__Profile *w)
{
	const Pp__Wire__Label *label;
	const struct pp_label *from;
	uint32_t i, n;

	assert_int_equal(w->n_sample, p->samples);
	for (i = 0; i < p->samples; i++) {
		assert_int_equal(w->sample[i]->n_location_id,
		    p->sample[i].locations);
		for (n = 0; n < p->sample[i].locations; n++)
			assert_int_equal(w->sample[i]->location_id[n],
			    p->stack[p->sample[i].first_location + n]);
		for (n = 0; n < p->value_types; n++)
			assert_int_equal(w->sample[i]->value[n],
			    p->sample[i].value[n]);
		assert_int_equal(w->sample[i]->n_label, p->sample[i].labels);
		for (n = 0; n < p->sample[i].labels; n++) {
			label = w->sample[i]->label[n];
			from = &p->label[p->sample[i].first_label + n];
			assert_text(w, label->key, from->key);
			assert_int_equal(label->num, from->number);
			assert_text(w, label->str,
			    from->text == NULL ? "" : from->text);
		}
	}
	assert_int_equal(w->n_mapping, p->mappings);
	for (i = 0; i < p->mappings; i++) {
		assert_int_equal(w->mapping[i]->memory_start,
		    p->mapping[i].start);
		assert_int_equal(w->mapping[i]->memory_limit,
		    p->mapping[i].limit);
		assert_int_equal(w->mapping[i]->file_offset,
		    p->mapping[i].offset);
		assert_text(w, w->mapping[i]->filename, p->mapping[i].file);
		assert_text(w, w->mapping[i]->build_id, p->mapping[i].build_id);
	}
	assert_int_equal(w->n_location, p->locations);
	for (i = 0; i < p->locations; i++) {
		assert_int_equal(w->location[i]->address,
		    p->location[i].address);
		assert_int_equal(w->location[i]->mapping_id,
		    p->location[i].mapping);
		assert_int_equal(w->location[i]->n_line, p->location[i].lines);
		for (n = 0; n < p->location[i].lines; n++)
			assert_int_equal(w->location[i]->line[n]->line,
			    p->line[p->location[i].first_line + n].line);
	}
	assert_int_equal(w->n_function, p->functions);
	for (i = 0; i < p->functions; i++) {
		assert_text(w, w->function[i]->name, p->function[i].name);
		assert_text(w, w->function[i]->filename, p->function[i].file);
		assert_int_equal(w->function[i]->start_line,
		    p->function[i].start_line);
	}
	assert_int_equal(w->n_comment, p->comments);
	for (i = 0; i < p->comments; i++)
		assert_text(w, w->comment[i], p->comment[i]);
}

#endif
