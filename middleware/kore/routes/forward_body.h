/*
 * A Kore request as the collector wants to read it.
 */
#ifndef PP_KORE_ROUTES_FORWARD_BODY_H
#define PP_KORE_ROUTES_FORWARD_BODY_H

#include <stddef.h>

#include "base/wire.h"

struct http_request;

/* Pack the request into `packet` (PP_WIRE_PACKET_MAX bytes). Returns its
 * length, or 0 when path or query is longer than the protocol allows. */
size_t pp_forward_pack(struct http_request *req, const char *prefix,
    const char *rest, char *packet);

/* Kore's number of a method as the collector knows it. */
enum pp_method pp_forward_method(u_int8_t method);

/* What has been read of a body and not been sent yet. */
struct pp_forward_piece {
	size_t len;
	char bytes[16384];
};

/*
 * Send the body, in pieces, as far as the socket takes it. Returns 0 when all
 * has been sent, 1 when the rest is to be sent when the socket takes more, -1
 * when it cannot be read, or will not be taken.
 */
int pp_forward_body(struct http_request *req, int sock,
    struct pp_forward_piece *piece);

#endif
