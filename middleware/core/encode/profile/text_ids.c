/*
 * String numbers by first use; see text_ids.h.
 *
 * Rule: pointers are hashed, but nothing is ordered by them, so that the
 * addresses of texts do not show in the output.
 */
#include "encode/profile/text_ids.h"

#include <stdlib.h>

#include "base/mix.h"

#define PP_NAMES_FIRST 64

static int pp_names_add(struct pp_text_ids *, const char *);
static pp_idmap_same pp_names_same;

int64_t
pp_text_ids_number(struct pp_text_ids *names, const char *text)
{
	uint64_t hash = pp_mix(0, (uint64_t)(uintptr_t)text);
	uint32_t id;

	if (names->used == 0 && pp_names_add(names, "") == -1)
		return (0);
	if (names->failed || text == NULL || *text == '\0')
		return (0);

	/* Entry 0 is never looked for, so that ids and numbers are the same. */
	id = pp_idmap_find(&names->map, hash, pp_names_same, names, text);
	if (id != 0)
		return (id);
	id = names->used;
	if (pp_names_add(names, text) == -1)
		return (0);
	if (pp_idmap_add(&names->map, hash, id) == -1) {
		names->failed = 1;
		return (0);
	}
	return (id);
}

void
pp_text_ids_free(struct pp_text_ids *names)
{
	pp_idmap_free(&names->map);
	free(names->text);
	names->text = NULL;
	names->used = 0;
	names->room = 0;
	names->failed = 0;
}

static int
pp_names_add(struct pp_text_ids *names, const char *text)
{
	uint32_t room = names->room != 0 ? names->room : PP_NAMES_FIRST / 2;
	const char **texts = names->text;

	if (names->failed)
		return (-1);
	if (names->used == names->room) {
		if (room > UINT32_MAX / 2 ||
		    (texts = realloc(texts,
			 (size_t)room * 2 * sizeof(*texts))) == NULL) {
			names->failed = 1;
			return (-1);
		}
		names->text = texts;
		names->room = room * 2;
	}
	texts[names->used++] = text;
	return (0);
}

static int
pp_names_same(const void *owner, uint32_t id, const void *key)
{
	const struct pp_text_ids *names = owner;

	return (names->text[id] == key);
}
