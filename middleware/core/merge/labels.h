/*
 * Label sets of all workers under one number each: two workers that run the
 * same route have the same set, though each has its own id for it.
 *
 * Not the slots' tables (store/words.h): these are checked copies.
 *
 * Rule: a set that is not well formed is no set; the sample keeps its place
 * in the totals.
 */
#ifndef PP_MERGE_LABELS_H
#define PP_MERGE_LABELS_H

#include <stdint.h>

#include "store/arena.h"

/* Distinct sets kept: workers have the same routes, so a few times what one
 * worker can have. Power of two. */
#define PP_LABELS_MAX (4 * PP_LABEL_INDEX)

/* Longest text of a set, as pp_labels_text() has it. */
#define PP_LABELS_TEXT_MAX PP_LABEL_SET_MAX

struct pp_labels;

/* What is known already of one slot's ids. Zeroed: nothing. */
struct pp_label_cache {
	struct pp_label_known *known; /* private to labels.c */
	uint32_t count;
};

struct pp_labels *pp_labels_new(void);
void pp_labels_free(struct pp_labels *labels);
void pp_labels_forget(struct pp_label_cache *cache);

/*
 * Number of the slot's label set `id`. Returns 0 when there is none, and sets
 * *lost to 1 when there should have been one: it was damaged, or
 * PP_LABELS_MAX sets are known.
 */
uint32_t pp_labels_number(struct pp_labels *labels,
    struct pp_label_cache *cache, struct pp_label_table *table, uint64_t id,
    int *lost);

/* Number of the set with that text: as pp_labels_copy() gives it. 0: it is not
 * well formed, or PP_LABELS_MAX sets are known. */
uint32_t pp_labels_intern(struct pp_labels *labels, const char *text,
    uint32_t len);

/* How many there are; a hash of the set's text, 0 for no set. */
uint32_t pp_labels_count(const struct pp_labels *labels);
uint64_t pp_labels_hash(const struct pp_labels *labels, uint32_t number);

/* The number in `to` of a set that is in `from`; 0 for 0, and when it could not
 * be taken over. */
uint32_t pp_labels_carry(struct pp_labels *to, const struct pp_labels *from,
    uint32_t number);

/* A checked copy of the slot's label set `id`. Returns its length, padding
 * included; 0: there is none. */
uint32_t pp_labels_copy(struct pp_label_table *table, uint64_t id,
    char text[PP_LABELS_TEXT_MAX]);

/* An order of sets by their text, not by who came first. */
int pp_labels_compare(const struct pp_labels *labels, uint32_t a, uint32_t b);

/* The text of a set, "key\0value\0...\0" with an empty key at its end; "" for
 * 0 and for numbers that are not there. Owned by `labels`. */
const char *pp_labels_text(const struct pp_labels *labels, uint32_t number);

#endif
