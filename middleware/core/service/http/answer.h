/*
 * Writing answers: status, headers and body as Go's net/http/pprof has them.
 *
 * Rule: every answer begins with one of these functions, so that no answer goes
 * out without its type and without nosniff.
 */
#ifndef PP_SERVICE_HTTP_ANSWER_H
#define PP_SERVICE_HTTP_ANSWER_H

#include "service/http/message.h"

#define PP_TYPE_TEXT "text/plain; charset=utf-8"
#define PP_TYPE_HTML "text/html; charset=utf-8"

/* What the pages may load and do: their own files, nothing inline. */
#define PP_PAGE_POLICY                                                         \
	"default-src 'none'; script-src 'self'; style-src 'self'; "            \
	"img-src 'self'; connect-src 'self'; base-uri 'none'; "                \
	"form-action 'self'; frame-ancestors 'none'; "                         \
	"require-trusted-types-for 'script'"

/* Forget what the answer holds and begin it anew. `type` NULL: no body. */
void pp_answer_start(struct pp_answer *answer, int status, const char *type);

/* Add a header; a value with a control character in it is left out whole. */
void pp_answer_header(struct pp_answer *answer, const char *name,
    const char *value);

/*
 * Answers 503 with the sentence `what`: no more memory may be kept, or there is
 * no memory.
 */
void pp_answer_full(struct pp_answer *answer, const char *what);

/* Answer an error of ours: one sentence and the mark that makes `go tool
 * pprof` show it. The newline is added here. */
void pp_answer_error(struct pp_answer *answer, int status, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

#endif
