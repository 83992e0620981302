/*
 * The rows of all slots as one list: ids that mean something in one slot only
 * become canonical stacks and common labels. Entries that are equal then stay
 * apart here; heap.c merges them.
 */
#include <stdlib.h>
#include <string.h>

#include "counts/heap_private.h"
#include "store/rows.h"

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

/* Add the slot's rows to the end of the list, with the slot's own ids. */
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
		/* The row may be made while nothing is added to it yet. */
		if (row.alloc[0] != 0)
			list_row(list, slot, &row);
	}
}

void
pp_heap_reader_labels(const struct pp_heap_reader *reader, uint32_t slot,
    void (*tell)(void *, uint32_t, const int64_t[2]), void *arg)
{
	struct pp_slot *from = pp_heap_slot(reader, slot);
	struct pp_rows rows = pp_rows_heap(&from->heap);
	uint32_t used = pp_rows_used(&rows), i;
	struct pp_heap_row row;
	int64_t alloc[2];

	for (i = 0; i < used; i++) {
		if (atomic_load(&rows.row[i].key) == 0 ||
		    pp_heap_row_read(&from->heap, &rows.row[i], &row) == -1)
			continue;
		pp_heap_scale(row.alloc[0], row.alloc[1], row.rate, alloc);
		tell(arg, row.key.label, alloc);
	}
}

/* Turn the slot's own ids into common ids. This comes after the rows, since all
 * objects of the rows' stacks are known then. */
static void
list_resolve(struct pp_heap_list *list, uint32_t first, uint32_t slot)
{
	struct pp_heap_entry *entry;

	pp_resolve_slot(&list->ids, slot);
	for (; first < list->entries; first++) {
		entry = &list->entry[first];
		entry->stack = pp_resolve_stack(&list->ids, entry->stack);
		entry->label = pp_resolve_label(&list->ids, entry->label);
	}
}

int
pp_heap_list_read(struct pp_heap_list *list)
{
	const struct pp_heap_reader *reader = list->reader;
	uint32_t slot, first;

	/* The room is for full tables, since they may grow meanwhile; pages
	 * that are not written to cost nothing. */
	list->entry =
	    calloc((size_t)reader->slots * PP_HEAP_ROWS, sizeof(*list->entry));
	reader->resolver->words_max = reader->words_max;
	if (pp_resolve_begin(&list->ids, reader->resolver) == -1 ||
	    list->entry == NULL)
		return (-1);
	for (slot = 1; slot < reader->slots; slot++) {
		first = list->entries;
		list_rows(list, slot);
		if (list->entries != first)
			list_resolve(list, first, slot);
	}
	return (0);
}

void
pp_heap_list_free(struct pp_heap_list *list)
{
	free(list->entry);
	pp_resolve_end(&list->ids);
}
