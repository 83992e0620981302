/*
 * Interning of label sets; see label.h. Not in signal handlers, but in the
 * path of a request: no allocation, no system call.
 */
#include <string.h>

#include "capture/label.h"
#include "store/words.h"

/* Append "text\0"; returns 0 when it did not fit. */
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
	struct pp_words table;
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
	table = pp_words_labels(&pp_self.slot->labels);
	id = pp_words_put(&table, set.words,
	    (uint32_t)(used / sizeof(uint64_t)));
	if (id == 0)
		pp_slot_lose(pp_self.slot, PP_LOSS_LABELS_DROPPED, 1);
	return (id);
}
