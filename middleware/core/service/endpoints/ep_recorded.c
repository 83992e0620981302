/*
 * profile?since=: a profile of the past, from the flight recorder, at once; see
 * cpu/recorder.h. A profile that begins now is ep_profile.c's.
 *
 * Rule: since= and until= are ours, so a bad value is an error, never a
 * default.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "service/endpoints/endpoint.h"
#include "service/http/answer.h"
#include "service/http/query.h"
#include "symbol/symbolize.h"

static int
recorded_number(struct pp_task *task, const char *query, const char *key,
    int64_t min, int64_t *out)
{
	struct pp_query_value value;
	char shown[PP_QUERY_VALUE_MAX + 4];

	pp_query_get(query, strlen(query), key, &value);
	if (value.len == 0)
		return (0);
	if (pp_query_int(&value, out) == PP_QUERY_NUMBER && *out >= min &&
	    *out <= PP_RECORDER_SECONDS)
		return (0);
	pp_query_show(&value, shown);
	pp_answer_error(&task->answer, 400,
	    "invalid value \"%s\" for \"%s\" - must be a whole number of "
	    "seconds from %lld to %d",
	    shown, key, (long long)min, PP_RECORDER_SECONDS);
	return (-1);
}

static int
recorded_window(struct pp_task *task, const char *query, int64_t *since,
    int64_t *until)
{
	static const char *const others[] = { "seconds", "hz" };
	struct pp_query_value value;
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		pp_query_get(query, strlen(query), others[i], &value);
		if (value.len == 0)
			continue;
		pp_answer_error(&task->answer, 400,
		    "since and %s params are incompatible: what is recorded "
		    "has its own length and rate",
		    others[i]);
		return (-1);
	}
	if (recorded_number(task, query, "since", 1, since) != 0 ||
	    recorded_number(task, query, "until", 0, until) != 0)
		return (-1);
	if (*until < *since)
		return (0);
	pp_answer_error(&task->answer, 400,
	    "invalid value \"%lld\" for \"until\" - must be less than since, "
	    "which is %lld: both say how many seconds ago",
	    (long long)*until, (long long)*since);
	return (-1);
}

static void
recorded_answer(struct pp_task *task, int64_t since, int64_t until)
{
	struct pp_service *service = task->service;
	struct pp_recorder_facts facts;
	struct pp_profile *profile;
	int64_t now = pp_clock_mono();

	profile = pp_recorder_profile(service->recorder, now, since, until);
	if (profile == NULL && errno == ENOENT) {
		pp_recorder_measure(service->recorder, now, &facts);
		pp_answer_error(&task->answer, 404,
		    "Nothing is recorded from %lld to %lld seconds ago: the "
		    "flight recorder goes back %lld seconds",
		    (long long)since, (long long)until,
		    (long long)(facts.reach_ns / PP_NS_PER_SEC));
		return;
	}
	pp_format_head(&task->asked, "profile", "", &task->answer);
	if (profile != NULL) {
		pp_service_follow_objects(service);
		pp_symbolize(profile, service->map, service->symbols);
	}
	if (profile == NULL ||
	    pp_format_body(&task->asked, profile, "profile", &task->answer) !=
		0)
		pp_answer_full(&task->answer,
		    "There is no room for the profile");
	pp_profile_free(profile);
}

int
pp_ep_recorded_begin(struct pp_task *task, const char *query)
{
	struct pp_query_value since_text, until_text;
	int64_t since = 0, until = 0;

	pp_query_get(query, strlen(query), "since", &since_text);
	pp_query_get(query, strlen(query), "until", &until_text);
	if (since_text.len == 0 && until_text.len == 0)
		return (0);
	if (since_text.len == 0) {
		pp_answer_error(&task->answer, 400,
		    "until needs since: a window of the past has two ends");
		return (1);
	}
	if (recorded_window(task, query, &since, &until) != 0 ||
	    pp_format_read(&task->asked, query, &task->answer) != 0 ||
	    pp_format_value(&task->asked, pp_cpu_types, PP_CPU_TYPES, NULL,
		&task->answer) == -1)
		return (1);
	if (pp_recorder_hz(task->service->recorder) == 0)
		pp_answer_error(&task->answer, 404,
		    "The flight recorder is off: PPROF_RECORDER_HZ in the "
		    "service's environment was 0 at its start");
	else
		recorded_answer(task, since, until);
	return (1);
}
