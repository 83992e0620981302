/*
 * What an operator may write into a route of Kore 4.2: on_free, here of a
 * route of the profiler. /freed tells how often it was called.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <stdio.h>

int page_freed(struct http_request *);
void count_freed(struct http_request *);

static unsigned int freed;

void
count_freed(struct http_request *req)
{
	(void)req;
	freed++;
}

int
page_freed(struct http_request *req)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%u\n", freed);

	http_response(req, HTTP_STATUS_OK, text, (size_t)len);
	return (KORE_RESULT_OK);
}
