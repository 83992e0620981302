/*
 * A pool of interned text: the same text is the same pointer, and all text is
 * valid UTF-8. The pool is not the string table of a file format: the encoder
 * makes the ids on the wire.
 *
 * Rule: text is freed by pp_strings_free() only. Until then pointers stay
 * valid.
 */
#ifndef PP_PROFILE_STRINGS_H
#define PP_PROFILE_STRINGS_H

#include "profile/idmap.h"

/* A zeroed struct is an empty pool. */
struct pp_strings {
	struct pp_strings_chunk *chunk; /* owned, the newest first */
	struct pp_idmap map;
	const char **text; /* by id - 1 */
	uint32_t used, room;
};

/* Returns the pool's copy of the text, in which each byte that is not part of
 * valid UTF-8 is replaced by U+FFFD. NULL gives "". Returns NULL when out of
 * memory; "" never fails. */
const char *pp_strings_intern(struct pp_strings *strings, const char *text);

/* Free all text; the pool is then empty. */
void pp_strings_free(struct pp_strings *strings);

#endif
