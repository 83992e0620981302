/*
 * See strings.h. Text is copied into chunks.
 *
 * Symbol names, file names and routes come from files and configurations in any
 * encoding, while Pyroscope and Parca refuse a whole profile for one string
 * that is not UTF-8. So text is mended here, where all text passes.
 *
 * Rule: text in a chunk is never moved or changed.
 */
#include "profile/strings.h"

#include <stdlib.h>
#include <string.h>

#include "base/mix.h"

/* A chunk holds the text of a small profile. A text longer than a quarter of
 * that gets a chunk of its own, so that little is left unused at the end of the
 * other chunks. */
#define PP_STRINGS_CHUNK 16384
#define PP_STRINGS_FIRST 64

struct pp_strings_chunk {
	struct pp_strings_chunk *next;
	size_t used, room;
	char text[];
};

/* A text that is looked for. */
struct pp_strings_key {
	const char *text;
	size_t len;
};

static const char *pp_strings_put(struct pp_strings *, struct pp_strings_key);
static char *pp_strings_mend(const char *);
static char *pp_strings_room(struct pp_strings *, size_t);
static int pp_strings_same(const void *, uint32_t, const void *);
static size_t pp_strings_utf8(const char *);

const char *
pp_strings_intern(struct pp_strings *strings, const char *text)
{
	struct pp_strings_key key = { .text = text };
	const char *interned;
	char *mended;
	size_t len;

	if (text == NULL || *text == '\0')
		return ("");
	while (key.text[key.len] != '\0') {
		if ((len = pp_strings_utf8(key.text + key.len)) == 0)
			break;
		key.len += len;
	}
	if (key.text[key.len] == '\0')
		return (pp_strings_put(strings, key));

	if ((mended = pp_strings_mend(text)) == NULL)
		return (NULL);
	key.text = mended;
	key.len = strlen(mended);
	interned = pp_strings_put(strings, key);
	free(mended);
	return (interned);
}

void
pp_strings_free(struct pp_strings *strings)
{
	struct pp_strings_chunk *chunk;

	while ((chunk = strings->chunk) != NULL) {
		strings->chunk = chunk->next;
		free(chunk);
	}
	pp_idmap_free(&strings->map);
	free(strings->text);
	strings->text = NULL;
	strings->used = 0;
	strings->room = 0;
}

static const char *
pp_strings_put(struct pp_strings *strings, struct pp_strings_key key)
{
	uint64_t hash = pp_mix_text(key.text, key.len);
	const char **texts;
	uint32_t id, room;
	char *copy;

	id = pp_idmap_find(&strings->map, hash, pp_strings_same, strings, &key);
	if (id != 0)
		return (strings->text[id - 1]);

	if (strings->used == strings->room) {
		if (strings->room > UINT32_MAX / 2)
			return (NULL);
		room =
		    strings->room != 0 ? strings->room * 2 : PP_STRINGS_FIRST;
		texts = realloc(strings->text, (size_t)room * sizeof(*texts));
		if (texts == NULL)
			return (NULL);
		strings->text = texts;
		strings->room = room;
	}
	if ((copy = pp_strings_room(strings, key.len + 1)) == NULL)
		return (NULL);
	memcpy(copy, key.text, key.len);
	copy[key.len] = '\0';
	if (pp_idmap_add(&strings->map, hash, strings->used + 1) == -1)
		return (NULL);
	strings->text[strings->used++] = copy;
	return (copy);
}

/* Returns a copy in which each bad byte is U+FFFD, three bytes long. The caller
 * frees it. NULL: out of memory. */
static char *
pp_strings_mend(const char *text)
{
	char *mended, *to;
	size_t len;

	if ((mended = malloc(strlen(text) * 3 + 1)) == NULL)
		return (NULL);
	for (to = mended; *text != '\0';) {
		if ((len = pp_strings_utf8(text)) != 0) {
			memcpy(to, text, len);
			to += len;
			text += len;
		} else {
			memcpy(to, "\xef\xbf\xbd", 3);
			to += 3;
			text++;
		}
	}
	*to = '\0';
	return (mended);
}

static char *
pp_strings_room(struct pp_strings *strings, size_t len)
{
	struct pp_strings_chunk *chunk = strings->chunk;
	size_t room = len > PP_STRINGS_CHUNK / 4 ? len : PP_STRINGS_CHUNK;
	char *text;

	if (chunk == NULL || chunk->room - chunk->used < len) {
		if ((chunk = malloc(sizeof(*chunk) + room)) == NULL)
			return (NULL);
		chunk->used = 0;
		chunk->room = room;
		if (room == len && strings->chunk != NULL) {
			/* The new chunk is full at once, so the chunk with room
			 * stays in front. */
			chunk->next = strings->chunk->next;
			strings->chunk->next = chunk;
		} else {
			chunk->next = strings->chunk;
			strings->chunk = chunk;
		}
	}
	text = chunk->text + chunk->used;
	chunk->used += len;
	return (text);
}

static int
pp_strings_same(const void *owner, uint32_t id, const void *key)
{
	const struct pp_strings *strings = owner;
	const struct pp_strings_key *wanted = key;
	const char *text = strings->text[id - 1];

	/* Neither text has a NUL within, so the first `len` bytes decide. */
	return (strncmp(text, wanted->text, wanted->len) == 0 &&
	    text[wanted->len] == '\0');
}

/* Returns the length of the valid UTF-8 sequence (RFC 3629) at `text`, or 0.
 * Overlong forms, surrogates and numbers above U+10FFFF are not valid. If the
 * text ends within a sequence, its NUL ends the loop. */
static size_t
pp_strings_utf8(const char *text)
{
	unsigned char first = (unsigned char)text[0];
	unsigned char second = (unsigned char)text[1];
	unsigned char low = 0x80, high = 0xbf;
	size_t len, i;

	if (first < 0x80)
		return (1);
	if (first < 0xc2 || first > 0xf4)
		return (0);
	len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (second < low || second > high)
		return (0);
	for (i = 2; i < len; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return (0);
	}
	return (len);
}
