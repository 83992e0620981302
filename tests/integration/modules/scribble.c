/*
 * A worker that somebody has taken over: it writes over all memory that
 * pprof.so shares between the processes of the service, serves on, and dies.
 *
 * Where that memory is, it looks up while /proc is there: in the child, between
 * fork and chroot.
 */
#define _GNU_SOURCE

#include <kore/kore.h>
#include <kore/http.h>

#include <sys/mman.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARED_MAX 16

int page_hello(struct http_request *);
int page_spin(struct http_request *);
int page_fill(struct http_request *);
int page_die(struct http_request *);
int page_forge(struct http_request *);

static struct {
	char *start;
	size_t len;
} shared[SHARED_MAX];
static int shared_count;

static void
look_up(void)
{
	unsigned long start, end;
	char line[512], rights[8];
	FILE *maps = fopen("/proc/self/maps", "r");

	shared_count = 0;
	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) != 3 ||
		    rights[3] != 's' || strstr(line, "memfd:pprof") == NULL ||
		    shared_count == SHARED_MAX)
			continue;
		shared[shared_count].start = (char *)start;
		shared[shared_count++].len = end - start;
	}
	if (maps != NULL)
		(void)fclose(maps);
}

__attribute__((constructor)) static void
begin(void)
{
	(void)pthread_atfork(NULL, NULL, look_up);
}

static void
fill(const char *with)
{
	static uint64_t x = 88172645463325252ULL;
	uint64_t *word, *end;
	int i;

	for (i = 0; i < shared_count; i++) {
		word = (uint64_t *)(void *)shared[i].start;
		end = word + shared[i].len / sizeof(*word);
		if (strcmp(with, "random") != 0) {
			memset(word, strcmp(with, "ff") == 0 ? 0xff : 0,
			    shared[i].len);
			continue;
		}
		/* xorshift64 (Marsaglia, 2003), another one each time. */
		x ^= (uint64_t)getpid() << 32;
		for (; word < end; word++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			*word = x;
		}
	}
}

int
page_hello(struct http_request *req)
{
	http_response(req, 200, "hello\n", 6);
	return (KORE_RESULT_OK);
}

/* Something for a profile, which allocates. */
int
page_spin(struct http_request *req)
{
	volatile double x = 1;
	void *p[64];
	int i;

	for (i = 0; i < 300000; i++)
		x = x * 1.0000001 + 0.1;
	for (i = 0; i < 64; i++)
		p[i] = malloc(20000);
	for (i = 0; i < 64; i++)
		free(p[i]);
	http_response(req, 200, "spun\n", 5);
	return (KORE_RESULT_OK);
}

static const char *
argument(struct http_request *req)
{
	return (req->query_string != NULL ? req->query_string : "00");
}

int
page_fill(struct http_request *req)
{
	char text[64];
	int i, len;
	size_t bytes = 0;

	fill(argument(req));
	for (i = 0; i < shared_count; i++)
		bytes += shared[i].len;
	len = snprintf(text, sizeof(text), "%d %zu\n", getpid(), bytes);
	http_response(req, 200, text, (size_t)len);
	return (KORE_RESULT_OK);
}

/* "a,b", as long as each other: every text a in it becomes b. */
int
page_forge(struct http_request *req)
{
	const char *from = argument(req), *to = strchr(from, ',');
	size_t len = to != NULL ? (size_t)(to - from) : 0;
	char text[32], *at, *end;
	int i, changed = 0;

	for (i = 0; len != 0 && i < shared_count; i++) {
		at = shared[i].start;
		end = at + shared[i].len;
		while (
		    (at = memmem(at, (size_t)(end - at), from, len)) != NULL) {
			memcpy(at, to + 1, len);
			changed++;
		}
	}
	len = (size_t)snprintf(text, sizeof(text), "%d\n", changed);
	http_response(req, 200, text, len);
	return (KORE_RESULT_OK);
}

int
page_die(struct http_request *req)
{
	fill(argument(req));
	(void)kill(getpid(), SIGKILL);
	http_response(req, 200, NULL, 0);
	return (KORE_RESULT_OK);
}
