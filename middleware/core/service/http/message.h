/*
 * A request and its answer, in HTTP's words, for every front.
 */
#ifndef PP_SERVICE_HTTP_MESSAGE_H
#define PP_SERVICE_HTTP_MESSAGE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/wire.h"

struct pp_request {
	enum pp_method method;
	const char *prefix; /* "/debug/pprof", for links and redirects */
	const char *path;   /* after the prefix: "", "/", "/heap" */
	const char *query;  /* undecoded, without '?'; "" when there is none */
	const char *match;  /* the If-None-Match header; NULL or "": none */
	const char *accept; /* Accept-Encoding, likewise */
	const char *body;   /* POST; not terminated */
	size_t body_len;
	int marked; /* 1: it has the header "X-Pprof: 1", which no web page can
		       make a browser send to another site */
};

struct pp_answer {
	int status;
	struct pp_buf headers; /* "name: value\n" lines, names lower-case */
	struct pp_buf body;
	/* If file_len > 0, this memfd, which may be sealed, is sent instead of
	 * `body`. It belongs to the answer, as the buffers do. */
	int file;
	uint64_t file_len;
};

void pp_answer_free(struct pp_answer *answer);

#endif
