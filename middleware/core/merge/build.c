/*
 * See build.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mix.h"
#include "merge/build.h"
#include "store/objects.h"

/* How many locations are handed over at once. */
#define STACK_PART 64

struct pp_build *
pp_build_new(struct pp_address_map *map)
{
	struct pp_build *build;

	if ((build = calloc(1, sizeof(*build))) == NULL)
		return (NULL);
	build->map = map;
	if ((build->p = pp_profile_new()) == NULL) {
		free(build);
		return (NULL);
	}
	return (build);
}

struct pp_profile *
pp_build_done(struct pp_build *build)
{
	struct pp_profile *p;

	if (build == NULL)
		return (NULL);
	p = build->p;
	free(build);
	if (!p->failed)
		return (p);
	pp_profile_free(p);
	return (NULL);
}

static uint32_t
build_mapping(struct pp_build *build, const struct pp_address_mapping *mapped,
    int number)
{
	const struct pp_object *object = &mapped->object;
	char id[2 * PP_BUILD_ID_MAX + 1] = "";
	struct pp_mapping mapping;
	uint32_t i;

	if (build->mapping[number] != 0)
		return (build->mapping[number]);
	for (i = 0; i < object->build_id_len; i++)
		(void)snprintf(id + 2 * i, 3, "%02x", object->build_id[i]);
	memset(&mapping, 0, sizeof(mapping));
	mapping.start = mapped->start;
	mapping.limit = mapped->limit;
	mapping.offset = object->offset;
	mapping.file = pp_profile_string(build->p, object->name);
	mapping.build_id = pp_profile_string(build->p, id);
	build->mapping[number] = pp_profile_mapping(build->p, &mapping);
	return (build->mapping[number]);
}

void
pp_build_main(struct pp_build *build, const struct pp_arena *arena,
    uint32_t slots)
{
	struct pp_object object;
	uint32_t slot;
	int number;

	for (slot = 0; slot < slots; slot++) {
		if (pp_objects_read(&arena->slot[slot].objects, 0, &object) ==
		    -1)
			continue;
		number = pp_address_map_add(build->map, &object);
		if (number == -1)
			continue;
		(void)build_mapping(build,
		    pp_address_map_get(build->map, number), number);
		return;
	}
}

static uint32_t
build_said(struct pp_build *build, uint64_t address, const char *name)
{
	struct pp_line line = { 0, 0 };
	uint32_t before = build->p->locations, location;

	location = pp_profile_location(build->p, address, 0);
	if (build->p->locations != before) {
		line.function = pp_profile_function(build->p, name, "", 0);
		pp_profile_lines(build->p, location, &line, 1);
	}
	return (location);
}

static uint32_t
build_locate(struct pp_build *build, uint64_t word)
{
	const struct pp_address_mapping *mapped;
	uint32_t location;
	uint64_t pc;
	int number;

	if (word == PP_BUILD_FRAMES_LOST) {
		location = build_said(build, PP_BUILD_NO_STACK, "[no stack]");
	} else if (word == PP_BUILD_NOT_SAMPLED) {
		location =
		    build_said(build, PP_BUILD_NO_SAMPLE, "[not sampled]");
	} else if ((word & PP_MAPS_UNKNOWN) != 0) {
		/* The address must not lie in a mapping, or that file would own
		 * it, and it must not be 0. */
		pc = word & ~PP_MAPS_UNKNOWN;
		if (pc == 0 || pc >= 1ULL << 47 ||
		    pp_address_map_find(build->map, pc, NULL) != NULL)
			pc = PP_BUILD_OUTSIDE | (pc & ((1ULL << 56) - 1));
		location = pp_profile_location(build->p, pc, 0);
	} else if ((mapped = pp_address_map_find(build->map, word, &number)) !=
	    NULL) {
		location = pp_profile_location(build->p, word,
		    build_mapping(build, mapped, number));
	} else {
		location = pp_profile_location(build->p, word, 0);
	}
	return (location);
}

/* Each hash has room for two words: with room for one, every tenth word of
 * 4,000 fell out. */
static uint32_t
build_location(struct pp_build *build, uint64_t word)
{
	struct pp_build_known *known;

	known = build->cache[pp_mix(0, word) & (PP_BUILD_CACHE - 1)];
	if (known[0].location != 0 && known[0].word == word)
		return (known[0].location);
	if (known[1].location != 0 && known[1].word == word)
		return (known[1].location);
	known[1] = known[0];
	known[0].word = word;
	known[0].location = build_locate(build, word);
	return (known[0].location);
}

void
pp_build_stack(struct pp_build *build, const uint64_t *word, uint32_t count)
{
	uint32_t location[STACK_PART], i;

	for (i = 0; i < count; i++) {
		location[i % STACK_PART] = build_location(build, word[i]);
		if (i % STACK_PART == STACK_PART - 1 || i == count - 1)
			pp_profile_stack(build->p, location,
			    i % STACK_PART + 1);
	}
	if (count == 0)
		pp_profile_push(build->p,
		    build_location(build, PP_BUILD_FRAMES_LOST));
}

static void
build_texts(struct pp_build *build, const struct pp_labels *labels,
    uint32_t number, const char *const *numeric)
{
	const char *key, *value;
	size_t i;

	for (key = pp_labels_text(labels, number); *key != '\0';
	     key = value + strlen(value) + 1) {
		value = key + strlen(key) + 1;
		for (i = 0; numeric[i] != NULL; i++) {
			if (strcmp(key, numeric[i]) == 0)
				break;
		}
		if (numeric[i] == NULL)
			pp_profile_label_text(build->p, key, value);
	}
}

void
pp_build_labels(struct pp_build *build, const struct pp_labels *labels,
    uint32_t number, const char *const *numeric)
{
	uint32_t at = number & (PP_BUILD_LABELS - 1), first;

	if (number != 0 && build->written[at].number == number) {
		pp_profile_labels_again(build->p, build->written[at].first,
		    build->written[at].count);
		return;
	}
	first = build->p->labels;
	build_texts(build, labels, number, numeric);
	build->written[at].number = number;
	build->written[at].first = first;
	build->written[at].count = build->p->labels - first;
}

/* Keys that begin with one of these belong to another kind of profile; all
 * other keys belong to CPU profiles. */
static const char *const loss_kinds[] = { "heap_", "waits_", "contended_",
	"flights_", "own_", "trace_", NULL };

/* A loss is always shown. That nothing was lost is shown only in profiles of
 * that kind, since readers print all comments above their tables. */
static int
loss_shown(const char *key, uint64_t loss, const char *prefix)
{
	const char *const *other;

	if (loss != 0 ||
	    (prefix != NULL && strncmp(key, prefix, strlen(prefix)) == 0))
		return (1);
	for (other = loss_kinds; *other != NULL; other++) {
		if (strncmp(key, *other, strlen(*other)) == 0)
			return (0);
	}
	return (prefix == NULL);
}

void
pp_build_losses(struct pp_build *build, const uint64_t *loss,
    const char *prefix)
{
	static const char *const key[] = {
#define PP_LOSS_KEY(name, key, sentence) key,
		PP_LOSS_TABLE(PP_LOSS_KEY)
#undef PP_LOSS_KEY
	};
	uint32_t i;

	for (i = 0; i < PP_LOSS_COUNT; i++) {
		if (loss_shown(key[i], loss[i], prefix))
			pp_profile_comment(build->p, "%s=%llu", key[i],
			    (unsigned long long)loss[i]);
	}
}

uint64_t
pp_build_loss(const struct pp_arena *arena, uint32_t slots, uint32_t what)
{
	uint64_t sum = 0;
	uint32_t slot;

	for (slot = 0; slot < slots; slot++)
		sum += atomic_load_explicit(&arena->slot[slot].loss[what],
		    memory_order_relaxed);
	return (sum);
}
