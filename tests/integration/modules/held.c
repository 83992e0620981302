/*
 * What only a trace shows: handlers that keep their worker from its loop for a
 * known time, and an application that says itself what it does.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <pprof.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

int page_hold(struct http_request *);
int page_mine(struct http_request *);
int page_threads(struct http_request *);
int page_open(struct http_request *);
int page_take(struct http_request *);
int page_rests(struct http_request *);
int page_wakes(struct http_request *);

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
	http_response(req, 200, task != 0 ? "traced\n" : "no\n",
	    3 + 4 * (task != 0));
	return (KORE_RESULT_OK);
}

/* 20 MiB, for ever. */
int
page_take(struct http_request *req)
{
	static void *taken[320];
	int i;

	for (i = 0; i < 320; i++)
		taken[i] = memset(malloc(64 << 10), 1, 64 << 10);
	return (taken[0] != NULL ? reply(req) : KORE_RESULT_ERROR);
}

/* Asleep until another request wakes it. */
static struct http_request *resting;

int
page_rests(struct http_request *req)
{
	if (req->hdlr_extra != NULL)
		return (reply(req));
	req->hdlr_extra = kore_malloc(1);
	resting = req;
	http_request_sleep(req);
	return (KORE_RESULT_RETRY);
}

int
page_wakes(struct http_request *req)
{
	if (resting != NULL)
		http_request_wakeup(resting);
	resting = NULL;
	return (reply(req));
}

static void *
naps(void *ms)
{
	struct timespec rest = { 0, *(long *)ms * 1000000 };

	while (nanosleep(&rest, &rest) == -1)
		continue;
	return (NULL);
}

/* 50 threads, one after the other, each of which waits for 2 ms. */
int
page_threads(struct http_request *req)
{
	pthread_t thread;
	long ms = 2;
	int i;

	for (i = 0; i < 50; i++) {
		if (pthread_create(&thread, NULL, naps, &ms) == 0)
			(void)pthread_join(thread, NULL);
	}
	return (reply(req));
}

/* ?MS, within a task and a region that are never ended. */
int
page_open(struct http_request *req)
{
	(void)pprof_trace_task_begin("left open");
	pprof_trace_region_begin("left open");
	return (page_hold(req));
}
