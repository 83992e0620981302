/*
 * trace: what all workers do, moment by moment. Recording is profile/tracer.c,
 * bytes are encode/trace_go.c; here they meet.
 *
 * Rule: seconds= is read as Go reads it; max= is ours and is told about.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "encode/trace_go.h"
#include "service/answer.h"
#include "service/endpoint.h"
#include "service/query.h"
#include "symbol/symbolize.h"

uint64_t
pp_ep_trace_count(const struct pp_service *service)
{
	return (service->traces);
}

/* Go takes what is no number, and what is not positive, for a second without
 * a word. More than an hour is an error here; what is none at all ends the
 * trace at once, in Go as well. */
static int
trace_seconds(struct pp_task *task, const char *query, int64_t *ns)
{
	struct pp_query_value value;
	char shown[PP_QUERY_VALUE_MAX + 4];
	double seconds;

	pp_query_get(query, strlen(query), "seconds", &value);
	seconds = pp_query_float(&value);
	if (seconds > PP_TRACE_SECONDS_MAX) {
		pp_query_show(&value, shown);
		pp_answer_error(&task->answer, 400,
		    "invalid value \"%s\" for \"seconds\" - must be at most %d",
		    shown, PP_TRACE_SECONDS_MAX);
		return (-1);
	}
	if (seconds <= 0)
		seconds = 1;
	*ns = seconds > 0 ? (int64_t)(seconds * (double)PP_NS_PER_SEC) : 0;
	return (0);
}

static int
trace_max(struct pp_task *task, const char *query, int64_t *max)
{
	struct pp_query_value value;
	char shown[PP_QUERY_VALUE_MAX + 4];

	*max = PP_TRACE_BYTES_DEFAULT;
	pp_query_get(query, strlen(query), "max", &value);
	if (value.len == 0)
		return (0);
	if (pp_query_int(&value, max) == PP_QUERY_NUMBER &&
	    *max >= PP_TRACE_BYTES_MIN && *max <= PP_TRACE_BYTES_MAX)
		return (0);
	pp_query_show(&value, shown);
	pp_answer_error(&task->answer, 400,
	    "invalid value \"%s\" for \"max\" - must be a whole number of "
	    "bytes from %d to %d",
	    shown, PP_TRACE_BYTES_MIN, PP_TRACE_BYTES_MAX);
	return (-1);
}

static void
trace_forget(struct pp_task *task)
{
	LIST_REMOVE(task, trace.list);
	pp_tracer_end(task->trace.session);
	pp_trace_go_free(task->trace.go);
	if (--task->service->traces == 0)
		pp_cpu_listen(task->service->cpu, NULL, NULL);
}

void
pp_ep_trace_begin(struct pp_task *task, const struct pp_request *request)
{
	struct pp_service *service = task->service;
	int64_t ns, max, now = pp_clock_mono();

	if (trace_seconds(task, request->query, &ns) != 0 ||
	    trace_max(task, request->query, &max) != 0)
		return;
	task->trace.go = pp_trace_go_new(now, (uint64_t)max);
	errno = ENOMEM;
	if (task->trace.go != NULL)
		task->trace.session = pp_tracer_begin(service->tracer,
		    pp_trace_go_event, task->trace.go);
	if (task->trace.session == NULL) {
		pp_trace_go_free(task->trace.go);
		if (errno == EAGAIN)
			pp_answer_error(&task->answer, 503,
			    "Could not enable tracing: %d traces are in "
			    "progress, which is the most at once",
			    PP_TRACES_MAX);
		else
			pp_answer_error(&task->answer, 503,
			    "Could not enable tracing: %s", strerror(errno));
		return;
	}
	LIST_INSERT_HEAD(&service->tracing, task, trace.list);
	service->traces++;
	pp_cpu_listen(service->cpu, pp_tracer_sample, service->tracer);
	task->deadline = now + ns;
}

/* Names for the stacks, and the file. Returns -1 when out of memory. */
static int
trace_body(struct pp_task *task)
{
	struct pp_service *service = task->service;
	struct pp_profile *stacks = NULL;
	const uint32_t *words;
	uint32_t count;

	words = pp_trace_go_stacks(task->trace.go, &count);
	if (words != NULL)
		stacks = pp_tracer_profile(service->tracer, words, count);
	if (stacks != NULL) {
		pp_service_follow_objects(service);
		pp_symbolize(stacks, service->canon, service->symbols);
		task->answer.file = pp_trace_go_finish(task->trace.go,
		    service->tracer, stacks, &task->answer.file_len);
	}
	pp_profile_free(stacks);
	return (stacks == NULL || task->answer.file == -1 ? -1 : 0);
}

void
pp_ep_trace_finish(struct pp_task *task)
{
	char lost[32];

	pp_answer_start(&task->answer, 200, "application/octet-stream");
	pp_answer_header(&task->answer, "content-disposition",
	    "attachment; filename=\"trace\"");
	/* CPU samples of this time are in their rings, and what they were
	 * taken in, in those of the trace. */
	(void)pp_tracer_tick(task->service->tracer, pp_clock_mono());
	(void)pp_cpu_tick(task->service->cpu, pp_clock_mono());
	pp_tracer_stop(task->trace.session);
	snprintf(lost, sizeof(lost), "%llu",
	    (unsigned long long)pp_tracer_lost(task->trace.session));
	pp_answer_header(&task->answer, "x-pprof-lost", lost);
	if (pp_trace_go_full(task->trace.go))
		pp_answer_header(&task->answer, "x-pprof-ended-early",
		    "max reached");
	if (trace_body(task) == -1) {
		task->answer.file_len = 0;
		pp_answer_error(&task->answer, 503,
		    "The collector ran out of memory while it wrote the "
		    "trace; try fewer seconds or a smaller max");
	}
	trace_forget(task);
}

void
pp_ep_trace_cancel(struct pp_task *task)
{
	trace_forget(task);
}

int64_t
pp_ep_trace_tick(struct pp_service *service, int64_t now)
{
	struct pp_task *task;
	int64_t next;

	if (pp_tracer_heap_due(service->tracer) <= now)
		pp_tracer_heap(service->tracer,
		    pp_heap_reader_live(service->heap));
	next = pp_tracer_tick(service->tracer, now);
	LIST_FOREACH(task, &service->tracing, trace.list) {
		if (pp_trace_go_full(task->trace.go))
			task->deadline = now;
	}
	return (next);
}
