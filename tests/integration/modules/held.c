/*
 * What only a trace shows: handlers that keep their worker from its loop for a
 * known time, and an application that says itself what it does.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <pprof.h>
#include <stdlib.h>
#include <time.h>

int page_hold(struct http_request *);
int page_mine(struct http_request *);

static int
reply(struct http_request *req)
{
	http_response(req, 200, "ok\n", 3);
	return (KORE_RESULT_OK);
}

/* ?MS, 20 when it is not said. */
int
page_hold(struct http_request *req)
{
	long ms = req->query_string != NULL ? atol(req->query_string) : 20;
	struct timespec rest = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&rest, &rest) == -1)
		continue;
	return (reply(req));
}

int
page_mine(struct http_request *req)
{
	uint64_t task = pprof_trace_task_begin("invoice");

	pprof_trace_region_begin("render");
	pprof_trace_region_begin("sum");
	pprof_trace_log("invoice", "number 4711");
	pprof_trace_region_end();
	pprof_trace_region_end();
	pprof_trace_task_end(task);
	return (reply(req));
}
