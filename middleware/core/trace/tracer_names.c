/*
 * The store of names, stacks and labels of all slots under common numbers.
 *
 * Rule: bounded; a name that finds no room becomes "[other]", and a stack that
 * finds none is left out.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mix.h"
#include "counts/waits.h"
#include "merge/build.h"
#include "store/intern.h"
#include "trace/tracer_private.h"

/* The call whose frame is shown above the stack of a wait. A wait without a
 * call here is shown by its state, as "[pgsql wait]". */
static const char *const wait_calls[PP_WAIT_COUNT] = {
	[PP_WAIT_MUTEX] = "pthread_mutex_lock",
	[PP_WAIT_RWLOCK] = "pthread_rwlock_lock",
	[PP_WAIT_COND] = "pthread_cond_wait",
	[PP_WAIT_BARRIER] = "pthread_barrier_wait",
	[PP_WAIT_JOIN] = "pthread_join",
	[PP_WAIT_SEM] = "sem_wait",
};

static const struct {
	const char *text;
	const char *number;
} instants[] = {
#define INSTANT_NAME(name, text, number) { text, number },
	PP_TRACE_INSTANT_TABLE(INSTANT_NAME)
#undef INSTANT_NAME
};

static int
name_same(const void *owner, uint32_t id, const void *key)
{
	const struct pp_tracer *t = owner;

	return (t->name[id] == key);
}

uint32_t
pp_tracer_intern(struct pp_tracer *t, const char *text)
{
	const char *kept;
	uint64_t hash;
	uint32_t id;

	if (*text == '\0')
		return (0);
	/* The store of strings never shrinks: a text without a number would
	 * cost its bytes all the same, so it is not put there. */
	if (t->names == PP_TRACE_NAMES_MAX) {
		t->missed++;
		return (t->name_other);
	}
	kept = pp_strings_intern(&t->strings, text);
	if (kept == NULL)
		return (t->name_other);
	hash = pp_mix(0, (uint64_t)(uintptr_t)kept);
	id = pp_idmap_find(&t->name_map, hash, name_same, t, kept);
	if (id != 0)
		return (id);
	if (pp_idmap_add(&t->name_map, hash, t->names) == -1)
		return (t->name_other);
	t->name[t->names] = kept;
	return (t->names++);
}

uint32_t
pp_tracer_format(struct pp_tracer *t, const char *format, ...)
{
	char text[PP_LABEL_SET_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return (pp_tracer_intern(t, text));
}

const char *
pp_tracer_name(const struct pp_tracer *t, uint32_t name)
{
	return (name == 0 || name >= t->names ? "" : t->name[name]);
}

static void
names_fixed(struct pp_tracer *t)
{
	uint32_t i;

	t->name_other = pp_tracer_intern(t, "[other]");
	t->name_unknown = pp_tracer_intern(t, "request");
	t->name_task = pp_tracer_intern(t, "task");
	t->name_handler = pp_tracer_intern(t, "[a handler runs]");
	t->name_task_runs = pp_tracer_intern(t, "[a task runs]");
	t->name_poll = pp_tracer_intern(t, "epoll_wait");
	t->name_lost = pp_tracer_intern(t, "lost");
	t->name_worker = pp_tracer_intern(t, "worker");
	t->name_path = pp_tracer_intern(t, "path");
	for (i = 0; i < PP_CALL_COUNT; i++)
		t->name_call[i] = pp_tracer_intern(t, pp_waits_call(i));
	for (i = 0; i < PP_WAIT_COUNT; i++)
		t->name_wait[i] = wait_calls[i] != NULL
		    ? pp_tracer_intern(t, wait_calls[i])
		    : pp_tracer_format(t, "[%s]", pp_waits_state(i));
	for (i = 0; i < PP_TRACE_INSTANT_COUNT; i++) {
		t->instant_has_number[i] = instants[i].number[0] != '\0';
		t->name_instant[i] = t->instant_has_number[i]
		    ? pp_tracer_format(t, "%s, %s", instants[i].text,
			  instants[i].number)
		    : pp_tracer_intern(t, instants[i].text);
	}
}

int
pp_tracer_names_new(struct pp_tracer *t)
{
	t->name = calloc(PP_TRACE_NAMES_MAX, sizeof(*t->name));
	t->labels = pp_labels_new();
	t->label_name[0] = calloc(PP_LABELS_MAX + 1, sizeof(uint32_t));
	t->label_name[1] = calloc(PP_LABELS_MAX + 1, sizeof(uint32_t));
	t->stacks = pp_stacks_new(PP_SESSION_WORDS_MAX);
	if (t->name == NULL || t->labels == NULL || t->label_name[0] == NULL ||
	    t->label_name[1] == NULL || t->stacks == NULL)
		return (-1);
	t->names = 1;
	names_fixed(t);
	return (0);
}

void
pp_tracer_names_free(struct pp_tracer *t)
{
	pp_strings_free(&t->strings);
	pp_idmap_free(&t->name_map);
	free(t->name);
	free(t->label_name[0]);
	free(t->label_name[1]);
	pp_labels_free(t->labels);
	pp_stacks_free(t->stacks);
	t->name = NULL;
	t->label_name[0] = t->label_name[1] = NULL;
	t->labels = NULL;
	t->stacks = NULL;
	t->names = 0;
}

static const char *
label_value(const char *set, const char *key)
{
	const char *value;

	for (; *set != '\0'; set = value + strlen(value) + 1) {
		value = set + strlen(set) + 1;
		if (strcmp(set, key) == 0)
			return (value);
	}
	return (NULL);
}

static uint32_t
label_make(struct pp_tracer *t, const char *set, int task)
{
	const char *method = label_value(set, "http.method");
	const char *route = label_value(set, "http.route");
	const char *before = task ? "task of " : "";

	if (route == NULL || *route == '\0')
		return (task ? t->name_task : t->name_unknown);
	if (method == NULL)
		return (pp_tracer_format(t, "%s%s", before, route));
	return (pp_tracer_format(t, "%s%s %s", before, method, route));
}

uint32_t
pp_tracer_label(struct pp_tracer *t, uint32_t slot, uint32_t id, int task)
{
	struct pp_tracer_slot *of = pp_tracer_slot_at(t, slot);
	uint32_t number = 0, *name;
	int lost;

	if (of != NULL)
		number = pp_labels_number(t->labels, &of->labels,
		    &t->arena->slot[slot].labels, id, &lost);
	if (number == 0)
		return (task ? t->name_task : t->name_unknown);
	name = &t->label_name[task][number];
	if (*name == 0)
		*name = label_make(t, pp_labels_text(t->labels, number), task);
	return (*name);
}

static uint32_t
stack_read(struct pp_tracer *t, uint32_t slot, uint32_t id)
{
	struct pp_intern_table table =
	    pp_intern_stacks(&t->arena->slot[slot].stacks);
	uint64_t word[1 + PP_FRAMES_MAX];
	uint32_t count, i;

	count = pp_intern_read(&table, id, word, 1 + PP_FRAMES_MAX);
	if (count < 2)
		return (PP_STACKS_NONE);
	/* A caller's pc is the return address; the call is before it. */
	for (i = 1; i < count; i++)
		word[i] = pp_maps_address_then(&t->slot[slot]->maps,
		    word[i] > 0 ? word[i] - 1 : 0, word[0]);
	return (pp_stacks_intern(t->stacks, word + 1, count - 1));
}

struct pp_tracer_stack
pp_tracer_stack_of(struct pp_tracer *t, uint32_t slot, uint32_t id,
    uint32_t leaf, const struct pp_tracer_item *g)
{
	struct pp_tracer_stack stack = { .leaf = leaf, .entry = g->pub.entry };
	struct pp_tracer_slot *of = pp_tracer_slot_at(t, slot);

	if (id == 0 || id >= PP_STACK_WORDS || of == NULL)
		return (stack);
	/* The room is for any id that a slot may use; pages that are not
	 * written to cost nothing. */
	if (of->stack == NULL &&
	    (of->stack = calloc(PP_STACK_WORDS, sizeof(uint32_t))) == NULL)
		return (stack);
	if (of->stack[id] == 0)
		of->stack[id] = stack_read(t, slot, id) + 1;
	stack.words = of->stack[id] - 1;
	return (stack);
}

struct pp_profile *
pp_tracer_profile(const struct pp_tracer *t, const uint32_t *words,
    uint32_t count)
{
	struct pp_build *build = pp_build_new(t->map);
	int64_t value[PP_VALUES_MAX] = { 0 };
	const uint64_t *word;
	uint32_t i, frames;

	if (build == NULL)
		return (NULL);
	for (i = 0; i < count; i++) {
		pp_profile_sample(build->p, value);
		word = pp_stacks_get(t->stacks, words[i], &frames);
		pp_build_stack(build, word, frames);
	}
	return (pp_build_done(build));
}
