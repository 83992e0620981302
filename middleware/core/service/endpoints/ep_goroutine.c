/*
 * goroutine: every request, task and thread that is in progress. The code that
 * it shares with other profiles is in named.c.
 *
 * Every thread is asked for its stack before each reading; a thread that does
 * not answer in time is shown as not answering.
 */
#include "encode/text/text_activity.h"
#include "encode/text/text_count.h"
#include "live/activity.h"
#include "service/endpoints/endpoint.h"

uint64_t
pp_ep_goroutine_count(const struct pp_service *service)
{
	return (pp_activity_count(service->resolver));
}

static int
goroutine_ask(struct pp_task *task)
{
	struct pp_service *service = task->service;

	pp_named_state(task)->question =
	    pp_activity_ask(service->resolver, service->parent_pid);
	return (1);
}

static int
goroutine_answered(struct pp_task *task)
{
	return (pp_activity_answered(task->service->resolver,
	    pp_named_state(task)->question));
}

/* Returns the name of the function itself, not of what is inlined there: a
 * function that waits is known by its name. */
static const char *
goroutine_name(void *arg, uint64_t address)
{
	static struct pp_frame frame[PP_INLINES_MAX];
	uint32_t frames;

	frames = pp_service_frames(arg, address, frame);
	return (frames == 0 ? NULL : frame[frames - 1].function);
}

static int
goroutine_read(struct pp_task *task, struct pp_activity_list *list)
{
	struct pp_service *service = task->service;

	pp_service_follow_objects(service);
	return (pp_activity_read(list, service->resolver,
	    pp_named_state(task)->question, goroutine_name, service));
}

static struct pp_profile *
goroutine_take(struct pp_task *task)
{
	struct pp_profile *profile = NULL;
	struct pp_activity_list list;

	if (goroutine_read(task, &list) == 0)
		profile = pp_activity_profile(&list);
	pp_activity_free(&list);
	return (profile);
}

/* debug=2: requests, tasks and threads one by one. */
static int
goroutine_dump(struct pp_task *task)
{
	struct pp_profile *stacks = NULL;
	struct pp_activity_list list;
	int status = -1;

	if (goroutine_read(task, &list) == 0)
		stacks = pp_activity_stacks(&list);
	if (stacks != NULL) {
		pp_named_symbolize(task, stacks);
		pp_encode_text_activity(&list, stacks, &task->answer.body);
		if (!stacks->failed && !task->answer.body.failed)
			status = 0;
	}
	pp_profile_free(stacks);
	pp_activity_free(&list);
	return (status);
}

static int
goroutine_text(struct pp_task *task)
{
	if (pp_named_state(task)->debug >= 2)
		return (goroutine_dump(task));
	return (pp_named_text_count(task, goroutine_take(task), NULL));
}

const struct pp_named pp_ep_goroutine = { .name = "goroutine",
	.delta = 1,
	.ask = goroutine_ask,
	.answered = goroutine_answered,
	.take = goroutine_take,
	.text = goroutine_text };
