/*
 * A session's table as bytes, and back: 15 minutes of samples must cost little
 * memory.
 *
 *     labels   count, then length and text of each
 *     lines    slot, pid, tid, label + 1, samples, ns, words, then each word
 *              as the difference to the one before
 *
 * All numbers are varints; the addresses of callers are near each other, so
 * that a word takes 3 to 6 bytes instead of 8.
 */
#include <stdlib.h>
#include <string.h>

#include "base/varint.h"
#include "cpu/recorder_private.h"

/* The label sets of one slice, by the numbers of the session. */
struct label_map {
	uint32_t *index; /* by number: place + 1; 0: none yet */
	uint32_t *order; /* numbers */
	uint32_t used;
};

static void
put(struct pp_buf *buf, uint64_t value)
{
	uint8_t bytes[PP_VARINT_MAX];

	pp_buf_append(buf, bytes, pp_varint(bytes, value));
}

static uint32_t
map_label(struct label_map *map, uint32_t number)
{
	if (number == 0 || number > PP_LABELS_MAX)
		return (0);
	if (map->index[number] == 0) {
		map->order[map->used++] = number;
		map->index[number] = map->used;
	}
	return (map->index[number]);
}

static void
pack_line(const struct pp_cpu_session *session,
    const struct pp_cpu_entry *entry, struct label_map *map, struct pp_buf *out)
{
	uint64_t last = 0, step;
	const uint64_t *word;
	uint32_t count, i;

	word = pp_stacks_get(session->cpu->stacks, entry->key.stack, &count);
	put(out, entry->key.slot);
	put(out, (uint32_t)entry->key.pid);
	put(out, (uint32_t)entry->key.tid);
	put(out, map_label(map, entry->key.label));
	put(out, entry->samples);
	put(out, entry->ns);
	put(out, count);
	for (i = 0; i < count; i++) {
		step = word[i] - last;
		last = word[i];
		/* The sign goes to the lowest bit: a small difference of either
		 * sign stays a small number. */
		put(out, step << 1 ^ (step >> 63 ? UINT64_MAX : 0));
	}
}

static void
pack_labels(const struct pp_cpu_session *session, const struct label_map *map,
    struct pp_buf *out)
{
	const char *text, *at;
	uint32_t i, len;

	put(out, map->used);
	for (i = 0; i < map->used; i++) {
		text = pp_labels_text(session->cpu->labels, map->order[i]);
		for (at = text; *at != '\0'; at += strlen(at) + 1)
			at += strlen(at) + 1;
		len = (uint32_t)(at - text);
		put(out, len);
		pp_buf_append(out, text, len);
	}
}

static void
pack_lines(const struct pp_cpu_session *session, struct pp_slice *slice,
    struct label_map *map, struct pp_buf *out)
{
	const struct pp_cpu_entry *entry;
	uint32_t i;

	for (i = 0; i <= session->entries; i++) {
		entry = i < session->entries ? &session->entry[i]
					     : &session->overflow;
		if (entry->ns == 0)
			continue;
		pack_line(session, entry, map, out);
		slice->sampled_s += (double)entry->ns / PP_NS_PER_SEC;
	}
}

static void
pack_head(const struct pp_cpu_session *session, struct pp_slice *slice)
{
	slice->begun_ns = session->mono_ns;
	slice->ended_ns = session->mono_ns + session->duration_ns;
	slice->wall_ns = session->wall_ns;
	slice->kernel_s = session->kernel_s;
	slice->children_s = session->children_s;
	slice->workers = session->workers;
	slice->restarts = session->restarts;
	slice->malformed = session->malformed;
	slice->dropped = session->dropped;
	slice->labels_lost = session->labels_lost;
	memcpy(slice->loss, session->loss, sizeof(slice->loss));
}

int
pp_slice_pack(const struct pp_cpu_session *session, struct pp_slice *slice)
{
	struct label_map map = { 0 };
	struct pp_buf lines = { .limit = PP_RECORDER_BYTES / 2 };
	char *exact;
	int failed;

	pack_head(session, slice);
	map.index = calloc(PP_LABELS_MAX + 1, sizeof(*map.index));
	map.order = calloc(PP_LABELS_MAX + 1, sizeof(*map.order));
	if (map.index != NULL && map.order != NULL) {
		pack_lines(session, slice, &map, &lines);
		pack_labels(session, &map, &slice->data);
		pp_buf_append(&slice->data, lines.data, lines.len);
	}
	failed = map.index == NULL || map.order == NULL || lines.failed ||
	    slice->data.failed;
	free(map.index);
	free(map.order);
	pp_buf_free(&lines);
	if (failed)
		return (-1);
	exact = realloc(slice->data.data, slice->data.len);
	if (exact != NULL) {
		slice->data.data = exact;
		slice->data.room = slice->data.len;
	}
	return (0);
}

/* These bytes are written by this file alone; still no number in them leads out
 * of the slice. */
struct reader {
	const unsigned char *at, *end;
	int bad;
};

static uint64_t
take(struct reader *r)
{
	uint64_t value = 0;
	int shift;

	for (shift = 0; r->at < r->end && shift < 64; shift += 7) {
		value |= (uint64_t)(*r->at & 0x7f) << shift;
		if ((*r->at++ & 0x80) == 0)
			return (value);
	}
	r->bad = 1;
	return (0);
}

/* Fill `number` with the labels' numbers in the session that they are added
 * to. */
static uint32_t
unpack_labels(struct reader *r, struct pp_labels *labels, uint32_t *number)
{
	char text[PP_LABELS_TEXT_MAX];
	uint64_t count = take(r), len;
	uint32_t i;

	for (i = 0; i < count && i < PP_LABELS_MAX && !r->bad; i++) {
		len = take(r);
		if (len > sizeof(text) || len > (uint64_t)(r->end - r->at)) {
			r->bad = 1;
			break;
		}
		memset(text, 0, sizeof(text));
		memcpy(text, r->at, len);
		r->at += len;
		number[i] =
		    pp_labels_intern(labels, text, (uint32_t)(len + 7) / 8 * 8);
	}
	return (i);
}

static void
unpack_line(struct reader *from, struct pp_cpu_session *session,
    const uint32_t *number, uint32_t numbers)
{
	struct reader copy = *from, *r = &copy; /* a copy stays in registers */
	struct pp_cpu_key key = { 0 };
	uint64_t word[PP_FRAMES_MAX], samples, ns, label, step, last = 0;
	uint64_t count, i;

	key.slot = (uint32_t)take(r);
	key.pid = (int32_t)take(r);
	key.tid = (int32_t)take(r);
	label = take(r);
	if (label > 0 && label <= numbers)
		key.label = number[label - 1];
	samples = take(r);
	ns = take(r);
	count = take(r);
	if (count > PP_FRAMES_MAX)
		r->bad = 1;
	for (i = 0; i < count && !r->bad; i++) {
		step = take(r);
		last += step >> 1 ^ (step & 1 ? UINT64_MAX : 0);
		word[i] = last;
	}
	if (!r->bad)
		pp_cpu_session_put(session, &key, word, (uint32_t)count,
		    samples, ns);
	*from = copy;
}

void
pp_slice_unpack(const struct pp_slice *slice, struct pp_cpu_session *session)
{
	struct reader r = { (const unsigned char *)slice->data.data, NULL, 0 };
	uint32_t *number, numbers, i;

	if ((number = calloc(PP_LABELS_MAX, sizeof(*number))) == NULL)
		return;
	r.end = r.at + slice->data.len;
	numbers = unpack_labels(&r, session->cpu->labels, number);
	while (r.at < r.end && !r.bad)
		unpack_line(&r, session, number, numbers);
	free(number);
	session->duration_ns += slice->ended_ns - slice->begun_ns;
	session->kernel_s += slice->kernel_s;
	session->children_s += slice->children_s;
	session->workers = slice->workers;
	session->restarts += slice->restarts;
	session->malformed += slice->malformed;
	session->dropped += slice->dropped;
	session->labels_lost += slice->labels_lost;
	for (i = 0; i < PP_LOSS_COUNT; i++)
		session->loss[i] += slice->loss[i];
}
