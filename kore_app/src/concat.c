/*
 * /concat/?str=S&count=N: S written N times.
 *
 * The answer is built the slow way on purpose: every piece reallocates the
 * string and walks from the string's start to its end, so the time grows with
 * the square of the count. This runs in the event loop and blocks its worker.
 */
#include "app.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"

#define RESULT_MAX (1024 * 1024)

static char *
concat_slowly(const char *piece, size_t count)
{
	char *text = NULL, *grown;
	size_t i, len = strlen(piece);

	for (i = 0; i < count; i++) {
		grown = realloc(text, (i + 1) * len + 1);
		if (grown == NULL) {
			free(text);
			return (NULL);
		}
		if (text == NULL)
			*grown = '\0';
		text = strcat(grown, piece);
	}

	return (text);
}

static void
concat_answer(struct http_request *req, const char *piece)
{
	uint64_t count;
	size_t len = strlen(piece);
	char *text;

	if (len == 0) {
		answer_bad(req, "str is empty: give at least one character.");
		return;
	}
	if (query_number(req, "count", 1, RESULT_MAX, &count) == -1)
		return;
	if (count > RESULT_MAX / len) {
		answer_bad(req,
		    "count=%" PRIu64 " is not allowed: the result would have "
		    "%" PRIu64 " bytes, give at most %zu for a str of %zu "
		    "(%d bytes in all).",
		    count, count * len, RESULT_MAX / len, len, RESULT_MAX);
		return;
	}

	text = concat_slowly(piece, count);
	if (text == NULL) {
		http_response(req, HTTP_STATUS_INTERNAL_ERROR, NULL, 0);
		return;
	}
	answer(req, HTTP_STATUS_OK, text, len * count);
	free(text);
}

int
page_concat(struct http_request *req)
{
	char *piece;

	switch (query_get(req, "str", &piece)) {
	case QUERY_FOUND:
		concat_answer(req, piece);
		kore_free(piece);
		break;
	case QUERY_ABSENT:
		answer_bad(req,
		    "str is missing: give the text to repeat, as in "
		    "/concat/?str=kore&count=1000.");
		break;
	case QUERY_BROKEN:
		break;
	}

	return (KORE_RESULT_OK);
}
