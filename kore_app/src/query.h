/*
 * Parameters of a request and plain text answers.
 *
 * Not Kore's `params` blocks: those drop a value that does not fit as if it
 * had not been given, and the answer could not name it.
 */
#ifndef QUERY_H
#define QUERY_H

#include <stddef.h>
#include <stdint.h>

struct http_request;

enum query_result {
	QUERY_FOUND,
	QUERY_ABSENT,
	QUERY_BROKEN /* a bad %xx; the request has been answered with 400 */
};

/*
 * The first value of `name`, decoded. *value is to be given to kore_free()
 * when QUERY_FOUND is returned, and NULL otherwise.
 */
enum query_result query_get(struct http_request *req, const char *name,
    char **value);

/*
 * A whole number within [min, max], digits only. When it is absent or
 * anything else, the request is answered with 400 and -1 is returned; else 0.
 */
int query_number(struct http_request *req, const char *name, uint64_t min,
    uint64_t max, uint64_t *out);

/* Answer with a plain text. */
void answer(struct http_request *req, int status, const void *text, size_t len);

/* Answer 400: <name>=<value> and what is wrong with it. */
void answer_bad_value(struct http_request *req, const char *name,
    const char *value, const char *allowed);

/* Answer 400 with one sentence. */
void answer_bad(struct http_request *req, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
