/*
 * profile: the CPU profile of all workers. Sampling is cpu/cpu.c, names
 * are symbol/, bytes are encode/; here they meet.
 *
 * Reading the DWARF of all objects takes some 150 ms of CPU the first time,
 * which is a second where every core is busy: exactly then somebody waits for
 * the answer. So the DWARF is read within the window.
 *
 * Rule: seconds= is read as Go reads it; hz= is ours and is told about.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/clock.h"
#include "service/endpoints/endpoint.h"
#include "service/http/answer.h"
#include "service/http/query.h"
#include "symbol/symbolize.h"

/*
 * How long after the begin names are looked for, and up to which rate: nobody
 * drains the rings meanwhile, and at this rate they hold the samples of more
 * than a second.
 */
#define WARM_NS (500 * PP_NS_PER_MS)
#define WARM_HZ 1000

/* From so much CPU time on a profile has a rate, in seconds. */
#define FAST_USED_S 0.1

struct profile_state {
	struct pp_cpu_session *session;
	int64_t warm_at; /* to look for names before the end */
	unsigned int hz;
};
static PP_TASK_STATE(profile_state, struct profile_state);

uint64_t
pp_ep_profile_count(const struct pp_service *service)
{
	return (service->cpu_profiles);
}

/*
 * Go takes its default without a word if the value is no number or is not
 * positive. Here a number that is too large is an error.
 */
static int
profile_seconds(struct pp_task *task, const char *query, int64_t *seconds)
{
	struct pp_query_value value;
	enum pp_query_number kind;
	char shown[PP_QUERY_VALUE_MAX + 4];

	*seconds = PP_SECONDS_DEFAULT;
	pp_query_get(query, strlen(query), "seconds", &value);
	kind = pp_query_int(&value, seconds);
	if (kind == PP_QUERY_TOO_LARGE ||
	    (kind == PP_QUERY_NUMBER && *seconds > PP_SECONDS_MAX)) {
		pp_query_show(&value, shown);
		pp_answer_error(&task->answer, 400,
		    "invalid value \"%s\" for \"seconds\" - must be at most %d",
		    shown, PP_SECONDS_MAX);
		return (-1);
	}
	if (kind != PP_QUERY_NUMBER || *seconds <= 0)
		*seconds = PP_SECONDS_DEFAULT;
	return (0);
}

static int
profile_hz(struct pp_task *task, const char *query, int64_t *hz)
{
	struct pp_query_value value;
	char shown[PP_QUERY_VALUE_MAX + 4];

	*hz = PP_HZ_DEFAULT;
	pp_query_get(query, strlen(query), "hz", &value);
	if (value.len == 0)
		return (0);
	if (pp_query_int(&value, hz) == PP_QUERY_NUMBER && *hz >= PP_HZ_MIN &&
	    *hz <= PP_HZ_MAX)
		return (0);
	pp_query_show(&value, shown);
	pp_answer_error(&task->answer, 400,
	    "invalid value \"%s\" for \"hz\" - must be a whole number from %d "
	    "to %d",
	    shown, PP_HZ_MIN, PP_HZ_MAX);
	return (-1);
}

void
pp_ep_profile_begin(struct pp_task *task, const struct pp_request *request)
{
	struct profile_state *state = profile_state(task);
	int64_t seconds, hz;

	if (pp_ep_recorded_begin(task, request->query))
		return;
	if (profile_seconds(task, request->query, &seconds) != 0 ||
	    profile_hz(task, request->query, &hz) != 0 ||
	    pp_format_read(&task->asked, request->query, &task->answer) != 0 ||
	    pp_format_value(&task->asked, pp_cpu_types, PP_CPU_TYPES, NULL,
		&task->answer) == -1)
		return;
	errno = ENOMEM;
	state->session = pp_budget_keeps(PP_BUDGET_LARGE)
	    ? pp_cpu_begin(task->service->cpu, (unsigned int)hz)
	    : NULL;
	if (state->session == NULL && errno == EAGAIN) {
		pp_answer_error(&task->answer, 503,
		    "Could not enable CPU profiling: %d profiles are in "
		    "progress, which is the most at once",
		    PP_SESSIONS_MAX);
		return;
	}
	if (state->session == NULL) {
		pp_answer_full(&task->answer, "Could not enable CPU profiling");
		return;
	}
	state->hz = (unsigned int)hz;
	task->service->cpu_profiles++;
	state->warm_at = hz <= WARM_HZ ? pp_clock_mono() + WARM_NS : INT64_MAX;
	task->deadline = pp_clock_mono() + seconds * PP_NS_PER_SEC;
}

static void
profile_names(struct pp_service *service, struct pp_profile *profile)
{
	if (profile == NULL)
		return;
	pp_service_follow_objects(service);
	pp_symbolize(profile, service->map, service->symbols);
	service->warm = 1;
}

int64_t
pp_ep_profile_tick(struct pp_task *task, int64_t now)
{
	struct profile_state *state = profile_state(task);
	struct pp_profile *profile;

	if (task->service->warm)
		return (INT64_MAX);
	if (state->warm_at > now)
		return (state->warm_at);
	state->warm_at = INT64_MAX;
	profile = pp_cpu_snapshot(state->session);
	profile_names(task->service, profile);
	pp_profile_free(profile);
	return (INT64_MAX);
}

/*
 * Remember the rate that really was, for the doctor page, if a rate above the
 * tick was asked for.
 */
static void
profile_note(struct pp_task *task, const struct pp_profile *profile)
{
	struct pp_service *service = task->service;
	unsigned int hz = profile_state(task)->hz;
	double used = 0, got = 0;
	uint32_t i;

	if (profile == NULL || profile->samples == 0 ||
	    (int64_t)(PP_NS_PER_SEC / hz) >= service->arena->jiffy_ns)
		return;
	for (i = 0; i < profile->comments; i++) {
		if (strncmp(profile->comment[i], "hz_actual=", 10) == 0)
			got = strtod(profile->comment[i] + 10, NULL);
		if (strncmp(profile->comment[i], "cpu_seconds_kernel=", 19) ==
		    0)
			used = strtod(profile->comment[i] + 19, NULL);
	}
	/* An idle service has no rate. */
	if (used < FAST_USED_S)
		return;
	service->fast_asked = hz;
	service->fast_got = got;
}

void
pp_ep_profile_finish(struct pp_task *task)
{
	struct pp_service *service = task->service;
	struct pp_profile *profile;

	profile = pp_cpu_end(profile_state(task)->session);
	service->cpu_profiles--;
	profile_note(task, profile);
	pp_format_head(&task->asked, "profile", "", &task->answer);
	profile_names(service, profile);
	if (profile == NULL ||
	    pp_format_body(&task->asked, profile, "profile", &task->answer) !=
		0)
		pp_answer_full(&task->answer,
		    "There is no room for the profile");
	pp_profile_free(profile);
}

void
pp_ep_profile_cancel(struct pp_task *task)
{
	pp_cpu_cancel(profile_state(task)->session);
	task->service->cpu_profiles--;
}
