/*
 * The stores of Gs by their ids and of Ps by slot and thread. States are not
 * changed here: tracer_move.c does that.
 *
 * Rule: nothing moves: a pointer to a G is valid until the G is forgotten, one
 * to a P until the last session ends.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mix.h"
#include "trace/tracer_private.h"

int
pp_tracer_gs_new(struct pp_tracer *t)
{
	t->bucket = calloc(PP_TRACER_GS_BUCKETS, sizeof(*t->bucket));
	t->ended = calloc(PP_TRACER_ENDED, sizeof(*t->ended));
	return (t->bucket == NULL || t->ended == NULL ? -1 : 0);
}

void
pp_tracer_gs_free(struct pp_tracer *t)
{
	uint32_t i;

	for (i = 0; i < PP_TRACER_GS_CHUNKS; i++) {
		free(t->chunk[i]);
		t->chunk[i] = NULL;
	}
	for (i = 0; i < t->ps_used; i++) {
		free(t->ps[i]);
		t->ps[i] = NULL;
	}
	free(t->bucket);
	free(t->ended);
	t->bucket = NULL;
	t->ended = NULL;
	t->gs_used = t->gs_free = t->ps_used = 0;
}

struct pp_tracer_item *
pp_tracer_item(const struct pp_tracer *t, uint32_t place)
{
	return (
	    &t->chunk[place / PP_TRACER_GS_CHUNK][place % PP_TRACER_GS_CHUNK]);
}

static uint32_t
g_hash(uint32_t slot, uint64_t id)
{
	return ((uint32_t)(pp_mix(slot, id) >> 13));
}

struct pp_tracer_item *
pp_tracer_item_find(const struct pp_tracer *t, uint32_t slot, uint64_t id)
{
	uint32_t at = t->bucket[g_hash(slot, id) & (PP_TRACER_GS_BUCKETS - 1)];
	struct pp_tracer_item *g;

	for (; at != 0; at = g->next) {
		g = pp_tracer_item(t, at - 1);
		if (g->id == id && g->slot == slot)
			return (g);
	}
	return (NULL);
}

/* Return a free place, or PP_TRACE_GS_MAX. */
static uint32_t
g_place(struct pp_tracer *t)
{
	uint32_t place = t->gs_free, chunk;

	if (place != 0) {
		t->gs_free = pp_tracer_item(t, place - 1)->next;
		return (place - 1);
	}
	place = t->gs_used;
	if (place >= PP_TRACE_GS_MAX)
		return (PP_TRACE_GS_MAX);
	chunk = place / PP_TRACER_GS_CHUNK;
	if (t->chunk[chunk] == NULL) {
		t->chunk[chunk] =
		    calloc(PP_TRACER_GS_CHUNK, sizeof(struct pp_tracer_item));
		if (t->chunk[chunk] == NULL)
			return (PP_TRACE_GS_MAX);
	}
	t->gs_used++;
	return (place);
}

struct pp_tracer_item *
pp_tracer_item_new(struct pp_tracer *t, uint32_t slot, uint64_t id,
    enum pp_tracer_kind kind)
{
	uint32_t place = g_place(t), *bucket;
	struct pp_tracer_item *g;

	if (place == PP_TRACE_GS_MAX) {
		t->missed++;
		return (NULL);
	}
	g = pp_tracer_item(t, place);
	memset(g, 0, sizeof(*g));
	g->pub.number = (uint32_t)++t->numbers;
	g->pub.place = place;
	g->pub.kind = kind;
	g->pub.state = PP_TRACER_RUNNABLE;
	g->pub.entry = t->name_unknown;
	g->id = id;
	g->slot = slot;
	g->used = 1;
	if (id != 0) {
		bucket =
		    &t->bucket[g_hash(slot, id) & (PP_TRACER_GS_BUCKETS - 1)];
		g->next = *bucket;
		*bucket = place + 1;
	}
	return (g);
}

void
pp_tracer_item_forget(struct pp_tracer *t, struct pp_tracer_item *g)
{
	uint32_t hash = g_hash(g->slot, g->id), *at;

	pp_tracer_open_drop(t, g);
	if (g->id != 0) {
		at = &t->bucket[hash & (PP_TRACER_GS_BUCKETS - 1)];
		while (*at != g->pub.place + 1)
			at = &pp_tracer_item(t, *at - 1)->next;
		*at = g->next;
		hash &= PP_TRACER_ENDED - 1;
		t->ended[hash].id = g->id;
		t->ended[hash].born = g->born;
		t->ended[hash].slot = g->slot;
		t->ended[hash].number = g->pub.number;
		t->ended[hash].entry = g->pub.entry;
	}
	g->used = 0;
	g->next = t->gs_free;
	t->gs_free = g->pub.place + 1;
}

int
pp_tracer_item_ended(const struct pp_tracer *t, uint32_t slot, uint64_t id,
    struct pp_tracer_event *event)
{
	uint32_t at = g_hash(slot, id) & (PP_TRACER_ENDED - 1);

	if (t->ended[at].id != id || t->ended[at].slot != slot)
		return (0);
	event->number = t->ended[at].number;
	event->stack.entry = t->ended[at].entry;
	event->until = t->ended[at].born;
	return (1);
}

struct pp_tracer_slot *
pp_tracer_slot_at(struct pp_tracer *t, uint32_t slot)
{
	if (t->slot[slot] == NULL) {
		t->slot[slot] = calloc(1, sizeof(struct pp_tracer_slot));
		if (t->slot[slot] == NULL)
			return (NULL);
		(void)pp_maps_follow(&t->slot[slot]->maps,
		    &t->arena->slot[slot].objects, t->map);
	}
	return (t->slot[slot]);
}

struct pp_tracer_row *
pp_tracer_row_at(struct pp_tracer *t, uint32_t slot, uint32_t place)
{
	struct pp_tracer_slot *of = pp_tracer_slot_at(t, slot);
	struct pp_tracer_row *p;

	if (of != NULL && of->p[place] != NULL)
		return (of->p[place]);
	if (of == NULL || t->ps_used == PP_TRACE_PS_MAX ||
	    (p = calloc(1, sizeof(*p))) == NULL) {
		t->missed++;
		return (NULL);
	}
	p->number = t->ps_used;
	p->slot = slot;
	p->place = place;
	t->ps[t->ps_used++] = p;
	of->p[place] = p;
	return (p);
}
