/*
 * See resolve.h.
 */
#include <stdlib.h>
#include <string.h>

#include "merge/resolve.h"
#include "store/intern.h"

struct pp_resolver *
pp_resolver_new(struct pp_arena *arena, uint32_t slots,
    struct pp_address_map *map)
{
	struct pp_resolver *resolver;

	resolver =
	    calloc(1, sizeof(*resolver) + slots * sizeof(*resolver->maps));
	if (resolver == NULL)
		return (NULL);
	resolver->arena = arena;
	resolver->slots = slots;
	resolver->map = map;
	resolver->words_max = PP_SESSION_WORDS_MAX;
	return (resolver);
}

void
pp_resolver_free(struct pp_resolver *resolver)
{
	uint32_t slot;

	if (resolver == NULL)
		return;
	for (slot = 0; slot < resolver->slots; slot++)
		pp_maps_free(&resolver->maps[slot]);
	free(resolver);
}

int
pp_resolve_begin(struct pp_resolve *resolve, struct pp_resolver *resolver)
{
	memset(resolve, 0, sizeof(*resolve));
	resolve->resolver = resolver;
	resolve->stacks = pp_stacks_new(resolver->words_max);
	resolve->labels = pp_labels_new();
	/* The table has an entry for each id that a slot may use. Its pages
	 * that are never written to cost nothing. */
	resolve->known = calloc(PP_STACK_WORDS, sizeof(*resolve->known));
	if (resolve->stacks == NULL || resolve->labels == NULL ||
	    resolve->known == NULL)
		return (-1);
	return (0);
}

void
pp_resolve_end(struct pp_resolve *resolve)
{
	pp_stacks_free(resolve->stacks);
	pp_labels_free(resolve->labels);
	pp_labels_forget(&resolve->cache);
	free(resolve->known);
}

void
pp_resolve_slot(struct pp_resolve *resolve, uint32_t slot)
{
	struct pp_resolver *resolver = resolve->resolver;

	resolve->slot = slot;
	pp_labels_forget(&resolve->cache);
	(void)pp_maps_follow(&resolver->maps[slot],
	    &resolver->arena->slot[slot].objects, resolver->map);
}

static uint32_t
resolve_intern(struct pp_resolve *resolve, const uint64_t *word, uint32_t count)
{
	uint32_t stack = pp_stacks_intern(resolve->stacks, word, count);

	if (stack == PP_STACKS_NONE)
		resolve->stacks_dropped++;
	return (stack);
}

static uint32_t
resolve_read(struct pp_resolve *resolve, uint32_t id)
{
	struct pp_resolver *resolver = resolve->resolver;
	struct pp_intern_table table =
	    pp_intern_stacks(&resolver->arena->slot[resolve->slot].stacks);
	uint64_t word[1 + PP_FRAMES_MAX];
	uint32_t count, i;

	count = pp_intern_read(&table, id, word, 1 + PP_FRAMES_MAX);
	if (count < 2) {
		resolve->stacks_unreadable++;
		return (PP_STACKS_NONE);
	}
	/* The words are return addresses; the call ends one byte before. */
	for (i = 1; i < count; i++)
		word[i] = pp_maps_address_then(&resolver->maps[resolve->slot],
		    word[i] > 0 ? word[i] - 1 : 0, word[0]);
	return (resolve_intern(resolve, word + 1, count - 1));
}

uint32_t
pp_resolve_stack(struct pp_resolve *resolve, uint32_t id)
{
	uint64_t stamp = (uint64_t)(resolve->slot + 1) << 32;

	if (id == 0)
		return (PP_STACKS_NONE);
	if (id >= PP_STACK_WORDS) {
		resolve->stacks_unreadable++;
		return (PP_STACKS_NONE);
	}
	if (resolve->known[id] >> 32 != stamp >> 32)
		resolve->known[id] = stamp | resolve_read(resolve, id);
	return ((uint32_t)resolve->known[id]);
}

uint32_t
pp_resolve_pcs(struct pp_resolve *resolve, const uint64_t *pc, uint32_t count)
{
	struct pp_maps *maps = &resolve->resolver->maps[resolve->slot];
	uint64_t word[PP_FRAMES_MAX];
	uint32_t i;

	if (count == 0 || count > PP_FRAMES_MAX)
		return (PP_STACKS_NONE);
	for (i = 0; i < count; i++)
		word[i] = pp_maps_address(maps,
		    i == 0 || pc[i] == 0 ? pc[i] : pc[i] - 1);
	return (resolve_intern(resolve, word, count));
}

uint32_t
pp_resolve_label(struct pp_resolve *resolve, uint32_t id)
{
	struct pp_slot *slot = &resolve->resolver->arena->slot[resolve->slot];
	uint32_t number;
	int lost;

	number = pp_labels_number(resolve->labels, &resolve->cache,
	    &slot->labels, id, &lost);
	resolve->labels_unreadable += (uint64_t)lost;
	return (number);
}

void
pp_resolve_comments(const struct pp_resolve *resolve, struct pp_profile *p)
{
	pp_profile_comment(p, "stacks_unreadable=%llu",
	    (unsigned long long)resolve->stacks_unreadable);
	pp_profile_comment(p, "stacks_unkept=%llu",
	    (unsigned long long)resolve->stacks_dropped);
	pp_profile_comment(p, "labels_unreadable=%llu",
	    (unsigned long long)resolve->labels_unreadable);
}
