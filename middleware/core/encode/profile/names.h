/*
 * Numbers for texts, in the order of their first use: the string table of an
 * encoded file. Not interning: knows a text by its pointer, since the profile
 * has interned it. Equal text at two places only costs a second entry.
 *
 * Rule: 0 is "" (and NULL). Failure is sticky and gives 0.
 */
#ifndef PP_ENCODE_PROFILE_NAMES_H
#define PP_ENCODE_PROFILE_NAMES_H

#include <stdint.h>

#include "profile/idmap.h"

/* A zeroed struct is an empty table; text[0] is there once a number other
 * than 0 was given or pp_names_number(names, "") was asked. */
struct pp_names {
	struct pp_idmap map;
	const char **text; /* by number; the texts are not owned */
	uint32_t used, room;
	int failed; /* out of memory */
};

int64_t pp_names_number(struct pp_names *names, const char *text);
void pp_names_free(struct pp_names *names);

#endif
