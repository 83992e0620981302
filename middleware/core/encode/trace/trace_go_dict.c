/*
 * What the events of a trace refer to: strings, stacks and the clock, in one
 * batch at the end of the file.
 *
 * Readers identify a frame by its address alone: the first function and line
 * that they see there hold for the whole file. So each pair of function and
 * line gets an address made up for it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mix.h"
#include "base/varint.h"
#include "base/yield.h"
#include "encode/trace/trace_go_private.h"
#include "profile/idmap.h"

/* The most that readers take of one stack and of one text; some keep 2,048
 * bytes of a stack. */
#define FRAMES_MAX  64
#define STACK_BYTES 2048
#define TEXT_MAX    1000000

/* The bytes are written to the file when there are so many. */
#define DICT_BYTES (64U << 10)

/* The first of the made-up addresses. */
#define PC_FIRST 0x1000

/* A list of keys under numbers 1..n. */
struct numbers {
	uint64_t *key;
	uint32_t used, room;
	struct pp_idmap map;
};

/* How much of stacks and texts is written: first all that readers take. If that
 * is more than the file may have, the next line is tried. */
static const struct cut {
	uint32_t frames, text;
} cuts[] = {
	{ FRAMES_MAX, TEXT_MAX },
	{ FRAMES_MAX, 256 },
	{ 32, 96 },
	{ 12, 64 },
	{ 2, GO_TEXT_LEAST },
};
#define CUTS (sizeof(cuts) / sizeof(cuts[0]))

struct dictionary {
	const struct cut *cut;
	struct pp_go *go;
	const struct pp_tracer *tracer;
	const struct pp_profile *stacks;
	struct numbers texts;  /* pointers to the profile's strings */
	struct numbers frames; /* function and line, or a name */
	struct pp_buf out;
	int failed;
};

static int
number_same(const void *owner, uint32_t id, const void *key)
{
	const struct numbers *numbers = owner;

	return (numbers->key[id - 1] == *(const uint64_t *)key);
}

static uint32_t
number_of(struct dictionary *d, struct numbers *numbers, uint64_t key)
{
	uint64_t hash = pp_mix(0, key), *bigger;
	uint32_t id, room;

	id = pp_idmap_find(&numbers->map, hash, number_same, numbers, &key);
	if (id != 0)
		return (id);
	if (numbers->used == numbers->room) {
		room = numbers->room == 0 ? 256 : 2 * numbers->room;
		bigger = reallocarray(numbers->key, room, sizeof(*bigger));
		if (bigger == NULL) {
			d->failed = 1;
			return (0);
		}
		numbers->key = bigger;
		numbers->room = room;
	}
	if (pp_idmap_add(&numbers->map, hash, numbers->used + 1) == -1) {
		d->failed = 1;
		return (0);
	}
	numbers->key[numbers->used++] = key;
	return (numbers->used);
}

static void
numbers_free(struct numbers *numbers)
{
	free(numbers->key);
	pp_idmap_free(&numbers->map);
}

static void
dict_number(struct dictionary *d, uint64_t number)
{
	uint8_t bytes[PP_VARINT_MAX];

	pp_buf_append(&d->out, bytes, pp_varint(bytes, number));
}

static void
dict_byte(struct dictionary *d, uint8_t byte)
{
	pp_buf_append(&d->out, &byte, 1);
}

static void
dict_flush(struct dictionary *d)
{
	d->failed |= d->out.failed;
	pp_spool_append(&d->go->spool, d->out.data, d->out.len);
	pp_buf_free(&d->out);
}

static void
dict_string(struct dictionary *d, uint64_t id, const char *text)
{
	size_t len = strnlen(text, (size_t)d->cut->text + 1);

	/* A text is not cut within a character. */
	if (len > d->cut->text) {
		for (len--; len > 1 && (text[len] & 0xc0) == 0x80; len--)
			continue;
	}
	dict_byte(d, GO_STRING);
	dict_number(d, id);
	dict_number(d, len);
	pp_buf_append(&d->out, text, len);
}

/* Return the string id of a text of the profile; "" is 0. */
static uint32_t
dict_text(struct dictionary *d, const char *text)
{
	if (*text == '\0')
		return (0);
	return (
	    TEXT_FIRST + number_of(d, &d->texts, (uint64_t)(uintptr_t)text));
}

/* Write one frame to `to`. */
static uint32_t
dict_frame(struct dictionary *d, uint8_t *to, uint64_t key, uint64_t function,
    uint64_t file, uint64_t line)
{
	uint32_t n;

	n = pp_varint(to, PC_FIRST + number_of(d, &d->frames, key));
	n += pp_varint(to + n, function);
	n += pp_varint(to + n, file);
	return (n + pp_varint(to + n, line));
}

static uint32_t
dict_name_frame(struct dictionary *d, uint8_t *to, uint32_t name)
{
	d->go->name_used[name / 8] |= (uint8_t)(1U << name % 8);
	return (dict_frame(d, to, 1ULL << 63 | name, name, 0, 0));
}

static uint32_t
dict_line_frame(struct dictionary *d, uint8_t *to, const struct pp_line *line)
{
	const struct pp_function *f = &d->stacks->function[line->function - 1];
	uint32_t number = line->line > 0 ? (uint32_t)line->line : 0;
	/* Here, and not among the arguments, which compilers evaluate in
	 * different orders: the first text that is asked for has the first
	 * id. */
	uint32_t file = dict_text(d, f->file);

	return (dict_frame(d, to, (uint64_t)line->function << 32 | number,
	    dict_text(d, f->name), file, number));
}

/* Write the frames of one sample, as far as there is room. Returns how many. */
static uint32_t
dict_sample(struct dictionary *d, const struct pp_sample *sample, uint8_t *to,
    uint32_t *len, uint32_t room)
{
	const struct pp_location *location;
	uint32_t i, k, frames = 0;

	for (i = 0; i < sample->locations; i++) {
		location =
		    &d->stacks->location
			 [d->stacks->stack[sample->first_location + i] - 1];
		for (k = 0; k < location->lines; k++) {
			if (frames == room || *len > STACK_BYTES - 100)
				return (frames);
			*len += dict_line_frame(d, to + *len,
			    &d->stacks->line[location->first_line + k]);
			frames++;
		}
	}
	return (frames);
}

static void
dict_stack(struct dictionary *d, uint32_t id)
{
	const struct pp_tracer_stack *stack = &d->go->stacks.stack[id - 1];
	uint8_t frame[STACK_BYTES], head[20];
	uint32_t place, frames = 0, len = 0, n;

	if (stack->leaf != 0 && (d->cut->frames > 2 || stack->words == 0)) {
		len += dict_name_frame(d, frame, stack->leaf);
		frames++;
	}
	pp_yield();
	place = pp_go_stacks_place(&d->go->stacks, stack->words);
	if (d->stacks != NULL && stack->words != 0 &&
	    place < d->stacks->samples)
		frames += dict_sample(d, &d->stacks->sample[place], frame, &len,
		    d->cut->frames > 2 ? d->cut->frames - 2 : 1);
	if (stack->entry != 0 || frames == 0) {
		len += dict_name_frame(d, frame + len, stack->entry);
		frames++;
	}
	n = pp_varint(head, id);
	n += pp_varint(head + n, frames);
	dict_byte(d, GO_STACK | 3 << 6);
	dict_number(d, n + len);
	pp_buf_append(&d->out, head, n);
	pp_buf_append(&d->out, frame, len);
	/* Bytes that are in the file need not be held in memory. */
	if (d->out.len > DICT_BYTES)
		dict_flush(d);
}

static int
dict_write(struct dictionary *d)
{
	const struct pp_go *go = d->go;
	uint32_t i;

	dict_byte(d, GO_BATCH | 1 << 6);
	dict_number(d, 0);
	dict_number(d, (uint64_t)go->begin);
	dict_byte(d, GO_FREQUENCY);
	dict_number(d, 1000000000);
	for (i = 1; i <= go->stacks.used; i++)
		dict_stack(d, i);
	for (i = 1; i < PP_TRACE_NAMES_MAX; i++) {
		if (go->name_used[i / 8] >> i % 8 & 1)
			dict_string(d, i, pp_tracer_name(d->tracer, i));
	}
	dict_string(d, TEXT_TRACE, "trace");
	for (i = 1; i <= d->texts.used; i++)
		dict_string(d, TEXT_FIRST + i,
		    (const char *)(uintptr_t)d->texts.key[i - 1]);
	dict_flush(d);
	numbers_free(&d->texts);
	numbers_free(&d->frames);
	return (d->failed ? -1 : 0);
}

int
pp_go_dictionary(struct pp_go *go, const struct pp_tracer *tracer,
    const struct pp_profile *stacks)
{
	uint64_t events = go->spool.len;
	size_t i;

	for (i = 0; i < CUTS; i++) {
		struct dictionary d = { .cut = &cuts[i],
			.go = go,
			.tracer = tracer,
			.stacks = stacks };

		if (dict_write(&d) == -1)
			return (-1);
		if (go->spool.len <= go->max || i == CUTS - 1)
			break;
		pp_spool_cut(&go->spool, events);
	}
	return (0);
}
