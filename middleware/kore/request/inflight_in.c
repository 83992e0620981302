/*
 * The bodies of requests in flight: how much of a body has come, and whether
 * its request is still being received.
 *
 * To be received is no wait as others are: nobody in the service could end it.
 *
 * Rule: the event loop's thread only.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include "base/clock.h"
#include "base/hot_path.h"
#include "capture/trace.h"
#include "kore/adapter.h"
#include "kore/request/inflight_table.h"

void
pp_inflight_receives(const struct http_request *req)
{
	struct pp_inflight *inflight = pp_inflight_created(req);

	if (inflight == NULL)
		return;
	pp_inflight_set(inflight, PP_WAIT_RECEIVE, 0, pp_clock_mono());
	pp_trace(PP_TRACE_SLEEP, PP_WAIT_RECEIVE, 0, atomic_load(&inflight->id),
	    0);
}

void
pp_inflight_received(const struct http_request *req)
{
	struct pp_inflight *inflight = pp_inflight_of(req);

	if (inflight == NULL)
		return;
	atomic_store_explicit(&inflight->bytes_in, pp_inflight_bytes_in(req),
	    memory_order_relaxed);
	if ((req->flags & HTTP_REQUEST_COMPLETE) != 0 &&
	    atomic_load(&inflight->state) == PP_WAIT_RECEIVE)
		pp_inflight_awakes(req);
}
