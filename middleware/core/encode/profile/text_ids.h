/*
 * Numbers for texts, in the order of their first use: the string table of an
 * encoded file. Not interning: a text is known by its pointer, since the
 * profile has interned it. An equal text at another address only costs a second
 * entry.
 *
 * Rule: number 0 is "" and NULL. Failure is sticky and gives 0.
 */
#ifndef PP_ENCODE_PROFILE_TEXT_IDS_H
#define PP_ENCODE_PROFILE_TEXT_IDS_H

#include <stdint.h>

#include "profile/idmap.h"

/* A zeroed struct is an empty table. text[0] exists after the first call of
 * pp_text_ids_number(), unless `failed` is set. */
struct pp_text_ids {
	struct pp_idmap map;
	const char **text; /* by number; the texts are not owned */
	uint32_t used, room;
	int failed; /* out of memory */
};

/* Return the number of the text, which must outlive the table. */
int64_t pp_text_ids_number(struct pp_text_ids *names, const char *text);
void pp_text_ids_free(struct pp_text_ids *names);

#endif
