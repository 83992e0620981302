/*
 * Two open-addressing indexes, of answers and of texts, that double when they
 * fill up. Entries are never removed one by one, so that probing needs no
 * tombstones.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mix.h"
#include "symbol/cache.h"

#define TEXT_CHUNK (64U << 10)

struct answer {
	uint64_t vaddr;
	uint32_t first;
	uint16_t file;
	uint8_t frames;
	uint8_t named;
};

struct chunk {
	struct chunk *next;
	size_t used;
	char text[TEXT_CHUNK];
};

struct pp_cache {
	struct answer *answer;
	uint32_t answers, answer_room;
	struct pp_frame *frame;
	uint32_t frames, frame_room;
	uint32_t *index; /* of answers, number + 1; a power of two long */
	uint32_t index_len;
	const char **text; /* set of texts; a power of two long */
	uint32_t texts, text_len;
	struct chunk *chunk;
	size_t text_bytes;
};

struct pp_cache *
pp_cache_new(void)
{
	return (calloc(1, sizeof(struct pp_cache)));
}

void
pp_cache_empty(struct pp_cache *c)
{
	struct chunk *chunk;

	while ((chunk = c->chunk) != NULL) {
		c->chunk = chunk->next;
		free(chunk);
	}
	free(c->answer);
	free(c->frame);
	free(c->index);
	free(c->text);
	memset(c, 0, sizeof(*c));
}

void
pp_cache_free(struct pp_cache *c)
{
	if (c == NULL)
		return;
	pp_cache_empty(c);
	free(c);
}

int
pp_cache_has_room(const struct pp_cache *c)
{
	/* The end of a chunk can stay empty by the length of one name at
	 * most. */
	return (c->answers < PP_CACHE_ANSWERS_MAX &&
	    c->frames + PP_INLINES_MAX <= PP_CACHE_FRAMES_MAX &&
	    c->text_bytes + 2 * PP_INLINES_MAX * (PP_CACHE_NAME_MAX + 1) <=
		PP_CACHE_TEXT_MAX);
}

/* Return the place of `text`, or the free one that it would get. The set is
 * never full. */
static const char **
text_slot(const char **set, uint32_t len, const char *text, size_t text_len)
{
	uint32_t i = (uint32_t)pp_mix_text(text, text_len) & (len - 1);

	while (set[i] != NULL &&
	    (strncmp(set[i], text, text_len) != 0 || set[i][text_len] != '\0'))
		i = (i + 1) & (len - 1);
	return (&set[i]);
}

static int
text_grow(struct pp_cache *c)
{
	uint32_t len = c->text_len == 0 ? 1024 : c->text_len * 2, i;
	const char **set;

	if (c->texts + 1 <= c->text_len / 2)
		return (0);
	if ((set = calloc(len, sizeof(*set))) == NULL)
		return (-1);
	for (i = 0; i < c->text_len; i++) {
		if (c->text[i] != NULL)
			*text_slot(set, len, c->text[i], strlen(c->text[i])) =
			    c->text[i];
	}
	free(c->text);
	c->text = set;
	c->text_len = len;
	return (0);
}

static char *
text_room(struct pp_cache *c, size_t size)
{
	struct chunk *chunk = c->chunk;
	char *room;

	if (chunk == NULL || chunk->used + size > TEXT_CHUNK) {
		if (c->text_bytes + TEXT_CHUNK > PP_CACHE_TEXT_MAX ||
		    (chunk = malloc(sizeof(*chunk))) == NULL)
			return (NULL);
		chunk->next = c->chunk;
		chunk->used = 0;
		c->chunk = chunk;
		c->text_bytes += TEXT_CHUNK;
	}
	room = chunk->text + chunk->used;
	chunk->used += size;
	return (room);
}

const char *
pp_cache_text(struct pp_cache *c, const char *text)
{
	const char **slot;
	size_t len;
	char *copy;

	if (text == NULL || text[0] == '\0')
		return ("");
	len = strnlen(text, PP_CACHE_NAME_MAX);
	if (text_grow(c) == -1)
		return ("");
	slot = text_slot(c->text, c->text_len, text, len);
	if (*slot == NULL) {
		if ((copy = text_room(c, len + 1)) == NULL)
			return ("");
		memcpy(copy, text, len);
		copy[len] = '\0';
		*slot = copy;
		c->texts++;
	}
	return (*slot);
}

static uint32_t
answer_slot(const struct pp_cache *c, int file, uint64_t vaddr)
{
	uint64_t hash = pp_mix(pp_mix(0, (uint64_t)file), vaddr);
	uint32_t i = (uint32_t)hash & (c->index_len - 1);
	const struct answer *a;

	for (; c->index[i] != 0; i = (i + 1) & (c->index_len - 1)) {
		a = &c->answer[c->index[i] - 1];
		if (a->vaddr == vaddr && a->file == file)
			break;
	}
	return (i);
}

uint32_t
pp_cache_get(const struct pp_cache *c, int file, uint64_t vaddr,
    struct pp_frame out[PP_INLINES_MAX], int *named)
{
	const struct answer *a;
	uint32_t number;

	if (c->index_len == 0 ||
	    (number = c->index[answer_slot(c, file, vaddr)]) == 0)
		return (0);
	a = &c->answer[number - 1];
	memcpy(out, &c->frame[a->first], a->frames * sizeof(*out));
	*named = a->named;
	return (a->frames);
}

/* Make room for one more answer in the three arrays. Returns -1 when out of
 * memory. */
static int
answer_grow(struct pp_cache *c)
{
	uint32_t room, i;
	void *more;

	if (c->answers == c->answer_room) {
		room = c->answer_room == 0 ? 512 : c->answer_room * 2;
		more = realloc(c->answer, room * sizeof(*c->answer));
		if (more == NULL)
			return (-1);
		c->answer = more;
		c->answer_room = room;
	}
	if (c->frames + PP_INLINES_MAX > c->frame_room) {
		room = c->frame_room == 0 ? 1024 : c->frame_room * 2;
		more = realloc(c->frame, room * sizeof(*c->frame));
		if (more == NULL)
			return (-1);
		c->frame = more;
		c->frame_room = room;
	}
	if (c->answers + 1 > c->index_len / 2) {
		room = c->index_len == 0 ? 1024 : c->index_len * 2;
		if ((more = calloc(room, sizeof(*c->index))) == NULL)
			return (-1);
		free(c->index);
		c->index = more;
		c->index_len = room;
		for (i = 0; i < c->answers; i++)
			c->index[answer_slot(c, c->answer[i].file,
			    c->answer[i].vaddr)] = i + 1;
	}
	return (0);
}

void
pp_cache_put(struct pp_cache *c, int file, uint64_t vaddr,
    const struct pp_frame *frame, uint32_t frames, int named)
{
	struct answer *a;
	uint32_t slot;

	if (frames == 0 || frames > PP_INLINES_MAX || !pp_cache_has_room(c) ||
	    answer_grow(c) == -1)
		return;
	slot = answer_slot(c, file, vaddr);
	if (c->index[slot] != 0)
		return;
	a = &c->answer[c->answers];
	a->vaddr = vaddr;
	a->file = (uint16_t)file;
	a->first = c->frames;
	a->frames = (uint8_t)frames;
	a->named = named != 0;
	memcpy(&c->frame[c->frames], frame, frames * sizeof(*frame));
	c->frames += frames;
	c->index[slot] = ++c->answers;
}
