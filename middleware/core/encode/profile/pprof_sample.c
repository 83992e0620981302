/*
 * A sample in protobuf's wire format, by hand: lengths first, then the bytes.
 * All other messages, of which there are few, are protobuf-c's (pprof.c).
 *
 *     Sample  1 location_id, packed · 2 value, packed · 3 label
 *     Label   1 key · 2 str · 3 num
 *
 * Rule: a number of 0 is left out, as in proto3, but for elements of packed
 * fields.
 */
#include "encode/profile/pprof_sample.h"

#include "base/varint.h"

/* The key of a field whose value is a number, or bytes with a length. */
#define NUMBER(field) ((uint8_t)((field) << 3))
#define BYTES(field)  ((uint8_t)((field) << 3 | 2))

/* The most bytes of key and length of the whole element; they are written
 * last. */
#define HEAD_MAX (1 + PP_VARINT_MAX)

/* The most bytes of one label: its key and length, then three numbers. */
#define LABEL_MAX (2 + 3 * (1 + PP_VARINT_MAX))

size_t
pp_pprof_sample_room(uint32_t locations, uint32_t labels)
{
	return (3 * HEAD_MAX + PP_VARINT_MAX * PP_VALUES_MAX +
	    PP_VARINT_MAX * (size_t)locations + LABEL_MAX * (size_t)labels);
}

static size_t
varint_len(uint64_t value)
{
	/* A byte has seven bits of the value; 0 takes one byte. */
	return ((size_t)(70 - __builtin_clzll(value | 1)) / 7);
}

static uint8_t *
put_locations(uint8_t *to, const struct pp_profile *p,
    const struct pp_sample *sample)
{
	uint32_t count = sample->locations, i;
	const uint32_t *location;
	size_t len = 0;

	if (count == 0)
		return (to);
	location = &p->stack[sample->first_location];
	for (i = 0; i < count; i++)
		len += varint_len(location[i]);
	*to++ = BYTES(1);
	to += pp_varint(to, len);
	for (i = 0; i < count; i++)
		to += pp_varint(to, location[i]);
	return (to);
}

/* Begin a field of less than 128 bytes: its length is one byte, which is set at
 * the end of the field. Returns where the contents begin. */
static uint8_t *
short_begin(uint8_t *to, unsigned int field)
{
	*to = BYTES(field);
	return (to + 2);
}

static uint8_t *
short_end(uint8_t *from, uint8_t *to)
{
	from[-1] = (uint8_t)(to - from);
	return (to);
}
_Static_assert(PP_VARINT_MAX *PP_VALUES_MAX < 128 && LABEL_MAX < 128,
    "the length of one takes more than a byte");

static uint8_t *
put_values(uint8_t *to, const int64_t *value, uint32_t count)
{
	uint8_t *from = short_begin(to, 2);
	uint32_t i;

	if (count == 0)
		return (to);
	for (i = 0, to = from; i < count; i++)
		to += pp_varint(to, (uint64_t)value[i]);
	return (short_end(from, to));
}

static uint8_t *
put_label(uint8_t *to, const struct pp_label *label, struct pp_text_ids *names)
{
	uint8_t *from = short_begin(to, 3);
	uint64_t number[3];
	unsigned int i;

	number[0] = (uint64_t)pp_text_ids_number(names, label->key);
	number[1] = (uint64_t)pp_text_ids_number(names, label->text);
	number[2] = label->text == NULL ? (uint64_t)label->number : 0;
	for (i = 0, to = from; i < 3; i++) {
		if (number[i] == 0)
			continue;
		*to++ = NUMBER(i + 1);
		to += pp_varint(to, number[i]);
	}
	return (short_end(from, to));
}

const uint8_t *
pp_pprof_sample(const struct pp_profile *p, const struct pp_sample *sample,
    struct pp_text_ids *names, unsigned int field, uint8_t *room, size_t *len)
{
	uint8_t *from = room + HEAD_MAX, *to = from;
	size_t size;
	uint32_t i;

	to = put_locations(to, p, sample);
	to = put_values(to, sample->value, p->value_types);
	for (i = 0; i < sample->labels; i++)
		to = put_label(to, &p->label[sample->first_label + i], names);
	size = (size_t)(to - from);
	from -= 1 + varint_len(size);
	from[0] = BYTES(field);
	(void)pp_varint(from + 1, size);
	*len = (size_t)(to - from);
	return (from);
}
