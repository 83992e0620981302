/*
 * Handlers that have answered and are not done yet: ?how=N, with 4321 bytes.
 *
 *     0 nothing yet        1 http_response()         2 twice that
 *     3 http_response_stream()                       4 http_response_fileref()
 *     5 http_response(), and then asleep
 *
 * Rule: nothing here knows of the profiler.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BYTES 4321

int page_answers(struct http_request *);

static char body[BYTES];

static int
sent(struct netbuf *nb)
{
	(void)nb;
	return (KORE_RESULT_OK);
}

static void
answer_file(struct http_request *req)
{
	struct timespec changed = { 1000000000, 0 };
	int fd;

	fd = open("/answer", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || write(fd, body, BYTES) != BYTES)
		fatal("/answer: %s", errno_s);
	http_response_fileref(req, 200,
	    kore_fileref_create(req->owner->owner->server, "/answer", fd, BYTES,
		&changed));
}

static void
work(void)
{
	struct timespec rest = { 2, 0 };

	while (nanosleep(&rest, &rest) == -1)
		continue;
}

int
page_answers(struct http_request *req)
{
	int how = req->query_string != NULL ? atoi(req->query_string) : 0;

	if (how == 1 || how == 2 || how == 5)
		http_response(req, 200, body, BYTES);
	if (how == 2)
		http_response(req, 200, body, BYTES);
	if (how == 3)
		http_response_stream(req, 200, body, BYTES, sent, NULL);
	if (how == 4)
		answer_file(req);
	if (how == 5) {
		http_request_sleep(req);
		return (KORE_RESULT_RETRY);
	}
	work();
	if (how == 0)
		http_response(req, 200, body, BYTES);
	return (KORE_RESULT_OK);
}
