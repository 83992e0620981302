/*
 * The Kore application that the benchmark loads: one page as small as a page
 * can be, so that what is added to a request shows; and one whose stacks are
 * many, so that a profile of it is work for the collector.
 *
 * Not an example: the sample application is kore_app/.
 *
 * Rule: nothing here knows of the profiler.
 */
#include <kore/kore.h>
#include <kore/hooks.h>
#include <kore/http.h>
#include <kore/seccomp.h>

#include <sys/syscall.h>

#include <stdlib.h>
#include <string.h>

int page_small(struct http_request *);
int page_walk(struct http_request *);
int page_concat(struct http_request *);
int page_sleep(struct http_request *);

/* What gperftools needs in a worker when a signal starts and ends it: its
 * timer, the file that it writes and the list of what is mapped. Its heap
 * profiler and jemalloc's find stacks with the same calls. */
static struct sock_filter rules[] = {
	KORE_SYSCALL_ALLOW(setitimer),
	KORE_SYSCALL_ALLOW(rt_sigaction),
	KORE_SYSCALL_ALLOW(openat),
	KORE_SYSCALL_ALLOW(readlink),
	KORE_SYSCALL_ALLOW(newfstatat),
	KORE_SYSCALL_ALLOW(mincore),
	KORE_SYSCALL_ALLOW(pipe2),
};

void
kore_seccomp_hook(void)
{
	if (getenv("BENCH_RULES") != NULL)
		kore_seccomp_filter("bench", rules, KORE_FILTER_LEN(rules));
}

static const char hello[] = "hello from the benchmark\n";

int
page_small(struct http_request *req)
{
	http_response(req, HTTP_STATUS_OK, hello, sizeof(hello) - 1);
	return (KORE_RESULT_OK);
}

/* A string of 200 bytes put together word by word, a realloc() for each: as
 * much allocation as a handler is likely to do. */
int
page_concat(struct http_request *req)
{
	char *text = NULL, *more;
	size_t len = 0;
	int i;

	for (i = 0; i < 50; i++) {
		more = realloc(text, len + 5);
		if (more == NULL)
			break;
		text = more;
		memcpy(text + len, "test", 5);
		len += 4;
	}
	http_response(req, HTTP_STATUS_OK, text, len);
	free(text);
	return (KORE_RESULT_OK);
}

/* Until the client has gone. */
int
page_sleep(struct http_request *req)
{
	http_request_sleep(req);
	return (KORE_RESULT_RETRY);
}

/* A path through six functions, sixteen steps long, chosen by `seed`. */
typedef u_int32_t (*step)(u_int32_t, int);
static step steps[6];

#define STEP(name, turns)                                                      \
	static __attribute__((noinline)) u_int32_t name(u_int32_t seed,        \
	    int left)                                                          \
	{                                                                      \
		volatile u_int32_t x = seed;                                   \
		int i;                                                         \
		for (i = 0; i < turns; i++)                                    \
			x = x * 1664525 + 1013904223;                          \
		if (left > 0)                                                  \
			x += steps[(x >> 8) % 6](x, left - 1);                 \
		return (x);                                                    \
	}
STEP(walk_north, 300)
STEP(walk_south, 400)
STEP(walk_east, 500)
STEP(walk_west, 600)
STEP(walk_up, 700)
STEP(walk_down, 800)

static step steps[6] = { walk_north, walk_south, walk_east, walk_west, walk_up,
	walk_down };

int
page_walk(struct http_request *req)
{
	static u_int32_t seed;

	seed = walk_north(seed + 1, 16);
	return (page_small(req));
}
