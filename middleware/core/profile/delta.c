/*
 * See delta.h. The samples of both profiles go into one table, by their
 * addresses and labels, with the values of `before` negative. All samples whose
 * sums are not 0 are then copied into the new profile.
 */
#include "profile/delta.h"

#include <stdlib.h>
#include <string.h>

#include "base/mix.h"
#include "profile/idmap.h"

struct change {
	const struct pp_profile *from;
	const struct pp_sample *sample; /* of `from`: stack and labels */
	uint64_t value[PP_VALUES_MAX];	/* modulo 2^64 */
};

struct delta {
	struct change *change;
	uint32_t changes;
	struct pp_idmap map;
	struct pp_profile *p;
};

static uint64_t
text_hash(uint64_t hash, const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		hash = pp_mix(hash, (unsigned char)*text);
	return (hash);
}

static uint64_t
sample_address(const struct change *of, uint32_t frame)
{
	const struct pp_profile *p = of->from;

	return (p->location[p->stack[of->sample->first_location + frame] - 1]
		    .address);
}

static const struct pp_label *
sample_label(const struct change *of, uint32_t number)
{
	return (&of->from->label[of->sample->first_label + number]);
}

static uint64_t
change_hash(const struct change *change)
{
	uint64_t hash = change->sample->locations;
	const struct pp_label *label;
	uint32_t i;

	for (i = 0; i < change->sample->locations; i++)
		hash = pp_mix(hash, sample_address(change, i));
	for (i = 0; i < change->sample->labels; i++) {
		label = sample_label(change, i);
		hash = pp_mix(text_hash(hash, label->key),
		    (uint64_t)label->number);
		hash = text_hash(hash, label->text);
	}
	return (hash);
}

static int
label_same(const struct pp_label *a, const struct pp_label *b)
{
	if (strcmp(a->key, b->key) != 0 || a->number != b->number ||
	    (a->text == NULL) != (b->text == NULL))
		return (0);
	return (a->text == NULL || strcmp(a->text, b->text) == 0);
}

static int
change_same(const void *owner, uint32_t id, const void *key)
{
	const struct change *a = &((const struct delta *)owner)->change[id - 1];
	const struct change *b = key;
	uint32_t i;

	if (a->sample->locations != b->sample->locations ||
	    a->sample->labels != b->sample->labels)
		return (0);
	for (i = 0; i < a->sample->locations; i++) {
		if (sample_address(a, i) != sample_address(b, i))
			return (0);
	}
	for (i = 0; i < a->sample->labels; i++) {
		if (!label_same(sample_label(a, i), sample_label(b, i)))
			return (0);
	}
	return (1);
}

static int
delta_add(struct delta *d, const struct pp_profile *from, uint64_t sign)
{
	struct change change = { .from = from };
	uint64_t hash;
	uint32_t i, v, id;

	for (i = 0; i < from->samples; i++) {
		change.sample = &from->sample[i];
		hash = change_hash(&change);
		id = pp_idmap_find(&d->map, hash, change_same, d, &change);
		if (id == 0) {
			d->change[d->changes] = change;
			id = ++d->changes;
			if (pp_idmap_add(&d->map, hash, id) == -1)
				return (-1);
		}
		for (v = 0; v < from->value_types; v++)
			d->change[id - 1].value[v] +=
			    sign * (uint64_t)from->sample[i].value[v];
	}
	return (0);
}

/* Returns the location's id in the new profile. Its line is copied, too: before
 * there are symbols, only locations like "[no stack]" have a line, and only
 * one. */
static uint32_t
copy_location(struct pp_profile *p, const struct pp_profile *from, uint32_t id)
{
	const struct pp_location *location = &from->location[id - 1];
	const struct pp_function *function;
	uint32_t mapping = 0, before = p->locations, copy, i;
	struct pp_line line;

	if (location->mapping != 0)
		mapping = pp_profile_mapping(p,
		    &from->mapping[location->mapping - 1]);
	copy = pp_profile_location(p, location->address, mapping);
	if (p->locations == before)
		return (copy);
	for (i = 0; i < location->lines && i < 1; i++) {
		line = from->line[location->first_line];
		function = &from->function[line.function - 1];
		line.function = pp_profile_function(p, function->name,
		    function->file, function->start_line);
		pp_profile_lines(p, copy, &line, 1);
	}
	return (copy);
}

static void
copy_change(struct pp_profile *p, const struct change *change)
{
	const struct pp_sample *sample = change->sample;
	const struct pp_profile *from = change->from;
	int64_t value[PP_VALUES_MAX];
	const struct pp_label *label;
	uint32_t i, any = 0;

	for (i = 0; i < PP_VALUES_MAX; i++) {
		value[i] = (int64_t)change->value[i];
		any |= value[i] != 0;
	}
	if (!any)
		return;
	pp_profile_sample(p, value);
	for (i = 0; i < sample->locations; i++)
		pp_profile_push(p,
		    copy_location(p, from,
			from->stack[sample->first_location + i]));
	for (i = 0; i < sample->labels; i++) {
		label = sample_label(change, i);
		if (label->text != NULL)
			pp_profile_label_text(p, label->key, label->text);
		else
			pp_profile_label_number(p, label->key, label->number);
	}
}

static void
copy_head(struct pp_profile *p, const struct pp_profile *after)
{
	uint32_t i;

	p->value_types = after->value_types;
	for (i = 0; i < after->value_types; i++) {
		p->value_type[i].type =
		    pp_profile_string(p, after->value_type[i].type);
		p->value_type[i].unit =
		    pp_profile_string(p, after->value_type[i].unit);
	}
	p->period_type.type = pp_profile_string(p, after->period_type.type);
	p->period_type.unit = pp_profile_string(p, after->period_type.unit);
	p->period = after->period;
	p->time_ns = after->time_ns;
	/* The first mapping is the program, whatever the samples are. */
	if (after->mappings > 0)
		(void)pp_profile_mapping(p, &after->mapping[0]);
	for (i = 0; i < after->comments; i++)
		pp_profile_comment(p, "%s", after->comment[i]);
}

struct pp_profile *
pp_delta(const struct pp_profile *before, const struct pp_profile *after,
    int64_t duration_ns)
{
	struct delta d = { 0 };
	uint32_t i;

	d.change = calloc((size_t)before->samples + after->samples + 1,
	    sizeof(*d.change));
	d.p = pp_profile_new();
	/* `after` is added first, so that its order is kept. */
	if (d.change == NULL || d.p == NULL || delta_add(&d, after, 1) == -1 ||
	    delta_add(&d, before, UINT64_MAX) == -1) {
		pp_profile_free(d.p);
		d.p = NULL;
	} else {
		copy_head(d.p, after);
		d.p->duration_ns = duration_ns;
		for (i = 0; i < d.changes; i++)
			copy_change(d.p, &d.change[i]);
	}
	if (d.p != NULL && d.p->failed) {
		pp_profile_free(d.p);
		d.p = NULL;
	}
	free(d.change);
	pp_idmap_free(&d.map);
	return (d.p);
}
