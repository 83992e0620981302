/*
 * stalls: workers whose event loop was held for too long, and workers that a
 * signal has ended; see live/stalls.h. They are shown in sentences and as a
 * profile.
 */
#include "service/endpoints/endpoint.h"
#include "service/endpoints/stall_text.h"

uint64_t
pp_ep_stalls_count(const struct pp_service *service)
{
	return (pp_stalls_count(service->stalls));
}

static struct pp_profile *
stalls_take(struct pp_task *task)
{
	struct pp_service *service = task->service;
	char sentence[PP_SENTENCE_MAX];
	struct pp_profile *profile;
	uint32_t i;

	pp_service_follow_objects(service);
	profile = pp_stalls_profile(service->stalls);
	for (i = 0; profile != NULL && i < pp_stalls_count(service->stalls);
	     i++) {
		pp_ep_stall_sentence(service, pp_stalls_get(service->stalls, i),
		    sentence);
		pp_profile_comment(profile, "stall=%s", sentence);
	}
	return (profile);
}

static int
stalls_text(struct pp_task *task)
{
	return (pp_named_text_count(task, stalls_take(task), "stall"));
}

const struct pp_named pp_ep_stalls = { .name = "stalls",
	.take = stalls_take,
	.text = stalls_text };
