/*
 * The bytes that requests in flight have given to Kore as answers are counted
 * here, when a handler hands them over: Kore sends them after the handler has
 * returned.
 *
 * These are not the bytes on the wire: headers are missing, and so is all that
 * is written to the connection beside the request (net_send_queue(),
 * websockets).
 *
 * Rule: only bodies that Kore will send are counted, not that of a HEAD, nor a
 * file that the client has already.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include "base/hot_path.h"
#include "capture/self.h"
#include "kore/adapter.h"
#include "store/arena.h"

PP_HOT_PATH_DATA void (*pp_inflight_real_response)(struct http_request *, int,
    const void *, size_t);
void (
    *pp_inflight_real_close)(struct http_request *, int, const void *, size_t);
void (*pp_inflight_real_stream)(struct http_request *, int, void *, size_t,
    int (*)(struct netbuf *), void *);
void (*pp_inflight_real_fileref)(struct http_request *, int,
    struct kore_fileref *);

PP_HOT_PATH static void
inflight_out(const struct http_request *req, uint64_t bytes)
{
	struct pp_inflight *inflight;

	if (bytes == 0 || pp_self.worker == 0 || req->owner == NULL ||
	    req->method == HTTP_METHOD_HEAD ||
	    (inflight = pp_inflight_of(req)) == NULL)
		return;
	bytes +=
	    atomic_load_explicit(&inflight->bytes_out, memory_order_relaxed);
	atomic_store_explicit(&inflight->bytes_out, bytes,
	    memory_order_relaxed);
}

PP_HOT_PATH void
pp_inflight_response(struct http_request *req, int status, const void *body,
    size_t len)
{
	inflight_out(req, len);
	pp_inflight_real_response(req, status, body, len);
}

/* Kore 4.2 has this function: the connection is closed after the answer. */
void
pp_inflight_close(struct http_request *req, int status, const void *body,
    size_t len)
{
	inflight_out(req, len);
	pp_inflight_real_close(req, status, body, len);
}

void
pp_inflight_stream(struct http_request *req, int status, void *body, size_t len,
    int (*sent)(struct netbuf *), void *arg)
{
	inflight_out(req, len);
	pp_inflight_real_stream(req, status, body, len, sent, arg);
}

/* The original may close the file, so its size is read before. If the client
 * knows the file already, nothing is sent and nothing counted. */
void
pp_inflight_fileref(struct http_request *req, int status,
    struct kore_fileref *file)
{
	uint64_t bytes = (uint64_t)file->size;

	pp_inflight_real_fileref(req, status, file);
	if (req->status != HTTP_STATUS_NOT_MODIFIED)
		inflight_out(req, bytes);
}
