/*
 * heap and allocs: the same profile, of which readers show what is in use or
 * what was allocated. The code that they share with other profiles is in
 * named.c.
 *
 * Rule: the binary form needs no worker to answer; only the text's trailer
 * and gc=1 ask them.
 */
#include <stdlib.h>

#include "encode/text/text_heap.h"
#include "service/endpoints/endpoint.h"

uint64_t
pp_ep_heap_count(const struct pp_service *service)
{
	return (pp_heap_reader_count(service->heap));
}

/* As in Go, gc=1 works for heap only, and not before a delta. */
static int
heap_trims(struct pp_task *task)
{
	return (
	    task->endpoint->named == &pp_ep_heap && pp_named_state(task)->gc);
}

static int
heap_ask(struct pp_task *task)
{
	if (pp_named_state(task)->seconds > 0 ||
	    (pp_named_state(task)->debug == 0 && !heap_trims(task)))
		return (0);
	pp_named_state(task)->question =
	    pp_memory_ask(task->service->memory, heap_trims(task));
	return (1);
}

static void
heap_remind(struct pp_task *task)
{
	pp_memory_remind(task->service->memory, pp_named_state(task)->question);
}

static int
heap_answered(struct pp_task *task)
{
	return (pp_memory_answered(task->service->memory,
	    pp_named_state(task)->question));
}

static void
heap_asked(struct pp_task *task)
{
	pp_memory_end(task->service->memory, heap_trims(task));
}

static const char *
heap_default_type(const struct pp_task *task)
{
	return (task->endpoint->named == &pp_ep_heap ? "inuse_space"
						     : "alloc_space");
}

static struct pp_profile *
heap_take(struct pp_task *task)
{
	struct pp_heap_view view = { .default_type = heap_default_type(task) };

	return (pp_heap_reader_profile(task->service->heap, &view));
}

static int
heap_trailer(struct pp_task *task, const struct pp_heap_view *view)
{
	const struct pp_service *service = task->service;
	uint32_t slot, workers = 0;
	struct pp_memory_worker *worker;

	if ((worker = calloc(service->slots, sizeof(*worker))) == NULL)
		return (-1);
	for (slot = 1; slot < service->slots; slot++)
		pp_memory_read(service->memory, slot,
		    pp_named_state(task)->question, &worker[workers++]);
	pp_encode_text_memory(worker, workers, view->live, &task->answer.body);
	free(worker);
	return (task->answer.body.failed ? -1 : 0);
}

static int
heap_text(struct pp_task *task)
{
	struct pp_heap_view view = { .raw = 1,
		.default_type = heap_default_type(task) };
	struct pp_profile *profile;
	int status = -1;

	profile = pp_heap_reader_profile(task->service->heap, &view);
	if (profile == NULL)
		return (-1);
	pp_named_symbolize(task, profile);
	if (!profile->failed) {
		pp_encode_text_heap(profile, &view, &task->answer.body);
		status = heap_trailer(task, &view);
	}
	pp_profile_free(profile);
	return (status);
}

#define HEAP_FUNCTIONS                                                         \
	.delta = 1, .text_below_zero = 1, .ask = heap_ask,                     \
	.remind = heap_remind, .answered = heap_answered, .asked = heap_asked, \
	.take = heap_take, .text = heap_text

const struct pp_named pp_ep_heap = { .name = "heap", HEAP_FUNCTIONS };
const struct pp_named pp_ep_allocs = { .name = "allocs", HEAP_FUNCTIONS };
