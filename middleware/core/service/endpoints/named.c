/*
 * Snapshots and deltas; see named.h. What the profiles hold is their own
 * (ep_heap.c, ep_counts.c, ep_goroutine.c, ep_custom.c).
 */
#include <stdio.h>
#include <string.h>

#include "base/budget.h"
#include "encode/text/text_count.h"
#include "profile/delta.h"
#include "service/endpoints/endpoint.h"
#include "service/http/answer.h"
#include "service/http/query.h"
#include "symbol/symbolize.h"

/* These are Go's words, and the one reason that only exists here. */
#define NAMED_UNCOLLECTED                                                      \
	"failed to collect profile: the collector is out of memory"

PP_TASK_STATE(pp_named_state, struct pp_named_task);

/*
 * Reads a number as Go's strconv.Atoi() if its error is ignored: a text that is
 * no number is 0, a number that is too large is the largest.
 */
static int64_t
named_number(const char *query, const char *key)
{
	struct pp_query_value value;
	int64_t number = 0;

	pp_query_get(query, strlen(query), key, &value);
	switch (pp_query_int(&value, &number)) {
	case PP_QUERY_NUMBER:
		return (number);
	case PP_QUERY_TOO_LARGE:
		return (INT64_MAX);
	case PP_QUERY_TOO_SMALL:
		return (INT64_MIN);
	default:
		return (0);
	}
}

/* The checks come in Go's order: the number, whether it means something here,
 * how long that would be, and whether another parameter contradicts. */
static int
named_seconds(struct pp_task *task, const struct pp_query_value *value)
{
	struct pp_named_task *t = pp_named_state(task);
	char shown[PP_QUERY_VALUE_MAX + 4];

	if (pp_query_int(value, &t->seconds) != PP_QUERY_NUMBER ||
	    t->seconds <= 0) {
		pp_answer_error(&task->answer, 400,
		    "invalid value for \"seconds\" - must be a positive "
		    "integer");
		return (-1);
	}
	if (!task->endpoint->named->delta) {
		pp_answer_error(&task->answer, 400,
		    "\"seconds\" parameter is not supported for this profile "
		    "type");
		return (-1);
	}
	if (t->seconds > PP_SECONDS_MAX) {
		pp_query_show(value, shown);
		pp_answer_error(&task->answer, 400,
		    "invalid value \"%s\" for \"seconds\" - must be at most %d",
		    shown, PP_SECONDS_MAX);
		return (-1);
	}
	if (t->debug != 0) {
		pp_answer_error(&task->answer, 400,
		    "seconds and debug params are incompatible");
		return (-1);
	}
	return (0);
}

static void
named_asked(struct pp_task *task)
{
	if (task->endpoint->named->asked != NULL)
		task->endpoint->named->asked(task);
}

/* Nobody waits for answers any more. */
static void
named_leave(struct pp_task *task)
{
	struct pp_named_task *t = pp_named_state(task);

	if (t->phase == PP_NAMED_READY)
		return;
	if (t->phase != PP_NAMED_BETWEEN)
		named_asked(task);
	t->phase = PP_NAMED_READY;
}

/*
 * If this request needs the workers' answers, ask; pp_named_tick() then looks
 * for the answers.
 */
static int
named_ask(struct pp_task *task, int phase)
{
	const struct pp_named *named = task->endpoint->named;
	struct pp_named_task *t = pp_named_state(task);

	/*
	 * The time is read before the first worker can have seen the question.
	 */
	t->asked_ns = pp_clock_mono();
	if (named->ask == NULL || !named->ask(task))
		return (0);
	t->phase = phase;
	t->reminded = 0;
	return (1);
}

static void
named_forget(struct pp_task *task)
{
	struct pp_named_task *t = pp_named_state(task);

	named_leave(task);
	if (t->before != NULL)
		task->service->kept -= t->before->samples;
	pp_profile_free(t->before);
	t->before = NULL;
}

static void
named_fail(struct pp_task *task, const char *sentence)
{
	named_forget(task);
	pp_answer_error(&task->answer, 500, "%s", sentence);
	task->deadline = 0;
}

/* The first reading of a delta; the second comes when it is due. */
static void
named_first(struct pp_task *task)
{
	struct pp_named_task *t = pp_named_state(task);

	t->before = task->endpoint->named->take(task);
	if (t->before == NULL) {
		named_fail(task, NAMED_UNCOLLECTED);
		return;
	}
	task->service->kept += t->before->samples;
	if (pp_format_value(&task->asked, t->before->value_type,
		t->before->value_types, t->before->default_type,
		&task->answer) == -1) {
		named_forget(task);
		task->deadline = 0;
		return;
	}
	t->begun_ns = pp_clock_mono();
	task->deadline = t->begun_ns + t->seconds * PP_NS_PER_SEC;
}

static void
named_delta(struct pp_task *task)
{
	struct pp_service *service = task->service;

	if (service->kept >= PP_DELTA_SAMPLES_MAX) {
		pp_answer_error(&task->answer, 503,
		    "Too many profiles with seconds= are in progress: they "
		    "hold %u samples, and %u is the most",
		    service->kept, PP_DELTA_SAMPLES_MAX);
		return;
	}
	if (!pp_budget_keeps(PP_BUDGET_LARGE)) {
		pp_answer_full(&task->answer,
		    "No further profile with seconds= can be kept");
		return;
	}
	if (named_ask(task, PP_NAMED_FIRST))
		task->deadline = INT64_MAX; /* until pp_named_tick() says */
	else
		named_first(task);
}

void
pp_named_symbolize(struct pp_task *task, struct pp_profile *profile)
{
	struct pp_service *service = task->service;

	pp_service_follow_objects(service);
	pp_symbolize(profile, service->map, service->symbols);
}

int
pp_named_text_count(struct pp_task *task, struct pp_profile *profile,
    const char *comments)
{
	int failed;

	if (profile == NULL)
		return (-1);
	pp_named_symbolize(task, profile);
	pp_encode_text_count(profile, comments, &task->answer.body);
	failed = profile->failed || task->answer.body.failed;
	pp_profile_free(profile);
	return (failed ? -1 : 0);
}

static const char *
named_title(struct pp_task *task)
{
	const char *name = task->endpoint->named->name;

	return (name == NULL ? pp_named_state(task)->custom : name);
}

/* Writes the body that is asked for. Returns -1 if out of memory. */
static int
named_body(struct pp_task *task, const char **failure)
{
	const struct pp_named *named = task->endpoint->named;
	struct pp_named_task *t = pp_named_state(task);
	struct pp_profile *profile, *delta;
	int64_t now = pp_clock_mono();
	int status = -1;

	*failure = NAMED_UNCOLLECTED;
	if (t->debug > 0 || (t->debug < 0 && named->text_below_zero))
		return (named->text(task));
	profile = named->take(task);
	if (profile != NULL && t->before != NULL) {
		*failure =
		    "failed to compute delta: the collector is out of memory";
		delta = pp_delta(t->before, profile, now - t->begun_ns);
		pp_profile_free(profile);
		profile = delta;
	}
	if (profile != NULL) {
		pp_named_symbolize(task, profile);
		status = pp_format_body(&task->asked, profile,
		    named_title(task), &task->answer);
	}
	pp_profile_free(profile);
	return (status);
}

static void
named_write(struct pp_task *task)
{
	const char *failure;
	struct pp_named_task *t = pp_named_state(task);

	if (t->debug != 0)
		pp_answer_start(&task->answer, 200, PP_TYPE_TEXT);
	else
		pp_format_head(&task->asked, named_title(task),
		    t->seconds > 0 ? "-delta" : "", &task->answer);
	if (named_body(task, &failure) == -1)
		named_fail(task, failure);
	else
		named_forget(task);
}

void
pp_named_begin(struct pp_task *task, const struct pp_request *request)
{
	struct pp_named_task *t = pp_named_state(task);
	struct pp_query_value seconds;

	pp_query_get(request->query, strlen(request->query), "seconds",
	    &seconds);
	t->debug = named_number(request->query, "debug");
	if (seconds.len > 0 && named_seconds(task, &seconds) != 0)
		return;
	if (pp_format_read(&task->asked, request->query, &task->answer) != 0)
		return;
	if (seconds.len > 0) {
		named_delta(task);
		return;
	}
	t->gc = named_number(request->query, "gc") > 0;
	if (named_ask(task, PP_NAMED_LAST) &&
	    !task->endpoint->named->answered(task))
		task->deadline = t->asked_ns + PP_NAMED_ANSWER_NS;
	else
		named_write(task);
}

void
pp_named_finish(struct pp_task *task)
{
	named_write(task);
}

void
pp_named_cancel(struct pp_task *task)
{
	named_forget(task);
}

int64_t
pp_named_tick(struct pp_task *task, int64_t now)
{
	const struct pp_named *named = task->endpoint->named;
	struct pp_named_task *t = pp_named_state(task);

	if (t->phase == PP_NAMED_READY)
		return (INT64_MAX);
	if (t->phase == PP_NAMED_BETWEEN) {
		if (now < task->deadline || !named_ask(task, PP_NAMED_LAST))
			return (task->deadline);
		task->deadline = t->asked_ns + PP_NAMED_ANSWER_NS;
	} else if (named->answered(task) ||
	    now >= t->asked_ns + PP_NAMED_ANSWER_NS) {
		if (t->phase == PP_NAMED_LAST) {
			named_leave(task);
			task->deadline = 0;
		} else {
			named_asked(task);
			t->phase = PP_NAMED_BETWEEN;
			named_first(task);
		}
		return (task->deadline);
	} else if (!t->reminded && named->remind != NULL &&
	    now >= t->asked_ns + PP_NAMED_REMIND_NS) {
		t->reminded = 1;
		named->remind(task);
	}
	return (now + PP_NAMED_POLL_NS);
}
