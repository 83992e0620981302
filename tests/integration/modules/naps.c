/*
 * A Kore application whose requests take a known time: none, 20 ms in their
 * handler, 20 ms asleep, or until the client has gone.
 *
 * Rule: nothing here knows of the profiler.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <time.h>

#define NAP_MS 20

int page_quick(struct http_request *);
int page_nap(struct http_request *);
int page_asleep(struct http_request *);
int page_never(struct http_request *);

static int
reply(struct http_request *req)
{
	http_response(req, 200, "ok\n", 3);
	return (KORE_RESULT_OK);
}

int
page_quick(struct http_request *req)
{
	return (reply(req));
}

int
page_nap(struct http_request *req)
{
	struct timespec rest = { 0, NAP_MS * 1000000 };

	while (nanosleep(&rest, &rest) == -1)
		continue;
	return (reply(req));
}

static void
wake(void *arg, u_int64_t now)
{
	(void)now;
	http_request_wakeup(arg);
}

int
page_asleep(struct http_request *req)
{
	if (req->hdlr_extra == NULL) {
		req->hdlr_extra = kore_malloc(1);
		http_request_sleep(req);
		kore_timer_add(wake, NAP_MS, req, KORE_TIMER_ONESHOT);
		return (KORE_RESULT_RETRY);
	}
	return (reply(req));
}

int
page_never(struct http_request *req)
{
	http_request_sleep(req);
	return (KORE_RESULT_RETRY);
}
