/*
 * routes: what requests do, by route and method, as JSON for a page that asks
 * each second. The sums are counts/route_sums.c's; the form is in formats.md.
 *
 * Rule: nothing here waits for a worker or asks one; two answers and a
 * subtraction are all that a reader needs.
 */
#include <inttypes.h>

#include "encode/bytes/json.h"
#include "service/endpoints/endpoint.h"
#include "service/http/answer.h"
#include "store/routes.h"

static void
routes_text(struct pp_buf *out, const char *key, const char *text)
{
	pp_buf_printf(out, "\"%s\":", key);
	if (text == NULL)
		pp_buf_text(out, "null");
	else
		pp_json_string(out, text);
	pp_buf_text(out, ",");
}

/* [bucket, requests] of those that have any. */
static void
routes_times(struct pp_buf *out, const struct pp_counts_route *sum)
{
	uint32_t time;
	int any = 0;

	pp_buf_text(out, "\"times\":[");
	for (time = 0; time < PP_ROUTE_TIMES; time++) {
		if (sum->time[time] == 0)
			continue;
		pp_buf_printf(out, "%s[%u,%" PRIu64 "]", any ? "," : "", time,
		    sum->time[time]);
		any = 1;
	}
	pp_buf_text(out, "]}");
}

static void
routes_row(struct pp_buf *out, const struct pp_counts_route *sum, int sampled)
{
	pp_buf_text(out, "{");
	routes_text(out, "method", sum->method);
	routes_text(out, "route", sum->route);
	pp_buf_printf(out,
	    "\"requests\":%" PRIu64 ",\"in_flight\":%" PRIu64
	    ",\"abandoned\":%" PRIu64 ",\"ns\":%" PRIu64
	    ",\"running_ns\":%" PRIu64 ",",
	    sum->requests, sum->in_flight, sum->abandoned, sum->ns,
	    sum->running_ns);
	if (sampled)
		pp_buf_printf(out, "\"cpu_ns\":%" PRIu64 ",", sum->cpu_ns);
	else
		pp_buf_text(out, "\"cpu_ns\":null,");
	pp_buf_printf(out,
	    "\"alloc_objects\":%" PRIu64 ",\"alloc_bytes\":%" PRIu64 ",",
	    sum->alloc[0], sum->alloc[1]);
	routes_times(out, sum);
}

static void
routes_bounds(struct pp_buf *out)
{
	uint32_t time;

	pp_buf_text(out, "\"bounds_ns\":[");
	for (time = 0; time + 1 < PP_ROUTE_TIMES; time++)
		pp_buf_printf(out, "%s%" PRIu64, time == 0 ? "" : ",",
		    pp_route_time_end(time));
	pp_buf_text(out, "],\n");
}

static void
routes_workers(const struct pp_service *service, struct pp_buf *out)
{
	const struct pp_life *life;
	uint32_t slot;

	pp_buf_text(out, "\"workers\":[");
	for (slot = 1; slot < service->slots; slot++) {
		life = &service->arena->slot[slot].life;
		pp_buf_printf(out,
		    "%s{\"worker\":%u,\"pid\":%d,\"generation\":%u}",
		    slot == 1 ? "" : ",", slot, (int)atomic_load(&life->pid),
		    atomic_load(&life->generation));
	}
	pp_buf_text(out, "],\n");
}

/* CPU is measured by a profile that somebody takes, or by the flight recorder.
 */
static int
routes_cpu_sampled(const struct pp_service *service)
{
	return (
	    service->cpu_profiles > 0 || pp_recorder_hz(service->recorder) > 0);
}

void
pp_ep_routes_begin(struct pp_task *task, const struct pp_request *request)
{
	struct pp_service *service = task->service;
	struct pp_buf *out = &task->answer.body;
	const struct pp_counts_route *sum;
	int sampled = routes_cpu_sampled(service);
	uint32_t count, i;

	(void)request;
	sum = pp_counts_routes_read(service->routes, service->heap, &count);
	pp_answer_start(&task->answer, 200, "application/json");
	pp_answer_header(&task->answer, "cache-control", "no-store");
	pp_buf_printf(out,
	    "{\"now_ns\":%" PRId64 ",\"cpu_since_ns\":%" PRId64
	    ",\"cpu_sampled\":%s,\"heap_rate\":%" PRIu64 ",\n",
	    pp_clock_mono(), service->started_ns, sampled ? "true" : "false",
	    atomic_load(&service->arena->control.heap_rate));
	routes_workers(service, out);
	routes_bounds(out);
	pp_buf_text(out, "\"routes\":[");
	for (i = 0; i < count; i++) {
		pp_buf_text(out, i == 0 ? "\n" : ",\n");
		routes_row(out, &sum[i], sampled);
	}
	pp_buf_text(out, "\n]}\n");
}
