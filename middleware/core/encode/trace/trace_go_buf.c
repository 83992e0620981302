/*
 * Records and batches as bytes, and the ids of names and stacks that records
 * refer to. See docs/formats.md.
 */
#include <stdlib.h>
#include <string.h>

#include "base/varint.h"
#include "encode/trace/trace_go_private.h"

uint32_t
pp_go_name(struct pp_go *go, uint32_t name)
{
	uint8_t bit = (uint8_t)(1U << name % 8);

	if (name >= PP_TRACE_NAMES_MAX)
		return (0);
	go->names_used += (go->name_used[name / 8] & bit) == 0;
	go->name_used[name / 8] |= bit;
	return (name);
}

uint64_t
pp_go_stack(struct pp_go *go, const struct pp_tracer_stack *stack)
{
	return (pp_go_stacks_id(&go->stacks, stack));
}

void
pp_go_flush(struct pp_go *go, struct pp_go_row *row)
{
	if (row->len == 0)
		return;
	pp_spool_append(&go->spool, row->data, row->len);
	go->buffered -= row->len;
	row->len = 0;
}

/* Begin a batch: from here on times are differences. */
static int
row_open(struct pp_go *go, struct pp_go_row *row, int64_t ts)
{
	if (row->data == NULL &&
	    (row->data = malloc(GO_BATCH_BYTES + GO_RECORD_BYTES)) == NULL) {
		go->failed = 1;
		return (-1);
	}
	row->data[0] = GO_BATCH | 1 << 6;
	row->len = 1 + pp_varint(row->data + 1, row->pid);
	row->len += pp_varint(row->data + row->len, (uint64_t)ts);
	row->last = ts;
	go->buffered += row->len;
	return (0);
}

void
pp_go_put(struct pp_go *go, struct pp_go_row *row, enum pp_go_ev type,
    int64_t ts, const uint64_t *arg, uint32_t count)
{
	uint32_t before, len, i;
	uint8_t *to;

	if (ts < row->last)
		ts = row->last;
	if (row->len >= GO_BATCH_BYTES)
		pp_go_flush(go, row);
	if (row->len == 0 && row_open(go, row, ts) == -1)
		return;
	before = row->len;
	to = row->data + before;
	/* A record has a byte for its length only if it has four numbers. */
	len = count < 3 ? 1 : 2;
	len += pp_varint(to + len, (uint64_t)(ts - row->last));
	for (i = 0; i < count; i++)
		len += pp_varint(to + len, arg[i]);
	to[0] = (uint8_t)(type | (count < 3 ? count : 3) << 6);
	if (count >= 3)
		to[1] = (uint8_t)(len - 2);
	row->last = ts;
	row->len += len;
	go->buffered += len;
	go->events++;
}

void
pp_go_put_text(struct pp_go *go, struct pp_go_row *row, const char *text,
    uint32_t len)
{
	uint32_t before = row->len;

	if (row->len == 0)
		return;
	if (len > PP_TRACE_TEXT_MAX)
		len = PP_TRACE_TEXT_MAX;
	row->len += pp_varint(row->data + row->len, len);
	if (len > 0)
		memcpy(row->data + row->len, text, len);
	row->len += len;
	go->buffered += row->len - before;
}
