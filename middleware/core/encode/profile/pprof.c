/*
 * A profile as gzipped profile.proto. No ELF, no arena and no HTTP is known
 * here; nothing is changed, sorted or left out.
 *
 * A file of this format is one Profile message, and the elements of its
 * repeated fields may come in any order. So each element is packed, written and
 * forgotten, and all fields that no element refers to come last, with the
 * strings:
 *
 *     sample types, samples, mappings, locations, functions | the rest
 *
 * If the whole message were packed at once, 100,000 samples would take 46 MiB
 * more.
 *
 * Rule: the memory is that of one element and of the string numbers. Errors are
 * sticky in the buffer below; only the end is checked.
 */
#include "encode/profile/pprof.h"

#include <stdlib.h>

#include "base/varint.h"
#include "encode/bytes/sink.h"
#include "encode/profile/pprof_sample.h"
#include "encode/profile/text_ids.h"
#include "profile.pb-c.h"

/* Field numbers of Profile that are written one element at a time. */
enum pp_pprof_field {
	PP_PPROF_SAMPLE_TYPE = 1,
	PP_PPROF_SAMPLE = 2,
	PP_PPROF_MAPPING = 3,
	PP_PPROF_LOCATION = 4,
	PP_PPROF_FUNCTION = 5
};

struct pp_pprof {
	ProtobufCBuffer base; /* first: append() gets its address */
	const struct pp_profile *p;
	struct pp_sink *sink;
	struct pp_text_ids names;

	/* The parts of one element: room for the largest. */
	uint8_t *sample;
	Pp__Wire__Line *line, **line_at;
};

static int pp_pprof_prepare(struct pp_pprof *);
static void pp_pprof_release(struct pp_pprof *);
static void pp_pprof_emit(struct pp_pprof *, enum pp_pprof_field,
    const ProtobufCMessage *);
static void pp_pprof_append(ProtobufCBuffer *, size_t, const uint8_t *);
static Pp__Wire__ValueType pp_pprof_type(struct pp_pprof *,
    const struct pp_value_type *);
static void pp_pprof_types(struct pp_pprof *);
static void pp_pprof_samples(struct pp_pprof *);
static void pp_pprof_mappings(struct pp_pprof *);
static void pp_pprof_locations(struct pp_pprof *);
static void pp_pprof_functions(struct pp_pprof *);
static void pp_pprof_rest(struct pp_pprof *);

int
pp_encode_pprof(const struct pp_profile *p, struct pp_buf *out)
{
	struct pp_pprof e = { .base.append = pp_pprof_append, .p = p };

	if (p->failed)
		return (-1);
	if (p->value_types > PP_VALUES_MAX || pp_pprof_prepare(&e) == -1 ||
	    (e.sink = pp_sink_open(out, 1)) == NULL) {
		pp_pprof_release(&e);
		out->failed = 1;
		return (-1);
	}
	pp_pprof_types(&e);
	pp_pprof_samples(&e);
	pp_pprof_mappings(&e);
	pp_pprof_locations(&e);
	pp_pprof_functions(&e);
	pp_pprof_rest(&e);
	if (e.names.failed)
		out->failed = 1;
	pp_pprof_release(&e);
	if (pp_sink_close(e.sink) == -1)
		out->failed = 1;
	return (out->failed ? -1 : 0);
}

static int
pp_pprof_prepare(struct pp_pprof *e)
{
	const struct pp_profile *p = e->p;
	uint32_t locations = 0, labels = 0, lines = 1, i;

	for (i = 0; i < p->samples; i++) {
		if (p->sample[i].locations > locations)
			locations = p->sample[i].locations;
		if (p->sample[i].labels > labels)
			labels = p->sample[i].labels;
	}
	for (i = 0; i < p->locations; i++) {
		if (p->location[i].lines > lines)
			lines = p->location[i].lines;
	}
	e->sample = malloc(pp_pprof_sample_room(locations, labels));
	e->line = calloc(lines, sizeof(*e->line));
	e->line_at = calloc(lines, sizeof(*e->line_at));
	if (e->sample == NULL || e->line == NULL || e->line_at == NULL)
		return (-1);
	for (i = 0; i < lines; i++) {
		pp__wire__line__init(&e->line[i]);
		e->line_at[i] = &e->line[i];
	}
	return (0);
}

static void
pp_pprof_release(struct pp_pprof *e)
{
	pp_text_ids_free(&e->names);
	free(e->sample);
	free(e->line);
	free(e->line_at);
}

/* Write one element of a repeated field: its key (2: length-delimited), its
 * length as a varint, and the element. */
static void
pp_pprof_emit(struct pp_pprof *e, enum pp_pprof_field field,
    const ProtobufCMessage *message)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t head[1 + PP_VARINT_MAX] = { (uint8_t)(field << 3 | 2) };

	pp_sink_write(e->sink, head, 1 + pp_varint(head + 1, size));
	protobuf_c_message_pack_to_buffer(message, &e->base);
}

static void
pp_pprof_append(ProtobufCBuffer *base, size_t len, const uint8_t *data)
{
	struct pp_pprof *e = (struct pp_pprof *)base;

	pp_sink_write(e->sink, data, len);
}

static Pp__Wire__ValueType
pp_pprof_type(struct pp_pprof *e, const struct pp_value_type *type)
{
	Pp__Wire__ValueType wire = PP__WIRE__VALUE_TYPE__INIT;

	wire.type = pp_text_ids_number(&e->names, type->type);
	wire.unit = pp_text_ids_number(&e->names, type->unit);
	return (wire);
}

static void
pp_pprof_types(struct pp_pprof *e)
{
	Pp__Wire__ValueType wire;
	uint32_t i;

	for (i = 0; i < e->p->value_types; i++) {
		wire = pp_pprof_type(e, &e->p->value_type[i]);
		pp_pprof_emit(e, PP_PPROF_SAMPLE_TYPE, &wire.base);
	}
}

/* Write the samples, by hand: there are many of them, and protobuf-c takes
 * several times as long. */
static void
pp_pprof_samples(struct pp_pprof *e)
{
	const uint8_t *packed;
	uint32_t i;
	size_t len;

	for (i = 0; i < e->p->samples; i++) {
		packed = pp_pprof_sample(e->p, &e->p->sample[i], &e->names,
		    PP_PPROF_SAMPLE, e->sample, &len);
		pp_sink_write(e->sink, packed, len);
	}
}

static void
pp_pprof_mappings(struct pp_pprof *e)
{
	Pp__Wire__Mapping wire = PP__WIRE__MAPPING__INIT;
	const struct pp_mapping *mapping;
	uint32_t i;

	for (i = 0; i < e->p->mappings; i++) {
		mapping = &e->p->mapping[i];
		wire.id = i + 1;
		wire.memory_start = mapping->start;
		wire.memory_limit = mapping->limit;
		wire.file_offset = mapping->offset;
		wire.filename = pp_text_ids_number(&e->names, mapping->file);
		wire.build_id =
		    pp_text_ids_number(&e->names, mapping->build_id);
		wire.has_functions = mapping->has_functions != 0;
		wire.has_filenames = mapping->has_filenames != 0;
		wire.has_line_numbers = mapping->has_line_numbers != 0;
		wire.has_inline_frames = mapping->has_inline_frames != 0;
		pp_pprof_emit(e, PP_PPROF_MAPPING, &wire.base);
	}
}

static void
pp_pprof_locations(struct pp_pprof *e)
{
	Pp__Wire__Location wire = PP__WIRE__LOCATION__INIT;
	const struct pp_location *location;
	const struct pp_line *line;
	uint32_t i, n;

	wire.line = e->line_at;
	for (i = 0; i < e->p->locations; i++) {
		location = &e->p->location[i];
		for (n = 0; n < location->lines; n++) {
			line = &e->p->line[location->first_line + n];
			e->line[n].function_id = line->function;
			e->line[n].line = line->line;
		}
		wire.id = i + 1;
		wire.mapping_id = location->mapping;
		wire.address = location->address;
		wire.n_line = location->lines;
		pp_pprof_emit(e, PP_PPROF_LOCATION, &wire.base);
	}
}

static void
pp_pprof_functions(struct pp_pprof *e)
{
	Pp__Wire__Function wire = PP__WIRE__FUNCTION__INIT;
	const struct pp_function *function;
	uint32_t i;

	for (i = 0; i < e->p->functions; i++) {
		function = &e->p->function[i];
		wire.id = i + 1;
		wire.name = pp_text_ids_number(&e->names, function->name);
		/* The name is that of the linker, which readers demangle. */
		wire.system_name = wire.name;
		wire.filename = pp_text_ids_number(&e->names, function->file);
		wire.start_line = function->start_line;
		pp_pprof_emit(e, PP_PPROF_FUNCTION, &wire.base);
	}
}

/* Write all fields that occur once, and the strings, whose numbers are all
 * known after those of the comments: a Profile message without the fields
 * written above. A reader takes two messages one after the other as one. */
static void
pp_pprof_rest(struct pp_pprof *e)
{
	const struct pp_profile *p = e->p;
	Pp__Wire__Profile wire = PP__WIRE__PROFILE__INIT;
	Pp__Wire__ValueType period_type;
	uint32_t i;

	period_type = pp_pprof_type(e, &p->period_type);
	if (period_type.type != 0 || period_type.unit != 0)
		wire.period_type = &period_type;
	wire.period = p->period;
	wire.time_nanos = p->time_ns;
	wire.duration_nanos = p->duration_ns;
	wire.default_sample_type =
	    pp_text_ids_number(&e->names, p->default_type);

	if (p->comments != 0 &&
	    (wire.comment = calloc(p->comments, sizeof(*wire.comment))) ==
		NULL) {
		e->names.failed = 1;
		return;
	}
	wire.n_comment = p->comments;
	for (i = 0; i < p->comments; i++)
		wire.comment[i] = pp_text_ids_number(&e->names, p->comment[i]);

	if (!e->names.failed) {
		/* The members of protobuf-c are not const; the texts are only
		 * read. */
		wire.string_table = (char **)(uintptr_t)e->names.text;
		wire.n_string_table = e->names.used;
		pp__wire__profile__pack_to_buffer(&wire, &e->base);
	}
	free(wire.comment);
}
