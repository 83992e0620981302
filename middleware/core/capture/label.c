/*
 * Interning of label sets; see label.h. This code runs in the path of a
 * request, not in signal handlers: no allocation, no system call.
 */
#include <errno.h>
#include <string.h>

#include "capture/label.h"
#include "store/intern.h"

/* Append "text\0". Returns 0 if there was no room. */
static int
label_append(char *set, size_t *used, const char *text)
{
	size_t len = strlen(text) + 1;

	if (len > PP_LABEL_SET_MAX - *used)
		return (0);
	memcpy(set + *used, text, len);
	*used += len;
	return (1);
}

uint32_t
pp_label_intern(const struct pp_label_pair *pair, unsigned int pairs)
{
	union {
		char text[PP_LABEL_SET_MAX];
		uint64_t words[PP_LABEL_SET_MAX / sizeof(uint64_t)];
	} set;
	struct pp_intern_table table;
	size_t used, before;
	unsigned int i;
	uint32_t id;

	if (pp_self.slot == NULL || pairs == 0)
		return (0);
	used = 0;
	for (i = 0; i < pairs; i++) {
		before = used;
		if (i < PP_LABELS_PER_SET &&
		    label_append(set.text, &used, pair[i].key) &&
		    label_append(set.text, &used, pair[i].value))
			continue;
		used = before;
		pp_slot_lose(pp_self.slot, PP_LOSS_LABELS_DROPPED, 1);
	}
	if (used == 0)
		return (0);
	while (used % sizeof(uint64_t) != 0)
		set.text[used++] = '\0';
	table = pp_intern_labels(&pp_self.slot->labels);
	id = pp_intern_put(&table, set.words,
	    (uint32_t)(used / sizeof(uint64_t)));
	if (id == 0)
		pp_slot_lose(pp_self.slot, PP_LOSS_LABELS_DROPPED, 1);
	return (id);
}

static __thread uint32_t label_before[PP_LABEL_DEPTH];
__thread unsigned int pp_label_depth;

/* Reads the pairs of a set, as many as there is room for. `text` must outlive
 * them. */
static unsigned int
label_pairs(uint32_t set, uint64_t *words, struct pp_label_pair *pair)
{
	struct pp_intern_table table = pp_intern_labels(&pp_self.slot->labels);
	const char *at = (const char *)words, *end;
	unsigned int pairs = 0;

	end = at +
	    pp_intern_read(&table, set, words,
		PP_LABEL_SET_MAX / sizeof(*words)) *
		sizeof(*words);
	while (at < end && *at != '\0' && pairs < PP_LABELS_PER_SET) {
		pair[pairs].key = at;
		at += strlen(at) + 1;
		if (at >= end)
			break;
		pair[pairs++].value = at;
		at += strlen(at) + 1;
	}
	return (pairs);
}

static int
label_fits(const struct pp_label_pair *pair, unsigned int pairs)
{
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < pairs; i++)
		used += strlen(pair[i].key) + strlen(pair[i].value) + 2;
	return (pairs <= PP_LABELS_PER_SET && used <= PP_LABEL_SET_MAX);
}

int
pp_label_push(const char *key, const char *value)
{
	struct pp_label_pair pair[PP_LABELS_PER_SET + 1];
	uint64_t words[PP_LABEL_SET_MAX / sizeof(uint64_t) + 1];
	unsigned int pairs = 0, i;
	uint32_t set;

	if (pp_self.worker == 0) {
		errno = ENOTCONN;
		return (-1);
	}
	if (key[0] == '\0' ||
	    strlen(key) + strlen(value) + 2 > PP_LABEL_SET_MAX) {
		errno = EINVAL;
		return (-1);
	}
	memset(words, 0, sizeof(words));
	if (pp_label_now != 0)
		pairs = label_pairs(pp_label_now, words, pair);
	for (i = 0; i < pairs && strcmp(pair[i].key, key) != 0; i++)
		;
	pair[i].key = key;
	pair[i].value = value;
	pairs += i == pairs;
	set = 0;
	if (pp_label_depth < PP_LABEL_DEPTH && label_fits(pair, pairs))
		set = pp_label_intern(pair, pairs);
	if (set == 0) {
		errno = ENOSPC;
		return (-1);
	}
	label_before[pp_label_depth++] = pp_label_swap(set);
	return (0);
}

void
pp_label_pop(void)
{
	if (pp_label_depth > 0)
		(void)pp_label_swap(label_before[--pp_label_depth]);
}
