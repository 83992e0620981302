/*
 * The service: which endpoint a request is for, and the life of tasks. The
 * endpoints' answers are in ep_*.c.
 *
 * Rule: every request gets an answer, here or from an endpoint. Nothing in a
 * request is trusted but that its texts are terminated.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/yield.h"
#include "service/endpoints.h"
#include "service/endpoints/stall_text.h"
#include "service/http/answer.h"
#include "service/service.h"

/* Longest location header of a redirect; a longer query is left out. */
#define LOCATION_MAX 1024

/* malloc() maps blocks of this size and more by themselves. */
#define LARGE_BYTES (256 * 1024)

/*
 * Called while names are looked up and an answer is written, since events of a
 * trace and samples keep coming.
 */
static void
service_yields(void *arg)
{
	struct pp_service *service = arg;
	int64_t now = pp_clock_mono();

	(void)pp_tracer_tick(service->tracer, now);
	(void)pp_cpu_tick(service->cpu, now);
}

struct pp_service *
pp_service_new(struct pp_arena *arena, int arena_fd, struct pp_symbols *symbols)
{
	struct pp_service *service;

	/*
	 * The threshold is set so that glibc does not change it: the buffer of
	 * a large profile is then one mapping, which moves as it grows and goes
	 * back to the kernel when it is freed.
	 */
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	if ((service = calloc(1, sizeof(*service))) == NULL)
		return (NULL);
	service->arena = arena;
	service->symbols = symbols;
	service->endpoints = pp_endpoints;
	service->endpoints_count = pp_endpoints_count;
	service->slots = arena->slots;
	service->parent_pid = arena->parent_pid;
	service->idle_since = service->started_ns = pp_clock_mono();
	service->statm = -1;
	LIST_INIT(&service->tasks);
	service->map = pp_address_map_new();
	if (service->map != NULL) {
		service->cpu = pp_cpu_new(arena, arena_fd, service->map);
		service->heap =
		    pp_heap_reader_new(arena, service->slots, service->map);
		service->memory = pp_memory_new(arena, service->slots);
		service->resolver =
		    pp_resolver_new(arena, service->slots, service->map);
		service->tracer =
		    pp_tracer_new(arena, service->slots, service->map);
		service->routes = pp_counts_routes_new(arena, service->slots);
	}
	if (service->cpu != NULL && service->resolver != NULL)
		service->stalls = pp_stalls_new(service->resolver, service->cpu,
		    service->parent_pid, arena->stall_ms);
	if (service->cpu != NULL)
		service->recorder =
		    pp_recorder_new(service->cpu, arena->recorder_hz);
	if (service->recorder == NULL || service->stalls == NULL ||
	    service->cpu == NULL || service->heap == NULL ||
	    service->memory == NULL || service->resolver == NULL ||
	    service->tracer == NULL || service->routes == NULL) {
		pp_service_free(service);
		return (NULL);
	}
	pp_cpu_follow(service->cpu, pp_counts_routes_cpu, service->routes);
	pp_stalls_report_to(service->stalls, pp_ep_stall_log, pp_ep_stall_name,
	    service);
	pp_service_follow_objects(service);
	pp_yield_to(service_yields, service);
	return (service);
}

void
pp_service_free(struct pp_service *service)
{
	if (service == NULL)
		return;
	pp_yield_to(NULL, NULL);
	if (service->statm != -1)
		close(service->statm);
	pp_stalls_free(service->stalls);
	pp_recorder_free(service->recorder);
	if (service->cpu != NULL)
		pp_cpu_free(service->cpu);
	pp_heap_reader_free(service->heap);
	pp_memory_free(service->memory);
	pp_resolver_free(service->resolver);
	pp_tracer_free(service->tracer);
	pp_counts_routes_free(service->routes);
	if (service->map != NULL)
		pp_address_map_free(service->map);
	free(service);
}

void
pp_service_log(struct pp_service *service, void (*log)(const char *line))
{
	service->log = log;
}

void
pp_service_lock_settings(struct pp_service *service)
{
	service->settings_locked = 1;
}

void
pp_service_own(struct pp_service *service, int statm)
{
	service->statm = statm;
}

void
pp_service_take_proc(struct pp_service *service, uint32_t worker, int32_t pid,
    int fd)
{
	pp_memory_take_proc(service->memory, worker, pid, fd);
}

/* The path is the prefix without its slash: it leads to the index page, as in
 * Go's mux. */
static void
service_redirect(struct pp_task *task, const struct pp_request *request)
{
	char location[LOCATION_MAX];
	const char *c;
	int query = *request->query != '\0';

	for (c = request->query; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~')
			query = 0;
	}
	if (strlen(request->prefix) + strlen(request->query) + 3 >
	    sizeof(location))
		query = 0;
	snprintf(location, sizeof(location), "%s/%s%s", request->prefix,
	    query ? "?" : "", query ? request->query : "");
	pp_answer_start(&task->answer, 301, PP_TYPE_TEXT);
	pp_answer_header(&task->answer, "location", location);
	pp_buf_text(&task->answer.body, "Moved Permanently\n");
}

static void
service_refuse_method(struct pp_task *task, unsigned int methods)
{
	pp_answer_start(&task->answer, 405, PP_TYPE_TEXT);
	pp_answer_header(&task->answer, "allow",
	    methods & PP_TAKES_POST ? "GET, HEAD, POST" : "GET, HEAD");
	pp_buf_text(&task->answer.body, "Method Not Allowed\n");
}

struct pp_task *
pp_service_begin(struct pp_service *service, const struct pp_request *request)
{
	const struct pp_endpoint *endpoint;
	struct pp_task *task;
	unsigned int methods;

	if ((task = calloc(1, sizeof(*task))) == NULL)
		return (NULL);
	task->service = service;
	LIST_INSERT_HEAD(&service->tasks, task, list);
	service->trimmed = 0;
	endpoint = pp_endpoint_find(request->path);
	if (endpoint == NULL && pp_ep_custom_find(task, request->path))
		endpoint = &pp_ep_custom;
	methods = endpoint == NULL ? PP_TAKES_GET : endpoint->methods;
	if (request->method >= PP_METHOD_OTHER ||
	    (methods & 1U << request->method) == 0) {
		service_refuse_method(task, methods);
	} else if (*request->path == '\0') {
		service_redirect(task, request);
	} else if (endpoint == NULL) {
		pp_answer_error(&task->answer, 404, "Unknown profile");
	} else {
		task->endpoint = endpoint;
		endpoint->begin(task, request);
	}
	return (task);
}

int64_t
pp_task_deadline(const struct pp_task *task)
{
	return (task->deadline);
}

static void
service_forget(struct pp_task *task)
{
	LIST_REMOVE(task, list);
	task->service->idle_since = pp_clock_mono();
	pp_answer_free(&task->answer);
	free(task);
}

void
pp_task_finish(struct pp_task *task, struct pp_answer *answer)
{
	if (task->endpoint != NULL && task->answer.status == 0)
		task->endpoint->finish(task);
	if (task->answer.body.failed || task->answer.headers.failed)
		pp_answer_full(&task->answer,
		    "There is no room for the answer");
	*answer = task->answer;
	memset(&task->answer, 0, sizeof(task->answer));
	service_forget(task);
}

void
pp_task_cancel(struct pp_task *task)
{
	if (task->endpoint != NULL && task->answer.status == 0 &&
	    task->endpoint->cancel != NULL)
		task->endpoint->cancel(task);
	service_forget(task);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return (a < b ? a : b);
}

static int64_t
service_tasks(struct pp_service *service, int64_t now)
{
	int64_t next = INT64_MAX;
	struct pp_task *task;

	LIST_FOREACH(task, &service->tasks, list) {
		if (task->answer.status == 0 && task->endpoint->tick != NULL)
			next = earlier(next, task->endpoint->tick(task, now));
	}
	return (next);
}

int64_t
pp_service_tick(struct pp_service *service, int64_t now)
{
	int64_t next, idle;

	/*
	 * Traces come before CPU samples: then the handler in which a sample
	 * was taken is known.
	 */
	pp_service_heap_line(service, now);
	next = pp_tracer_tick(service->tracer, now);
	next = earlier(next, pp_cpu_tick(service->cpu, now));
	next = earlier(next, pp_recorder_tick(service->recorder, now));
	next = earlier(next, pp_service_name_recorded(service, now));
	next = earlier(next, pp_stalls_tick(service->stalls, now));
	next = earlier(next, service_tasks(service, now));
	if (!LIST_EMPTY(&service->tasks) || service->trimmed)
		return (next);
	idle = service->idle_since + PP_SERVICE_IDLE_NS;
	if (idle > now)
		return (earlier(next, idle));
	pp_symbols_trim(service->symbols);
	service->warm = 0;
	malloc_trim(0);
	service->trimmed = 1;
	return (next);
}
