/*
 * A Kore request as the collector wants to read it.
 */
#ifndef PP_KORE_FORWARD_BODY_H
#define PP_KORE_FORWARD_BODY_H

#include <stddef.h>

struct http_request;

/* Pack the request into `packet` (PP_WIRE_PACKET_MAX bytes). Returns its
 * length, or 0 when path or query is longer than the protocol allows. */
size_t pp_forward_pack(struct http_request *req, const char *prefix,
    const char *rest, char *packet);

/* The request's body as a memfd that the caller closes, or -1 when there is
 * none or it could not be kept. Reads the body. */
int pp_forward_body(struct http_request *req);

#endif
