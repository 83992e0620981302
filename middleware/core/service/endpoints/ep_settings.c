/*
 * settings: how much is sampled, shown by GET and set by POST.
 *
 * A page of another site can make a browser POST a form here, with the
 * browser's rights; the page cannot add a header to the form. So a POST must
 * have a header. With PPROF_SETTINGS=0 no request changes a rate.
 *
 * Rule: all values are checked before the first is set.
 */
#include <string.h>

#include "merge/wake.h"
#include "service/endpoints/endpoint.h"
#include "service/http/answer.h"
#include "service/http/query.h"

struct setting {
	const char *name;
	const char *unit;
	uint64_t most;
	size_t offset; /* in struct pp_control */
};

static const struct setting settings[] = {
	{ "heap_rate", "bytes", PP_HEAP_RATE_MAX,
	    offsetof(struct pp_control, heap_rate) },
	{ "block_rate", "nanoseconds", PP_BLOCK_RATE_MAX,
	    offsetof(struct pp_control, block_rate_ns) },
	{ "mutex_fraction", "contentions", PP_MUTEX_FRACTION_MAX,
	    offsetof(struct pp_control, mutex_fraction) },
};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static _Atomic uint64_t *
setting_word(struct pp_control *control, size_t i)
{
	return (
	    (_Atomic uint64_t *)(void *)((char *)control + settings[i].offset));
}

static void
settings_show(struct pp_task *task)
{
	struct pp_control *control = &task->service->arena->control;
	size_t i;

	pp_answer_start(&task->answer, 200, "application/json");
	pp_answer_header(&task->answer, "cache-control", "no-store");
	pp_buf_text(&task->answer.body, "{");
	for (i = 0; i < SETTINGS; i++)
		pp_buf_printf(&task->answer.body, "%s\"%s\": %llu",
		    i == 0 ? "" : ", ", settings[i].name,
		    (unsigned long long)atomic_load(setting_word(control, i)));
	pp_buf_printf(&task->answer.body, "%s}\n",
	    task->service->settings_locked
		? ", \"locked\": \"PPROF_SETTINGS=0\""
		: "");
}

/* Reads the parameter's value: like Go's FormValue(), from the body before the
 * query. Returns 1: *out is the value; 0: not given; -1: an answer says what is
 * wrong. */
static int
setting_value(struct pp_task *task, const struct pp_request *request, size_t i,
    uint64_t *out)
{
	const struct setting *setting = &settings[i];
	char shown[PP_QUERY_VALUE_MAX + 4];
	struct pp_query_value value = { 0 };
	int64_t number;

	if (request->body_len > 0)
		pp_query_get(request->body, request->body_len, setting->name,
		    &value);
	if (value.len == 0)
		pp_query_get(request->query, strlen(request->query),
		    setting->name, &value);
	if (value.len == 0)
		return (0);
	if (pp_query_int(&value, &number) == PP_QUERY_NUMBER && number >= 0 &&
	    (uint64_t)number <= setting->most) {
		*out = (uint64_t)number;
		return (1);
	}
	pp_query_show(&value, shown);
	pp_answer_error(&task->answer, 400,
	    "invalid value \"%s\" for \"%s\" - must be a whole number of %s "
	    "from 0 (off) to %llu",
	    shown, setting->name, setting->unit,
	    (unsigned long long)setting->most);
	return (-1);
}

static void
settings_change(struct pp_task *task, const struct pp_request *request)
{
	struct pp_service *service = task->service;
	uint64_t number[SETTINGS];
	int given[SETTINGS], any = 0;
	size_t i;

	for (i = 0; i < SETTINGS; i++) {
		given[i] = setting_value(task, request, i, &number[i]);
		if (given[i] == -1)
			return;
		any |= given[i];
	}
	if (!any) {
		pp_answer_error(&task->answer, 400,
		    "Nothing to set: give heap_rate, block_rate or "
		    "mutex_fraction, in the query or as a form");
		return;
	}
	for (i = 0; i < SETTINGS; i++) {
		if (given[i])
			atomic_store(setting_word(&service->arena->control, i),
			    number[i]);
	}
	pp_wake_all(service->arena, service->slots, service->parent_pid);
	settings_show(task);
}

void
pp_ep_settings_begin(struct pp_task *task, const struct pp_request *request)
{
	if (request->method != PP_METHOD_POST)
		settings_show(task);
	else if (task->service->settings_locked)
		pp_answer_error(&task->answer, 403,
		    "Settings are not changed by requests here: the service "
		    "was started with PPROF_SETTINGS=0");
	else if (!request->marked)
		pp_answer_error(&task->answer, 403,
		    "Settings are changed only by requests with the header "
		    "\"X-Pprof: 1\"");
	else
		settings_change(task, request);
}
