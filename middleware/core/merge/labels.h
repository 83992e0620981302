/*
 * The label sets of all workers, under one number each: two workers that run
 * the same route have the same set, though each has its own id for the set.
 *
 * These are checked copies; the slots' own tables are in store/intern.h.
 *
 * Rule: a set that is not well formed is no set; its sample still counts in the
 * totals. One thread.
 */
#ifndef PP_MERGE_LABELS_H
#define PP_MERGE_LABELS_H

#include <stdint.h>

#include "store/arena.h"

/* How many distinct sets are kept. Workers have the same routes, so this is a
 * few times what one worker can have. Power of two. */
#define PP_LABELS_MAX (4 * PP_LABEL_INDEX)

/* The longest text of a set, in bytes, as pp_labels_text() gives it. */
#define PP_LABELS_TEXT_MAX PP_LABEL_SET_MAX

struct pp_labels;

/* The numbers that are known already for one slot's ids. A zeroed cache is
 * empty. */
struct pp_label_cache {
	struct pp_label_known *known; /* private to labels.c */
	uint32_t count;
};

/* _new() returns NULL when out of memory. _forget() empties a cache and frees
 * its memory. */
struct pp_labels *pp_labels_new(void);
void pp_labels_free(struct pp_labels *labels);
void pp_labels_forget(struct pp_label_cache *cache);

/*
 * Returns the number of the slot's label set `id`, or 0 if there is none. *lost
 * is 1 if there should have been one: the set was damaged, PP_LABELS_MAX sets
 * are known, or there is no memory.
 */
uint32_t pp_labels_number(struct pp_labels *labels,
    struct pp_label_cache *cache, struct pp_label_table *table, uint64_t id,
    int *lost);

/* Returns the number of the set with that text, of `len` bytes as
 * pp_labels_copy() gives it. 0: the text is not well formed, PP_LABELS_MAX sets
 * are known, or there is no memory. */
uint32_t pp_labels_intern(struct pp_labels *labels, const char *text,
    uint32_t len);

/* How many sets there are; and a hash of a set's text, 0 for no set. */
uint32_t pp_labels_count(const struct pp_labels *labels);
uint64_t pp_labels_hash(const struct pp_labels *labels, uint32_t number);

/* Returns the number in `to` of a set that is in `from`. 0 gives 0, and so does
 * a set that could not be taken over. */
uint32_t pp_labels_carry(struct pp_labels *to, const struct pp_labels *from,
    uint32_t number);

/* Copy the slot's label set `id`, checked. Returns its length in bytes, padding
 * included; 0: there is none. */
uint32_t pp_labels_copy(struct pp_label_table *table, uint64_t id,
    char text[PP_LABELS_TEXT_MAX]);

/* Compare two sets by their text, for an order that does not depend on who came
 * first. */
int pp_labels_compare(const struct pp_labels *labels, uint32_t a, uint32_t b);

/* Returns the text of a set, "key\0value\0...\0" with an empty key at its end;
 * "" for 0 and for numbers that are not there. The text is owned by `labels`.
 */
const char *pp_labels_text(const struct pp_labels *labels, uint32_t number);

#endif
