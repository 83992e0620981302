/*
 * See labels.h. build.c takes the texts apart for a profile.
 *
 * Rule: a number stays the same text for ever. Nothing is removed, so the bound
 * is on the count.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mix.h"
#include "merge/labels.h"
#include "store/intern.h"

#define SET_WORDS  (PP_LABEL_SET_MAX / sizeof(uint64_t))
#define INDEX_SIZE (2 * PP_LABELS_MAX)
#define KNOWN_SIZE (2 * PP_LABEL_INDEX)

struct set {
	uint64_t hash;
	uint32_t words;
	char *text; /* words * 8 bytes, and a NUL */
};

struct pp_label_known {
	uint32_t id; /* 0: free */
	uint32_t number;
};

struct pp_labels {
	struct set set[PP_LABELS_MAX + 1]; /* by number; 0 is not used */
	uint32_t index[INDEX_SIZE];	   /* numbers, by hash */
	uint32_t sets;
};

struct pp_labels *
pp_labels_new(void)
{
	return (calloc(1, sizeof(struct pp_labels)));
}

void
pp_labels_free(struct pp_labels *labels)
{
	uint32_t i;

	if (labels == NULL)
		return;
	for (i = 1; i <= labels->sets; i++)
		free(labels->set[i].text);
	free(labels);
}

void
pp_labels_forget(struct pp_label_cache *cache)
{
	free(cache->known);
	memset(cache, 0, sizeof(*cache));
}

/*
 * Returns 1 if the text is "key\0value\0..." and then only padding. A key
 * without a value, an empty key before a value, or too many pairs are refused.
 */
static int
labels_valid(const char *text, size_t len)
{
	unsigned int pairs = 0;
	size_t at = 0;
	int part;

	if (text[len - 1] != '\0')
		return (0);
	while (at < len && text[at] != '\0') {
		for (part = 0; part < 2; part++) {
			if (at >= len)
				return (0);
			at += strlen(text + at) + 1;
		}
		if (++pairs > PP_LABELS_PER_SET)
			return (0);
	}
	for (; at < len; at++) {
		if (text[at] != '\0')
			return (0);
	}
	return (pairs != 0);
}

static uint32_t
labels_intern(struct pp_labels *labels, const uint64_t *words, uint32_t count)
{
	uint64_t hash = pp_mix_words(words, count, count);
	struct set *set;
	uint32_t probe, at, number;

	for (probe = 0; probe < PP_PROBES_MAX; probe++) {
		at = ((uint32_t)hash + probe) & (INDEX_SIZE - 1);
		if ((number = labels->index[at]) == 0)
			break;
		set = &labels->set[number];
		if (set->hash == hash && set->words == count &&
		    memcmp(set->text, words, count * sizeof(*words)) == 0)
			return (number);
	}
	if (probe == PP_PROBES_MAX || labels->sets == PP_LABELS_MAX)
		return (0);
	set = &labels->set[labels->sets + 1];
	set->text = malloc(count * sizeof(*words) + 1);
	if (set->text == NULL)
		return (0);
	memcpy(set->text, words, count * sizeof(*words));
	set->text[count * sizeof(*words)] = '\0';
	set->hash = hash;
	set->words = count;
	labels->index[at] = ++labels->sets;
	return (labels->sets);
}

/* The cache's entry for the id, or a free entry to fill; NULL: there is no room
 * or no memory. */
static struct pp_label_known *
labels_known(struct pp_label_cache *cache, uint32_t id)
{
	uint32_t probe, at;

	if (cache->known == NULL) {
		cache->known = calloc(KNOWN_SIZE, sizeof(*cache->known));
		if (cache->known == NULL)
			return (NULL);
	}
	for (probe = 0; probe < PP_PROBES_MAX; probe++) {
		at = ((uint32_t)pp_mix(0, id) + probe) & (KNOWN_SIZE - 1);
		if (cache->known[at].id == id)
			return (&cache->known[at]);
		if (cache->known[at].id == 0)
			return (&cache->known[at]);
	}
	return (NULL);
}

uint32_t
pp_labels_number(struct pp_labels *labels, struct pp_label_cache *cache,
    struct pp_label_table *table, uint64_t id, int *lost)
{
	struct pp_intern_table view = pp_intern_labels(table);
	struct pp_label_known *known;
	uint64_t words[SET_WORDS];
	uint32_t count, number = 0;

	*lost = 0;
	if (id == 0)
		return (0);
	*lost = 1;
	if (id >= PP_LABEL_WORDS)
		return (0);
	known = labels_known(cache, (uint32_t)id);
	if (known != NULL && known->id != 0) {
		*lost = 0;
		return (known->number);
	}
	count = pp_intern_read(&view, (uint32_t)id, words, SET_WORDS);
	if (count != 0 &&
	    labels_valid((const char *)words, count * sizeof(*words)))
		number = labels_intern(labels, words, count);
	if (number == 0)
		return (0);
	*lost = 0;
	if (known != NULL) {
		known->id = (uint32_t)id;
		known->number = number;
		cache->count++;
	}
	return (number);
}

uint32_t
pp_labels_intern(struct pp_labels *labels, const char *text, uint32_t len)
{
	uint64_t words[SET_WORDS];

	if (len == 0 || len > sizeof(words) || len % sizeof(*words) != 0 ||
	    !labels_valid(text, len))
		return (0);
	memcpy(words, text, len);
	return (labels_intern(labels, words, len / sizeof(*words)));
}

uint32_t
pp_labels_count(const struct pp_labels *labels)
{
	return (labels->sets);
}

uint64_t
pp_labels_hash(const struct pp_labels *labels, uint32_t number)
{
	return (number == 0 ? 0 : labels->set[number].hash);
}

uint32_t
pp_labels_carry(struct pp_labels *to, const struct pp_labels *from,
    uint32_t number)
{
	if (number == 0)
		return (0);
	return (pp_labels_intern(to, from->set[number].text,
	    from->set[number].words * (uint32_t)sizeof(uint64_t)));
}

uint32_t
pp_labels_copy(struct pp_label_table *table, uint64_t id,
    char text[PP_LABELS_TEXT_MAX])
{
	struct pp_intern_table view = pp_intern_labels(table);
	uint64_t words[SET_WORDS];
	uint32_t count = 0;

	if (id < PP_LABEL_WORDS)
		count = pp_intern_read(&view, (uint32_t)id, words, SET_WORDS);
	memcpy(text, words, count * sizeof(*words));
	if (count == 0 || !labels_valid(text, count * sizeof(*words)))
		return (0);
	return (count * sizeof(*words));
}

const char *
pp_labels_text(const struct pp_labels *labels, uint32_t number)
{
	if (number == 0 || number > labels->sets)
		return ("");
	return (labels->set[number].text);
}

int
pp_labels_compare(const struct pp_labels *labels, uint32_t a, uint32_t b)
{
	const struct set *left = &labels->set[a], *right = &labels->set[b];
	uint32_t words;
	int order;

	if (a == b || a == 0 || b == 0)
		return ((a > b) - (a < b));
	words = left->words < right->words ? left->words : right->words;
	order = memcmp(left->text, right->text, words * sizeof(uint64_t));
	if (order != 0)
		return (order);
	return ((left->words > right->words) - (left->words < right->words));
}
