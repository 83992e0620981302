/*
 * What the thread is doing, as a set of labels: http.route, http.method, and
 * the application's own. A set is interned once. After that it is a number,
 * which a thread-local variable holds and every sample carries.
 *
 * Rule: pp_label_intern() is called outside of signal handlers; the swap is one
 * store.
 */
#ifndef PP_CAPTURE_LABEL_H
#define PP_CAPTURE_LABEL_H

#include <stdint.h>

#include "capture/self.h"

struct pp_label_pair {
	const char *key;
	const char *value;
};

/*
 * Returns the id of the set in the slot of this process; 0: there is no slot,
 * or the table is full (counted). Pairs beyond PP_LABELS_PER_SET and text
 * beyond PP_LABEL_SET_MAX are left out (counted). Another order is another set:
 * each caller always gives the same order.
 */
uint32_t pp_label_intern(const struct pp_label_pair *pair, unsigned int pairs);

/*
 * Add a label to the calling thread's set, until _pop(). If the set has the key
 * already, the value is replaced. Returns 0, or -1 with errno: EINVAL (empty
 * key, text too long), ENOSPC (PP_LABEL_DEPTH, no room in the set, or the table
 * is full), ENOTCONN (no slot).
 */
int pp_label_push(const char *key, const char *value);

/* Undo the last push. If there was none, nothing happens. */
void pp_label_pop(void);

/* The number of pushes that are not undone, and a way back to such a number:
 * for the caller of a handler that may forget to pop. */
extern __thread unsigned int pp_label_depth;

static inline void
pp_label_unwind(unsigned int depth)
{
	while (__builtin_expect(pp_label_depth > depth, 0))
		pp_label_pop();
}

/* Make `set` the calling thread's labels; returns what they were. */
static inline uint32_t
pp_label_swap(uint32_t set)
{
	uint32_t was = pp_label_now;

	pp_label_now = set;
	return (was);
}

#endif
