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
#include "base/often.h"
#include "capture/trace.h"
#include "kore/adapter.h"
#include "kore/request/flight_table.h"

void
pp_flight_receives(const struct http_request *req)
{
	struct pp_flight *flight = pp_flight_created(req);

	if (flight == NULL)
		return;
	pp_flight_set(flight, PP_WAIT_RECEIVE, 0, pp_clock_mono());
	pp_trace(PP_TRACE_SLEEP, PP_WAIT_RECEIVE, 0, atomic_load(&flight->id),
	    0);
}

void
pp_flight_received(const struct http_request *req)
{
	struct pp_flight *flight = pp_flight_of(req);

	if (flight == NULL)
		return;
	atomic_store_explicit(&flight->bytes_in, pp_flight_in(req),
	    memory_order_relaxed);
	if ((req->flags & HTTP_REQUEST_COMPLETE) != 0 &&
	    atomic_load(&flight->state) == PP_WAIT_RECEIVE)
		pp_flight_awakes(req);
}
