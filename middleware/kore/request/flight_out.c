/*
 * The bytes that requests in progress have given to Kore as answers: counted
 * where a handler hands them over, since Kore sends them when it has returned.
 *
 * Not what is on the wire: no headers, and nothing that is written to the
 * connection beside the request (net_send_queue(), websockets).
 *
 * Rule: of bodies that Kore will send: not a HEAD's, nor a file that the client
 * has.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include "base/often.h"
#include "capture/self.h"
#include "kore/adapter.h"
#include "store/arena.h"

PP_OFTEN_DATA void (
    *pp_flight_real_response)(struct http_request *, int, const void *, size_t);
void (*pp_flight_real_close)(struct http_request *, int, const void *, size_t);
void (*pp_flight_real_stream)(struct http_request *, int, void *, size_t,
    int (*)(struct netbuf *), void *);
void (
    *pp_flight_real_fileref)(struct http_request *, int, struct kore_fileref *);

PP_OFTEN static void
flight_out(const struct http_request *req, uint64_t bytes)
{
	struct pp_flight *flight;

	if (bytes == 0 || pp_self.worker == 0 || req->owner == NULL ||
	    req->method == HTTP_METHOD_HEAD ||
	    (flight = pp_flight_of(req)) == NULL)
		return;
	bytes += atomic_load_explicit(&flight->bytes_out, memory_order_relaxed);
	atomic_store_explicit(&flight->bytes_out, bytes, memory_order_relaxed);
}

PP_OFTEN void
pp_flight_response(struct http_request *req, int status, const void *body,
    size_t len)
{
	flight_out(req, len);
	pp_flight_real_response(req, status, body, len);
}

/* Kore 4.2's: that, and the connection is closed after it. */
void
pp_flight_close(struct http_request *req, int status, const void *body,
    size_t len)
{
	flight_out(req, len);
	pp_flight_real_close(req, status, body, len);
}

void
pp_flight_stream(struct http_request *req, int status, void *body, size_t len,
    int (*sent)(struct netbuf *), void *arg)
{
	flight_out(req, len);
	pp_flight_real_stream(req, status, body, len, sent, arg);
}

/* The file may be closed by it, and may turn out to be known to the client. */
void
pp_flight_fileref(struct http_request *req, int status,
    struct kore_fileref *file)
{
	uint64_t bytes = (uint64_t)file->size;

	pp_flight_real_fileref(req, status, file);
	if (req->status != HTTP_STATUS_NOT_MODIFIED)
		flight_out(req, bytes);
}
