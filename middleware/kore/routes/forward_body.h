/*
 * This turns a Kore request into the packet that the collector reads
 * (base/wire.h), and sends its body.
 *
 * Rule: the event loop's thread only; nothing here waits.
 */
#ifndef PP_KORE_ROUTES_FORWARD_BODY_H
#define PP_KORE_ROUTES_FORWARD_BODY_H

#include <stddef.h>

#include "base/wire.h"

struct http_request;

/* Pack the request into `packet` (PP_WIRE_PACKET_MAX bytes). Returns the
 * packet's length, or 0 if path, query or body is longer than the protocol
 * allows. */
size_t pp_forward_pack(struct http_request *req, const char *prefix,
    const char *rest, char *packet);

/* The collector's number of a method, for Kore's number. */
enum pp_method pp_forward_method(u_int8_t method);

/* The bytes of a body that have been read and not been sent yet. */
struct pp_forward_piece {
	size_t len;
	char bytes[16384];
};

/*
 * Send the body, in pieces, as far as the socket takes it. Returns 0 if all has
 * been sent, 1 if the caller is to call again when the socket takes more, -1 if
 * the body cannot be read or will not be taken.
 */
int pp_forward_body(struct http_request *req, int sock,
    struct pp_forward_piece *piece);

#endif
