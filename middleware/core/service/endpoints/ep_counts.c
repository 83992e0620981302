/*
 * block, mutex, threadcreate: sums that stand in the arena and are read as they
 * are. The code that they share with other profiles is in named.c.
 *
 * Rule: no worker is asked.
 */
#include "counts/creations.h"
#include "counts/waits.h"
#include "encode/text/text_count.h"
#include "service/endpoints/endpoint.h"

static enum pp_waits
waits_which(const struct pp_task *task)
{
	return (task->endpoint->named == &pp_ep_block ? PP_WAITS_BLOCK
						      : PP_WAITS_MUTEX);
}

uint64_t
pp_ep_block_count(const struct pp_service *service)
{
	return (pp_waits_count(service->resolver, PP_WAITS_BLOCK));
}

uint64_t
pp_ep_mutex_count(const struct pp_service *service)
{
	return (pp_waits_count(service->resolver, PP_WAITS_MUTEX));
}

static struct pp_profile *
waits_take(struct pp_task *task)
{
	return (pp_waits_profile(task->service->resolver, waits_which(task)));
}

static int
waits_text(struct pp_task *task)
{
	struct pp_control *control = &task->service->arena->control;
	struct pp_profile *profile;
	int failed;

	if ((profile = waits_take(task)) == NULL)
		return (-1);
	pp_named_symbolize(task, profile);
	pp_encode_text_waits(profile, waits_which(task),
	    atomic_load(waits_which(task) == PP_WAITS_BLOCK
		    ? &control->block_rate_ns
		    : &control->mutex_fraction),
	    &task->answer.body);
	failed = profile->failed || task->answer.body.failed;
	pp_profile_free(profile);
	return (failed ? -1 : 0);
}

const struct pp_named pp_ep_block = { .name = "block",
	.delta = 1,
	.take = waits_take,
	.text = waits_text };
const struct pp_named pp_ep_mutex = { .name = "mutex",
	.delta = 1,
	.take = waits_take,
	.text = waits_text };

uint64_t
pp_ep_threadcreate_count(const struct pp_service *service)
{
	return (pp_creations_count(service->resolver));
}

static struct pp_profile *
creations_take(struct pp_task *task)
{
	return (pp_creations_profile(task->service->resolver));
}

static int
creations_text(struct pp_task *task)
{
	return (pp_named_text_count(task, creations_take(task),
	    PP_CREATIONS_WORKER));
}

const struct pp_named pp_ep_threadcreate = { .name = "threadcreate",
	.delta = 1,
	.take = creations_take,
	.text = creations_text };
