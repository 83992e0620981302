/*
 * The rows of all slots as one list: ids that mean something in one slot only
 * become canonical stacks and common labels. What is the same then is still
 * two entries here. See heap.c.
 */
#include <stdlib.h>
#include <string.h>

#include "profile/heap_private.h"
#include "store/rows.h"
#include "store/words.h"

static void
list_row(struct pp_heap_list *list, uint32_t slot,
    const struct pp_heap_row *row)
{
	struct pp_heap_entry *entry = &list->entry[list->entries++];
	int64_t inuse[2];

	entry->slot = slot;
	entry->stack = row->key.stack;
	entry->label = row->key.label;
	entry->size_class = row->key.size_class;
	pp_heap_scale(row->inuse[0], row->inuse[1], row->rate, inuse);
	list->view->live[slot] += (uint64_t)inuse[1];
	if (list->raw) {
		pp_heap_scale(row->inuse[0], row->inuse[1], 1, inuse);
		pp_heap_scale(row->alloc[0], row->alloc[1], 1, entry->value);
	} else {
		pp_heap_scale(row->alloc[0], row->alloc[1], row->rate,
		    entry->value);
	}
	entry->value[PP_HEAP_TYPE_INUSE_OBJECTS] = inuse[0];
	entry->value[PP_HEAP_TYPE_INUSE_SPACE] = inuse[1];
}

/* The slot's rows to the end of the list, with the slot's own ids. */
static void
list_rows(struct pp_heap_list *list, uint32_t slot)
{
	struct pp_slot *from = pp_heap_slot(list->reader, slot);
	struct pp_rows rows = pp_rows_heap(&from->heap);
	uint32_t used = pp_rows_used(&rows), i;
	int alive = atomic_load(&from->life.pid) != 0;
	struct pp_heap_row row;

	for (i = 0; i < used; i++) {
		if (atomic_load(&rows.row[i].key) == 0)
			continue;
		if (pp_heap_row_read(&from->heap, &rows.row[i], &row) == -1) {
			list->rows_malformed++;
			continue;
		}
		if (!alive)
			memset(row.inuse, 0, sizeof(row.inuse));
		/* Made, and nothing added to it yet. */
		if (row.alloc[0] != 0)
			list_row(list, slot, &row);
	}
}

/* The slot's stack under its canonical addresses. */
static uint32_t
list_stack(struct pp_heap_list *list, uint32_t slot, uint32_t id)
{
	struct pp_slot *from = pp_heap_slot(list->reader, slot);
	struct pp_words table = pp_words_stacks(&from->stacks);
	uint64_t word[1 + PP_FRAMES_MAX];
	uint32_t count, i, stack;

	if (id == 0)
		return (PP_STACKS_NONE);
	count = pp_words_read(&table, id, word, 1 + PP_FRAMES_MAX);
	if (count < 2) {
		list->stacks_unreadable++;
		return (PP_STACKS_NONE);
	}
	/* We know where each caller goes on; the call is before that. */
	for (i = 1; i < count; i++)
		word[i] = pp_readings_address_then(&list->reader->reading[slot],
		    word[i] > 0 ? word[i] - 1 : 0, word[0]);
	stack = pp_stacks_intern(list->stacks, word + 1, count - 1);
	if (stack == PP_STACKS_NONE)
		list->stacks_dropped++;
	return (stack);
}

/* Common ids for the slot's own. `known` has an entry for each id that a
 * stack can have, all 0 before and after. */
static void
list_resolve(struct pp_heap_list *list, uint32_t first, uint32_t slot,
    uint32_t *known)
{
	struct pp_slot *from = pp_heap_slot(list->reader, slot);
	struct pp_label_cache cache = { 0 };
	struct pp_heap_entry *entry;
	uint32_t i, id;
	int lost;

	/* After the rows: whatever object a row's stack knew is there now. */
	(void)pp_readings_follow(&list->reader->reading[slot], &from->objects,
	    list->reader->canon);
	for (i = first; i < list->entries; i++) {
		entry = &list->entry[i];
		entry->label = pp_labels_number(list->labels, &cache,
		    &from->labels, entry->label, &lost);
		list->labels_unreadable += (uint64_t)lost;
		id = entry->stack;
		if (id >= PP_STACK_WORDS)
			list->stacks_unreadable++;
		else if (known[id] == 0)
			known[id] = 1 + list_stack(list, slot, id);
	}
	for (i = first; i < list->entries; i++) {
		entry = &list->entry[i];
		id = entry->stack;
		entry->stack =
		    id < PP_STACK_WORDS ? known[id] - 1 : PP_STACKS_NONE;
	}
	memset(known, 0, PP_STACK_WORDS * sizeof(*known));
	pp_labels_forget(&cache);
}

int
pp_heap_list_read(struct pp_heap_list *list)
{
	const struct pp_heap_reader *reader = list->reader;
	uint32_t slot, first, *known;

	/* For whatever a table can hold, since it may grow meanwhile; pages
	 * that are not written to cost nothing. */
	list->entry =
	    calloc((size_t)reader->slots * PP_HEAP_ROWS, sizeof(*list->entry));
	list->stacks = pp_stacks_new(reader->words_max);
	list->labels = pp_labels_new();
	known = calloc(PP_STACK_WORDS, sizeof(*known));
	if (list->entry == NULL || list->stacks == NULL ||
	    list->labels == NULL || known == NULL) {
		free(known);
		return (-1);
	}
	for (slot = 1; slot < reader->slots; slot++) {
		first = list->entries;
		list_rows(list, slot);
		if (list->entries != first)
			list_resolve(list, first, slot, known);
	}
	free(known);
	return (0);
}

void
pp_heap_list_free(struct pp_heap_list *list)
{
	free(list->entry);
	pp_stacks_free(list->stacks);
	pp_labels_free(list->labels);
}
