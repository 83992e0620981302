/*
 * A profile is built here: arrays that grow, and indexes over them. Symbols,
 * sessions and bytes on the wire are elsewhere.
 *
 * All parts are found again by their content: if the same mapping, location or
 * function is added twice, the same id is returned. Ids follow the order of the
 * first mention, and the same calls always give the same profile.
 *
 * Rule: after the first failure nothing is added any more, so that no entry
 * refers to another one that is missing.
 */
#include "base/budget.h"
#include "profile/profile.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mix.h"
#include "profile/idmap.h"
#include "profile/strings.h"

/* Arrays begin small: a profile of one route has dozens of entries in each. */
#define PP_PROFILE_FIRST 32

struct pp_profile_index {
	struct pp_strings strings;
	struct pp_idmap mappings, locations, functions;

	/* For how many entries each array has memory. */
	uint32_t sample_room, stack_room, label_room, location_room, line_room,
	    function_room, mapping_room, comment_room;
};

static void *pp_profile_grow(struct pp_profile *, void *, uint32_t *, uint32_t,
    uint32_t, size_t);
static struct pp_label *pp_profile_label(struct pp_profile *, const char *);
static pp_idmap_same pp_profile_same_mapping;
static pp_idmap_same pp_profile_same_location;
static pp_idmap_same pp_profile_same_function;

struct pp_profile *
pp_profile_new(void)
{
	struct pp_profile *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return (NULL);
	if ((p->index = calloc(1, sizeof(*p->index))) == NULL) {
		free(p);
		return (NULL);
	}
	return (p);
}

void
pp_profile_free(struct pp_profile *p)
{
	if (p == NULL)
		return;
	pp_strings_free(&p->index->strings);
	pp_idmap_free(&p->index->mappings);
	pp_idmap_free(&p->index->locations);
	pp_idmap_free(&p->index->functions);
	free(p->index);
	free(p->sample);
	free(p->stack);
	free(p->label);
	free(p->location);
	free(p->line);
	free(p->function);
	free(p->mapping);
	free(p->comment);
	free(p);
}

const char *
pp_profile_string(struct pp_profile *p, const char *text)
{
	const char *interned;

	if (p->failed)
		return ("");
	if ((interned = pp_strings_intern(&p->index->strings, text)) == NULL) {
		p->failed = 1;
		return ("");
	}
	return (interned);
}

uint32_t
pp_profile_mapping(struct pp_profile *p, const struct pp_mapping *mapping)
{
	struct pp_profile_index *index = p->index;
	uint64_t hash = pp_mix(0, mapping->start);
	struct pp_mapping *to;
	uint32_t id;

	if (p->failed)
		return (0);
	id = pp_idmap_find(&index->mappings, hash, pp_profile_same_mapping, p,
	    &mapping->start);
	if (id != 0)
		return (id);

	if ((to = pp_profile_grow(p, p->mapping, &index->mapping_room,
		 p->mappings, 1, sizeof(*to))) == NULL)
		return (0);
	p->mapping = to;
	to += p->mappings;
	*to = *mapping;
	to->file = pp_profile_string(p, mapping->file);
	to->build_id = pp_profile_string(p, mapping->build_id);
	if (p->failed)
		return (0);
	if (pp_idmap_add(&index->mappings, hash, p->mappings + 1) == -1) {
		p->failed = 1;
		return (0);
	}
	return (++p->mappings);
}

uint32_t
pp_profile_location(struct pp_profile *p, uint64_t address, uint32_t mapping)
{
	struct pp_profile_index *index = p->index;
	uint64_t hash = pp_mix(0, address);
	struct pp_location *to;
	uint32_t id;

	if (p->failed)
		return (0);
	id = pp_idmap_find(&index->locations, hash, pp_profile_same_location, p,
	    &address);
	if (id != 0)
		return (id);

	if ((to = pp_profile_grow(p, p->location, &index->location_room,
		 p->locations, 1, sizeof(*to))) == NULL)
		return (0);
	p->location = to;
	to += p->locations;
	to->address = address;
	to->mapping = mapping <= p->mappings ? mapping : 0;
	to->first_line = 0;
	to->lines = 0;
	to->offset = 0;
	if (pp_idmap_add(&index->locations, hash, p->locations + 1) == -1) {
		p->failed = 1;
		return (0);
	}
	return (++p->locations);
}

uint32_t
pp_profile_function(struct pp_profile *p, const char *name, const char *file,
    int32_t start_line)
{
	struct pp_profile_index *index = p->index;
	struct pp_function key, *to;
	uint64_t hash;
	uint32_t id;

	/* The texts are interned, so the pointers stand for them. */
	key.name = pp_profile_string(p, name);
	key.file = pp_profile_string(p, file);
	key.start_line = start_line;
	if (p->failed)
		return (0);
	hash = pp_mix(0, (uint64_t)(uintptr_t)key.name);
	hash = pp_mix(hash, (uint64_t)(uintptr_t)key.file);
	hash = pp_mix(hash, (uint64_t)(uint32_t)start_line);
	id = pp_idmap_find(&index->functions, hash, pp_profile_same_function, p,
	    &key);
	if (id != 0)
		return (id);

	if ((to = pp_profile_grow(p, p->function, &index->function_room,
		 p->functions, 1, sizeof(*to))) == NULL)
		return (0);
	p->function = to;
	to[p->functions] = key;
	if (pp_idmap_add(&index->functions, hash, p->functions + 1) == -1) {
		p->failed = 1;
		return (0);
	}
	return (++p->functions);
}

void
pp_profile_lines(struct pp_profile *p, uint32_t location,
    const struct pp_line *line, uint32_t lines)
{
	struct pp_location *at;
	struct pp_line *to;
	uint32_t i;

	if (p->failed || location == 0 || location > p->locations)
		return;
	at = &p->location[location - 1];
	if (at->lines != 0 || lines == 0)
		return;
	for (i = 0; i < lines; i++) {
		if (line[i].function == 0 || line[i].function > p->functions)
			return;
	}
	if ((to = pp_profile_grow(p, p->line, &p->index->line_room, p->lines,
		 lines, sizeof(*to))) == NULL)
		return;
	p->line = to;
	for (i = 0; i < lines; i++)
		to[p->lines + i] = line[i];
	at->first_line = p->lines;
	at->lines = lines;
	p->lines += lines;
}

void
pp_profile_sample(struct pp_profile *p, const int64_t *values)
{
	struct pp_sample *to;
	uint32_t i;

	if (p->failed)
		return;
	if ((to = pp_profile_grow(p, p->sample, &p->index->sample_room,
		 p->samples, 1, sizeof(*to))) == NULL)
		return;
	p->sample = to;
	to += p->samples++;
	to->first_location = p->stack_used;
	to->locations = 0;
	to->first_label = p->labels;
	to->labels = 0;
	for (i = 0; i < PP_VALUES_MAX; i++)
		to->value[i] = i < p->value_types ? values[i] : 0;
}

void
pp_profile_stack(struct pp_profile *p, const uint32_t *location, uint32_t count)
{
	uint32_t *to, i;

	if (p->failed || p->samples == 0)
		return;
	if ((to = pp_profile_grow(p, p->stack, &p->index->stack_room,
		 p->stack_used, count, sizeof(*to))) == NULL)
		return;
	p->stack = to;
	for (i = 0; i < count; i++) {
		if (location[i] == 0 || location[i] > p->locations)
			continue;
		to[p->stack_used++] = location[i];
		p->sample[p->samples - 1].locations++;
	}
}

void
pp_profile_push(struct pp_profile *p, uint32_t location)
{
	pp_profile_stack(p, &location, 1);
}

void
pp_profile_labels_again(struct pp_profile *p, uint32_t first, uint32_t count)
{
	struct pp_label *to;

	if (p->failed || p->samples == 0 || first + count > p->labels)
		return;
	if ((to = pp_profile_grow(p, p->label, &p->index->label_room, p->labels,
		 count, sizeof(*to))) == NULL)
		return;
	p->label = to;
	memcpy(to + p->labels, to + first, count * sizeof(*to));
	p->labels += count;
	p->sample[p->samples - 1].labels += count;
}

void
pp_profile_label_text(struct pp_profile *p, const char *key, const char *text)
{
	const char *interned = pp_profile_string(p, text);
	struct pp_label *to;

	if (*interned == '\0' || (to = pp_profile_label(p, key)) == NULL)
		return;
	to->text = interned;
	to->number = 0;
}

void
pp_profile_label_number(struct pp_profile *p, const char *key, int64_t number)
{
	struct pp_label *to;

	if (number < 1 || (to = pp_profile_label(p, key)) == NULL)
		return;
	to->text = NULL;
	to->number = number;
}

void
pp_profile_comment(struct pp_profile *p, const char *format, ...)
{
	struct pp_buf text = { 0 };
	const char *interned = "";
	const char **to;
	va_list args;

	va_start(args, format);
	pp_buf_vprintf(&text, format, args);
	va_end(args);
	pp_buf_append(&text, "", 1);
	if (text.failed)
		p->failed = 1;
	else
		interned = pp_profile_string(p, text.data);
	pp_buf_free(&text);
	if (p->failed)
		return;

	if ((to = pp_profile_grow(p, p->comment, &p->index->comment_room,
		 p->comments, 1, sizeof(*to))) == NULL)
		return;
	p->comment = to;
	to[p->comments++] = interned;
}

/* Add a label to the sample that was begun last. Returns NULL if there is no
 * sample, the key is empty, or there is no memory. */
static struct pp_label *
pp_profile_label(struct pp_profile *p, const char *key)
{
	const char *interned = pp_profile_string(p, key);
	struct pp_label *to;

	if (p->failed || p->samples == 0 || *interned == '\0')
		return (NULL);
	if ((to = pp_profile_grow(p, p->label, &p->index->label_room, p->labels,
		 1, sizeof(*to))) == NULL)
		return (NULL);
	p->label = to;
	to += p->labels++;
	to->key = interned;
	p->sample[p->samples - 1].labels++;
	return (to);
}

/* Returns the array with room for `more` entries after the `used` ones. If
 * there is no memory, it returns NULL and sets `failed`; the array stays as it
 * was. */
static void *
pp_profile_grow(struct pp_profile *p, void *array, uint32_t *room,
    uint32_t used, uint32_t more, size_t size)
{
	uint64_t bigger = *room != 0 ? *room : PP_PROFILE_FIRST;

	if (array != NULL && more <= *room - used)
		return (array);
	while (bigger < (uint64_t)used + more)
		bigger *= 2;
	if (bigger > UINT32_MAX || !pp_budget_fits(bigger * size) ||
	    (array = realloc(array, bigger * size)) == NULL) {
		p->failed = 1;
		return (NULL);
	}
	*room = (uint32_t)bigger;
	return (array);
}

static int
pp_profile_same_mapping(const void *owner, uint32_t id, const void *key)
{
	const struct pp_profile *p = owner;
	const uint64_t *start = key;

	return (p->mapping[id - 1].start == *start);
}

static int
pp_profile_same_location(const void *owner, uint32_t id, const void *key)
{
	const struct pp_profile *p = owner;
	const uint64_t *address = key;

	return (p->location[id - 1].address == *address);
}

static int
pp_profile_same_function(const void *owner, uint32_t id, const void *key)
{
	const struct pp_profile *p = owner;
	const struct pp_function *wanted = key;

	return (p->function[id - 1].name == wanted->name &&
	    p->function[id - 1].file == wanted->file &&
	    p->function[id - 1].start_line == wanted->start_line);
}
