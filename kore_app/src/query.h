/*
 * Parameters of a request and plain text answers.
 *
 * Not Kore's `params` blocks: if a value does not fit, they drop it as if it
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
 * Finds the first value of `name`, decoded. If QUERY_FOUND is returned, the
 * caller gives *value to kore_free(); otherwise *value is NULL.
 */
enum query_result query_get(struct http_request *req, const char *name,
    char **value);

/*
 * Reads a whole number within [min, max], digits only, and returns 0. If it is
 * absent or anything else, the request is answered with 400 and -1 is returned.
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
