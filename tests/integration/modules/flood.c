/*
 * A worker that somebody has taken over: it fills its ring of CPU samples with
 * records that it makes up, each of another thread, another stack and another
 * place, as fast as they are read.
 *
 * Compiled with the product's own layout of the arena (-I middleware/core).
 */
#define _GNU_SOURCE

#include <kore/kore.h>
#include <kore/http.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/ring_put.c"

int page_hello(struct http_request *);
int page_flood(struct http_request *);

static char *shared;

/* While /proc is there: in the child, between fork and chroot. */
static void
look_up(void)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		if (strstr(line, "memfd:pprof-arena") != NULL)
			shared = (char *)strtoul(line, NULL, 16);
	}
	if (maps != NULL)
		(void)fclose(maps);
}

__attribute__((constructor)) static void
begin(void)
{
	(void)pthread_atfork(NULL, NULL, look_up);
}

int
page_hello(struct http_request *req)
{
	http_response(req, 200, "hello\n", 6);
	return (KORE_RESULT_OK);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000LL + ts.tv_nsec / 1000000);
}

/* For so many milliseconds. */
int
page_flood(struct http_request *req)
{
	struct timespec pause = { 0, 1000000 };
	int64_t until = now_ms() +
	    atoi(req->query_string != NULL ? req->query_string : "100");
	uint64_t record[PP_CPU_WORD_FRAMES + 20], x = (uint64_t)now_ms(),
						  made = 0;
	struct pp_slot *slot =
	    (struct pp_slot *)(void *)(shared - PP_ARENA_HEAD +
		offsetof(struct pp_arena, slot)) +
	    worker->id;
	char text[32];
	int i;

	while (now_ms() < until) {
		for (i = 0; i < PP_CPU_WORD_FRAMES + 20; i++) {
			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			record[i] = x >> 16;
		}
		record[PP_CPU_WORD_WEIGHT] = 100000000;
		record[PP_CPU_WORD_LABEL] = 0;
		if (pp_ring_put(&slot->cpu, PP_RECORD_CPU, record,
			PP_CPU_WORD_FRAMES + 20) == 0)
			made++;
		else
			(void)nanosleep(&pause, NULL);
	}
	i = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)made);
	http_response(req, 200, text, (size_t)i);
	return (KORE_RESULT_OK);
}
