/*
 * A C++ module that throws. Exceptions are unwound by libgcc's _Unwind_*;
 * a library that brings its own under the same names makes them slow.
 */
extern "C" {
#include <kore/kore.h>
#include <kore/http.h>
}

#include <stdexcept>
#include <time.h>

extern "C" int page_throw(struct http_request *);
extern "C" int page_who(struct http_request *);

#define COUNT 10000

static int caught;

__attribute__((noinline)) static void
dig(int depth)
{
	if (depth == 0)
		throw std::runtime_error("bottom");
	dig(depth - 1);
	caught += 0;
}

extern "C" int
page_throw(struct http_request *req)
{
	struct timespec begin, end;
	char text[64];
	int i, n = 0;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	for (i = 0; i < COUNT; i++) {
		try {
			dig(8);
		} catch (const std::runtime_error &error) {
			n += error.what()[0] == 'b';
		}
	}
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	caught += n;
	(void)snprintf(text, sizeof(text), "%d %.3f", n,
	    (double)(end.tv_sec - begin.tv_sec) * 1e3 +
		(double)(end.tv_nsec - begin.tv_nsec) / 1e6);
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}

extern "C" int
page_who(struct http_request *req)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%d %d\n", worker->id,
	    (int)getpid());
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}
