/*
 * trace: what all workers do, moment by moment. Recording is trace/tracer.c,
 * bytes are encode/trace/trace_go.c and trace_perfetto.c; here they meet.
 *
 * Rule: seconds= is read as Go reads it; max= is ours and is told about.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/budget.h"
#include "base/clock.h"
#include "encode/trace/trace_go.h"
#include "encode/trace/trace_perfetto.h"
#include "service/endpoints/endpoint.h"
#include "service/http/answer.h"
#include "service/http/query.h"
#include "symbol/symbolize.h"

/*
 * When less than this is left of the memory that a collector may keep, all
 * traces end early.
 */
#define TRACE_ROOM (1 << 20)

/* A form of the file. The functions are those of its encoder. */
struct pp_trace_form {
	const char *name; /* of format= */
	const char *file; /* the content-disposition */
	void *(*begin)(const struct pp_tracer *, int64_t now, uint64_t max);
	pp_tracer_reader *reader;
	int (*full)(const void *file);
	/* Takes the file, and puts its length into the answer; -1: out of
	 * memory. */
	int (*finish)(struct pp_task *task);
	void (*end)(void *file);
};

/* What a trace keeps while it runs. */
struct trace_state {
	struct pp_tracer_session *session;
	const struct pp_trace_form *form;
	void *file; /* the form's encoder */
	int cut;    /* 1: it ended early, for want of memory */
};
static PP_TASK_STATE(trace_state, struct trace_state);

static void *
go_begin(const struct pp_tracer *tracer, int64_t now, uint64_t max)
{
	(void)tracer;
	return (pp_go_new(now, max));
}

static int
go_full(const void *file)
{
	return (pp_go_full(file));
}

/* The stacks of the trace get names first. */
static int
go_finish(struct pp_task *task)
{
	struct trace_state *trace = trace_state(task);
	struct pp_service *service = task->service;
	struct pp_profile *stacks = NULL;
	const uint32_t *words;
	uint32_t count;
	int file = -1;

	words = pp_go_stacks_of(trace->file, &count);
	if (words != NULL)
		stacks = pp_tracer_profile(service->tracer, words, count);
	if (stacks != NULL) {
		pp_service_follow_objects(service);
		pp_symbolize(stacks, service->map, service->symbols);
		file = pp_go_finish(trace->file, service->tracer, stacks,
		    &task->answer.file_len);
	}
	pp_profile_free(stacks);
	return (file);
}

static void
go_end(void *file)
{
	pp_go_free(file);
}

static void *
perfetto_begin(const struct pp_tracer *tracer, int64_t now, uint64_t max)
{
	return (pp_perfetto_new(tracer, now, max));
}

static int
perfetto_full(const void *file)
{
	return (pp_perfetto_full(file));
}

static int
perfetto_finish(struct pp_task *task)
{
	return (pp_perfetto_finish(trace_state(task)->file,
	    &task->answer.file_len));
}

static void
perfetto_end(void *file)
{
	pp_perfetto_free(file);
}

/* The first form is the default. */
static const struct pp_trace_form forms[] = {
	{ "go", "attachment; filename=\"trace\"", go_begin, pp_go_event,
	    go_full, go_finish, go_end },
	{ "perfetto", "attachment; filename=\"trace.perfetto-trace\"",
	    perfetto_begin, pp_perfetto_event, perfetto_full, perfetto_finish,
	    perfetto_end },
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

/* Returns NULL after an answer of status 400. */
static const struct pp_trace_form *
trace_form(struct pp_task *task, const char *query)
{
	char shown[PP_QUERY_VALUE_MAX + 4];
	struct pp_query_value value;
	size_t i;

	pp_query_get(query, strlen(query), "format", &value);
	if (value.len == 0)
		return (&forms[0]);
	for (i = 0; i < FORMS; i++) {
		if (strlen(forms[i].name) == value.len &&
		    memcmp(forms[i].name, value.text, value.len) == 0)
			return (&forms[i]);
	}
	pp_query_show(&value, shown);
	pp_answer_error(&task->answer, 400,
	    "invalid value \"%s\" for \"format\" of a trace - must be one of "
	    "go, perfetto",
	    shown);
	return (NULL);
}

uint64_t
pp_ep_trace_count(const struct pp_service *service)
{
	return (service->traces);
}

/*
 * Go takes one second without a word if the value is no number or is not
 * positive. Here more than an hour is an error. NaN ends the trace at once, as
 * in Go.
 */
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
	struct trace_state *trace = trace_state(task);

	pp_tracer_end(trace->session);
	trace->form->end(trace->file);
	if (--task->service->traces == 0)
		pp_cpu_listen(task->service->cpu, NULL, NULL);
}

/*
 * The time between two readings of the kernel's account; a reading costs more
 * than one of the heap samples.
 */
#define RESIDENT_NS PP_NS_PER_SEC

/*
 * The heap's line comes from heap samples. If these are off, it is the memory
 * that the workers have by the kernel's account.
 */
static void
trace_heap(struct pp_service *service)
{
	uint64_t bytes;

	bytes = atomic_load(&service->arena->control.heap_rate) != 0
	    ? pp_heap_reader_live(service->heap)
	    : pp_memory_resident(service->memory);
	pp_tracer_heap(service->tracer, bytes);
	service->heap_sent_ns = pp_clock_mono();
}

void
pp_service_heap_line(struct pp_service *service, int64_t now)
{
	if (pp_tracer_heap_due(service->tracer) <= now &&
	    (atomic_load(&service->arena->control.heap_rate) != 0 ||
		now - service->heap_sent_ns >= RESIDENT_NS))
		trace_heap(service);
}

void
pp_ep_trace_begin(struct pp_task *task, const struct pp_request *request)
{
	struct trace_state *trace = trace_state(task);
	struct pp_service *service = task->service;
	const struct pp_trace_form *form;
	int64_t ns, max, now = pp_clock_mono();
	int failed;

	if (trace_seconds(task, request->query, &ns) != 0 ||
	    trace_max(task, request->query, &max) != 0 ||
	    (form = trace_form(task, request->query)) == NULL)
		return;
	trace->form = form;
	trace->file = form->begin(service->tracer, now, (uint64_t)max);
	trace_heap(service);
	errno = ENOMEM;
	if (trace->file != NULL)
		trace->session =
		    pp_tracer_begin(service->tracer, form->reader, trace->file);
	if (trace->session == NULL) {
		failed = errno;
		form->end(trace->file);
		if (failed == EAGAIN)
			pp_answer_error(&task->answer, 503,
			    "Could not enable tracing: %d traces are in "
			    "progress, which is the most at once",
			    PP_TRACES_MAX);
		else
			pp_answer_full(&task->answer,
			    "Could not enable tracing");
		return;
	}
	service->traces++;
	pp_cpu_listen(service->cpu, pp_tracer_sample, service->tracer);
	task->deadline = now + ns;
	/* The first trace makes the tables that all traces use, so the budget
	 * is asked after that. */
	if (pp_budget_keeps(TRACE_ROOM))
		return;
	trace_forget(task);
	pp_answer_full(&task->answer, "Could not enable tracing");
	task->deadline = 0;
}

void
pp_ep_trace_finish(struct pp_task *task)
{
	struct trace_state *trace = trace_state(task);
	char lost[32];

	pp_answer_start(&task->answer, 200, "application/octet-stream");
	pp_answer_header(&task->answer, "content-disposition",
	    trace->form->file);
	/*
	 * CPU samples of this time are in the CPU rings; the handlers in which
	 * the samples were taken are in the trace's rings.
	 */
	(void)pp_tracer_tick(task->service->tracer, pp_clock_mono());
	(void)pp_cpu_tick(task->service->cpu, pp_clock_mono());
	trace_heap(task->service);
	pp_tracer_stop(trace->session);
	snprintf(lost, sizeof(lost), "%llu",
	    (unsigned long long)pp_tracer_lost(trace->session));
	pp_answer_header(&task->answer, "x-pprof-lost", lost);
	if (trace->form->full(trace->file))
		pp_answer_header(&task->answer, "x-pprof-ended-early",
		    "max reached");
	else if (trace->cut)
		pp_answer_header(&task->answer, "x-pprof-ended-early",
		    "PPROF_MEMORY_MIB reached");
	task->answer.file = trace->form->finish(task);
	if (task->answer.file == -1) {
		task->answer.file_len = 0;
		pp_answer_full(&task->answer, "There is no room for the trace");
	}
	trace_forget(task);
}

void
pp_ep_trace_cancel(struct pp_task *task)
{
	trace_forget(task);
}

/* A trace that is full is due now. */
int64_t
pp_ep_trace_tick(struct pp_task *task, int64_t now)
{
	struct trace_state *trace = trace_state(task);
	int full = !pp_budget_keeps(TRACE_ROOM);

	if (full && task->deadline > now)
		trace->cut = 1;
	if (full || trace->form->full(trace->file))
		task->deadline = now;
	return (INT64_MAX);
}
