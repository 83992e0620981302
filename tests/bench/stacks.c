/*
 * What a CPU profile with so many distinct stacks costs: the collector's own
 * code (libcold.a) over an arena that this program fills.
 *
 *     stacks COUNT FILE     writes the profile, prints "name value" lines
 *
 * Each sample is a stack of its own; a sample's time is that of taking it out of
 * the ring and into the profile, the writing of the ring is not in it.
 */
#include "filled.h"
#include "service/endpoints/endpoint.h"

#define HZ    100
#define BATCH 1000 /* fits into the ring */

static struct pp_service *service;

/* Nanoseconds to take `count` samples. */
static int64_t
take(uint32_t count)
{
	int64_t begun, took = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		/* Two periods each: whatever is thinned out, this is not. */
		filled_sample(i, HZ / 2);
		if (i % BATCH != BATCH - 1 && i != count - 1)
			continue;
		begun = pp_clock_mono();
		(void)pp_cpu_tick(service->cpu, begun);
		took += pp_clock_mono() - begun;
	}
	return (took);
}

static int
save(const char *path, const struct pp_buf *body)
{
	FILE *f = fopen(path, "w");
	int failed;

	if (f == NULL)
		return (-1);
	failed = fwrite(body->data, 1, body->len, f) != body->len;
	return (fclose(f) == 0 && !failed ? 0 : -1);
}

int
main(int argc, char **argv)
{
	struct pp_request request = { .prefix = "/debug/pprof",
		.path = "/profile",
		.query = "seconds=3600" };
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	struct pp_symbols *symbols = pp_symbols_new();
	struct pp_answer answer = { 0 };
	struct pp_task *task;
	int64_t begun, took;
	int fd;

	if (count == 0 || argc != 3) {
		fprintf(stderr, "usage: stacks COUNT, from 1, FILE\n");
		return (2);
	}
	if ((arena = own_arena(&fd)) == NULL || symbols == NULL)
		return (1);
	filled_preload(symbols);
	if ((service = pp_service_new(arena, fd, symbols)) == NULL)
		return (1);
	filled_addresses();
	filled_labels();
	if ((task = pp_service_begin(service, &request)) == NULL)
		return (1);
	took = take(count);
	begun = pp_clock_mono();
	pp_task_finish(task, &answer);
	begun = pp_clock_mono() - begun;
	if (answer.status != 200 || save(argv[2], &answer.body) == -1) {
		fprintf(stderr, "status %d: %.*s\n", answer.status,
		    (int)answer.body.len, answer.body.data);
		return (1);
	}
	printf("sample_ns %.1f\n", (double)took / count);
	printf("answer_ms %.1f\n", (double)begun / PP_NS_PER_MS);
	printf("rss_kb %ld\n", filled_memory("VmRSS:"));
	printf("bytes %zu\n", answer.body.len);
	pp_answer_free(&answer);
	pp_service_free(service);
	pp_symbols_free(symbols);
	return (0);
}
