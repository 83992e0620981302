/*
 * A module that is replaced while the service runs. Built twice, with
 * VERSION before and after: the same code at the same addresses under other
 * names, which is the hardest case for whoever names addresses later.
 */
#include <kore/kore.h>
#include <kore/http.h>

#define PASTE(a, b) a##b
#define NAME(a, b)  PASTE(a, b)
#define WORK	    NAME(reload_, VERSION)
#define TEXT(x)	    #x
#define SHOW(x)	    TEXT(x)

u_int64_t WORK(u_int64_t);
int page_reload(struct http_request *);

static volatile u_int64_t drain;

__attribute__((noinline, noclone)) u_int64_t
WORK(u_int64_t loops)
{
	u_int64_t x = loops | 1;

	while (loops-- > 0) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	return (x);
}

int
page_reload(struct http_request *req)
{
	drain += WORK(2000000);
	http_response_header(req, "content-type", "text/plain");
	http_response(req, 200, SHOW(VERSION), strlen(SHOW(VERSION)));
	return (KORE_RESULT_OK);
}
