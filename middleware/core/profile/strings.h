/*
 * Interned text: the same text is the same pointer, and all of it is valid
 * UTF-8. Not the string table of a file format: ids on the wire are the
 * encoder's.
 *
 * Rule: nothing is given back before pp_strings_free(); pointers stay valid
 * until then, they never move.
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

/* The one copy of the text, with each byte that is not part of valid UTF-8
 * replaced by U+FFFD. NULL gives "". Returns NULL when out of memory; "" never
 * fails. */
const char *pp_strings_intern(struct pp_strings *strings, const char *text);

void pp_strings_free(struct pp_strings *strings);

#endif
