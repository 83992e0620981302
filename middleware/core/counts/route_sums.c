/*
 * The sums by route; see route_sums.h. Label sets of all slots get common
 * numbers, and each number gets its index among the routes: two sets that
 * differ only in a label of the application have one index.
 *
 * Rule: what is known of a label set stays, since a slot's ids never change
 * their meaning; so a reading costs the counters and no texts.
 */
#include "counts/route_sums.h"

#include <stdlib.h>
#include <string.h>

#include "merge/labels.h"
#include "profile/strings.h"
#include "store/routes.h"

struct pp_counts_routes {
	struct pp_arena *arena;
	uint32_t slots;
	struct pp_labels *labels;
	struct pp_strings strings;    /* names, as valid UTF-8 */
	struct pp_label_cache *cache; /* by slot */
	/* For each number of a label set: the index of its route + 1; 0: not
	 * known. */
	uint32_t place[PP_LABELS_MAX + 1];
	/* Index 0 has no route. The sums are sorted only when they are handed
	 * out. */
	struct pp_counts_route sum[PP_ROUTES_SHOWN_MAX];
	struct pp_counts_route out[PP_ROUTES_SHOWN_MAX];
	uint32_t sums;
};

struct pp_counts_routes *
pp_counts_routes_new(struct pp_arena *arena, uint32_t slots)
{
	struct pp_counts_routes *reader;

	if ((reader = calloc(1, sizeof(*reader))) == NULL)
		return (NULL);
	reader->arena = arena;
	reader->slots = slots;
	reader->sums = 1;
	reader->labels = pp_labels_new();
	reader->cache = calloc((size_t)slots + 1, sizeof(*reader->cache));
	if (reader->labels == NULL || reader->cache == NULL) {
		pp_counts_routes_free(reader);
		return (NULL);
	}
	return (reader);
}

void
pp_counts_routes_free(struct pp_counts_routes *reader)
{
	uint32_t slot;

	if (reader == NULL)
		return;
	for (slot = 0; reader->cache != NULL && slot < reader->slots; slot++)
		pp_labels_forget(&reader->cache[slot]);
	free(reader->cache);
	pp_strings_free(&reader->strings);
	pp_labels_free(reader->labels);
	free(reader);
}

/* Return the value of `key` in a set's text, interned; NULL: the set has none,
 * or no memory. */
static const char *
set_value(struct pp_counts_routes *reader, const char *text, const char *key)
{
	const char *value;

	for (; *text != '\0'; text = value + strlen(value) + 1) {
		value = text + strlen(text) + 1;
		if (strcmp(text, key) == 0)
			return (*value == '\0'
				? NULL
				: pp_strings_intern(&reader->strings, value));
	}
	return (NULL);
}

static int
texts_compare(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return ((a != NULL) - (b != NULL));
	return (strcmp(a, b));
}

/* Return the index of the set's route; if the route is new, it gets one. 0:
 * there is no room for one more route. */
static uint32_t
place_of(struct pp_counts_routes *reader, uint32_t number)
{
	const char *text = pp_labels_text(reader->labels, number);
	struct pp_counts_route *sum;
	const char *route, *method;
	uint32_t i;

	route = set_value(reader, text, "http.route");
	if (route == NULL)
		return (0);
	method = set_value(reader, text, "http.method");
	for (i = 1; i < reader->sums; i++) {
		sum = &reader->sum[i];
		if (sum->route == route && sum->method == method)
			return (i);
	}
	if (reader->sums == PP_ROUTES_SHOWN_MAX)
		return (0);
	sum = &reader->sum[reader->sums];
	sum->route = route;
	sum->method = method;
	return (reader->sums++);
}

static struct pp_counts_route *
sum_of(struct pp_counts_routes *reader, uint32_t slot, uint64_t label)
{
	uint32_t number;
	int lost;

	number = pp_labels_number(reader->labels, &reader->cache[slot],
	    &reader->arena->slot[slot].labels, label, &lost);
	if (number == 0)
		return (&reader->sum[0]);
	if (reader->place[number] == 0)
		reader->place[number] = place_of(reader, number) + 1;
	return (&reader->sum[reader->place[number] - 1]);
}

void
pp_counts_routes_cpu(void *arg, uint32_t slot, uint64_t label, uint64_t ns)
{
	sum_of(arg, slot, label)->cpu_ns += ns;
}

static uint64_t
load(const _Atomic uint64_t *counter)
{
	return (atomic_load_explicit(counter, memory_order_acquire));
}

/* The number of ended requests is read before that of begun ones: what ends
 * meanwhile counts as in flight. A slot without a living process has nothing in
 * flight. */
static void
counter_add(struct pp_counts_routes *reader, uint32_t slot,
    const struct pp_route *counter, int alive)
{
	struct pp_counts_route *sum;
	uint64_t ended = 0, abandoned, begun, count;
	uint32_t time;

	sum = sum_of(reader, slot,
	    atomic_load_explicit(&counter->label, memory_order_acquire));
	abandoned = load(&counter->abandoned);
	for (time = 0; time < PP_ROUTE_TIMES; time++) {
		count = load(&counter->time[time]);
		sum->time[time] += count;
		ended += count;
	}
	begun = load(&counter->begun);
	sum->requests += ended;
	sum->abandoned += abandoned;
	sum->ns += load(&counter->ns);
	sum->running_ns += load(&counter->running_ns);
	if (begun <= ended + abandoned)
		return;
	if (alive)
		sum->in_flight += begun - ended - abandoned;
	else
		sum->abandoned += begun - ended - abandoned;
}

struct adding {
	struct pp_counts_routes *reader;
	uint32_t slot;
};

static void
alloc_add(void *arg, uint32_t label, const int64_t alloc[2])
{
	const struct adding *adding = arg;
	struct pp_counts_route *sum =
	    sum_of(adding->reader, adding->slot, label);

	sum->alloc[0] += (uint64_t)alloc[0];
	sum->alloc[1] += (uint64_t)alloc[1];
}

/* Set everything but the route's name and its CPU time to 0: it is read
 * anew. */
static void
sums_clear(struct pp_counts_routes *reader)
{
	struct pp_counts_route *sum;
	uint32_t i;

	for (i = 0; i < reader->sums; i++) {
		sum = &reader->sum[i];
		*sum = (struct pp_counts_route){ .route = sum->route,
			.method = sum->method,
			.cpu_ns = sum->cpu_ns };
	}
}

static int
sum_compare(const void *a, const void *b)
{
	const struct pp_counts_route *left = a, *right = b;
	int order = texts_compare(left->route, right->route);

	return (
	    order != 0 ? order : texts_compare(left->method, right->method));
}

const struct pp_counts_route *
pp_counts_routes_read(struct pp_counts_routes *reader,
    const struct pp_heap_reader *heap, uint32_t *count)
{
	struct adding adding = { .reader = reader };
	const struct pp_slot *slot;
	uint32_t used, i;

	sums_clear(reader);
	for (adding.slot = 1; adding.slot < reader->slots; adding.slot++) {
		slot = &reader->arena->slot[adding.slot];
		used = pp_routes_used(&slot->routes);
		for (i = 0; i < used; i++)
			counter_add(reader, adding.slot,
			    &slot->routes.counter[i],
			    atomic_load(&slot->life.pid) > 0);
		pp_heap_reader_labels(heap, adding.slot, alloc_add, &adding);
	}
	memcpy(reader->out, reader->sum, reader->sums * sizeof(*reader->sum));
	qsort(reader->out, reader->sums, sizeof(*reader->out), sum_compare);
	*count = reader->sums;
	return (reader->out);
}
