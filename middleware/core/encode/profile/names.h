/*
 * Numbers for texts, in the order of their first use: the string table of an
 * encoded file. Not interning: a text is known by its pointer, since the
 * profile has interned it. An equal text at another address only costs a second
 * entry.
 *
 * Rule: number 0 is "" and NULL. Failure is sticky and gives 0.
 */
#ifndef PP_ENCODE_PROFILE_NAMES_H
#define PP_ENCODE_PROFILE_NAMES_H

#include <stdint.h>

#include "profile/idmap.h"

/* A zeroed struct is an empty table. text[0] exists after the first call of
 * pp_names_number(), unless `failed` is set. */
struct pp_names {
	struct pp_idmap map;
	const char **text; /* by number; the texts are not owned */
	uint32_t used, room;
	int failed; /* out of memory */
};

/* Return the number of the text, which must outlive the table. */
int64_t pp_names_number(struct pp_names *names, const char *text);
void pp_names_free(struct pp_names *names);

#endif
