/*
 * See forward_body.h.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <errno.h>
#include <string.h>

#include "base/wire.h"
#include "kore/routes/forward_body.h"

enum pp_method
pp_forward_method(u_int8_t method)
{
	switch (method) {
	case HTTP_METHOD_GET:
		return (PP_METHOD_GET);
	case HTTP_METHOD_HEAD:
		return (PP_METHOD_HEAD);
	case HTTP_METHOD_POST:
		return (PP_METHOD_POST);
	}
	return (PP_METHOD_OTHER);
}

size_t
pp_forward_pack(struct http_request *req, const char *prefix, const char *rest,
    char *packet)
{
	const char *query = req->query_string != NULL ? req->query_string : "";
	struct pp_wire_request head;
	size_t at = sizeof(head), lens[5];
	const char *match, *accept, *mark, *texts[5];
	int i;

	if (!http_request_header(req, "if-none-match", &match) ||
	    strlen(match) > PP_REQUEST_MATCH_MAX)
		match = "";
	if (!http_request_header(req, "accept-encoding", &accept) ||
	    strlen(accept) > PP_REQUEST_ACCEPT_MAX)
		accept = "";
	texts[0] = prefix;
	texts[1] = rest;
	texts[2] = query;
	texts[3] = match;
	texts[4] = accept;
	for (i = 0; i < 5; i++)
		lens[i] = strlen(texts[i]);
	if (lens[0] > PP_REQUEST_PATH_MAX || lens[1] > PP_REQUEST_PATH_MAX ||
	    lens[2] > PP_REQUEST_QUERY_MAX ||
	    req->http_body_length > PP_REQUEST_BODY_MAX)
		return (0);
	memset(&head, 0, sizeof(head));
	head.version = PP_WIRE_VERSION;
	head.kind = PP_WIRE_REQUEST;
	head.method = pp_forward_method(req->method);
	head.prefix_len = (uint32_t)lens[0];
	head.path_len = (uint32_t)lens[1];
	head.query_len = (uint32_t)lens[2];
	head.match_len = (uint32_t)lens[3];
	head.accept_len = (uint32_t)lens[4];
	head.marked = http_request_header(req, "x-pprof", &mark) &&
	    strcmp(mark, "1") == 0;
	if (head.method == PP_METHOD_POST)
		head.body_len = (uint32_t)req->http_body_length;
	memcpy(packet, &head, sizeof(head));
	for (i = 0; i < 5; i++) {
		memcpy(packet + at, texts[i], lens[i]);
		at += lens[i];
	}
	return (at);
}

int
pp_forward_body(struct http_request *req, int sock,
    struct pp_forward_piece *piece)
{
	ssize_t got;

	for (;;) {
		if (piece->len == 0) {
			got = http_body_read(req, piece->bytes,
			    sizeof(piece->bytes));
			if (got == 0)
				return (0);
			if (got < 0)
				return (-1);
			piece->len = (size_t)got;
		}
		if (pp_wire_send(sock, piece->bytes, piece->len, NULL, 0) == -1)
			return (errno == EAGAIN ? 1 : -1);
		piece->len = 0;
	}
}
