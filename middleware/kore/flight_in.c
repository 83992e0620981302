/*
 * The bodies of requests in progress: how much of one has come, and that a
 * request is only received yet.
 *
 * Not a wait as others are: nobody in the service could end it.
 *
 * Rule: the event loop's thread only.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include "base/clock.h"
#include "base/often.h"
#include "capture/trace.h"
#include "kore/adapter.h"
#include "kore/flight_table.h"

/* Kore counts down what is still to come. */
PP_OFTEN uint32_t
pp_flight_in(const struct http_request *req)
{
	size_t left = (req->flags & HTTP_REQUEST_EXPECT_BODY) != 0
	    ? req->content_length
	    : 0;

	return ((uint32_t)(req->http_body_length - left));
}

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
