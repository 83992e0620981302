/*
 * What 15 minutes of the flight recorder take, and how long a question about
 * five of them does: the collector's own code (libcold.a) over an arena that
 * this program fills, a slice at a time, without waiting for the time to pass.
 *
 * A slice has 1,000 stacks of 40 frames in this program and its libraries, and
 * 100 label sets. `recorder same`: the same ones in each slice; `recorder
 * other`: no stack comes twice, all frames by chance. Prints "name value"
 * lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/recorder_private.h"
#include "filled.h"
#include "service/endpoints/endpoint.h"

#define STACKS 1000
#define SLICES 90
#define TURNS  11

static struct pp_service *service;
static int same;

static void
one_slice(void)
{
	uint32_t i;

	if (same)
		seed = 88172645463325252ULL;
	for (i = 0; i < STACKS; i++) {
		filled_sample(i, 19);
		if (i % 500 == 499)
			(void)pp_cpu_tick(service->cpu, pp_clock_mono());
	}
	(void)pp_recorder_tick(service->recorder,
	    pp_clock_mono() + PP_SLICE_NS);
	while (pp_service_name_recorded(service, pp_clock_mono()) != INT64_MAX)
		continue;
}

static void
ten_minutes_pass(void)
{
	struct pp_slice *slice;
	uint32_t i;

	for (i = 0; i < service->recorder->slices; i++) {
		slice = pp_recorder_slice(service->recorder, i);
		slice->begun_ns -= 600 * PP_NS_PER_SEC;
		slice->ended_ns -= 600 * PP_NS_PER_SEC;
	}
}

static double
ask(const char *query, size_t *len)
{
	struct pp_request request = { .prefix = "/debug/pprof",
		.path = "/profile",
		.query = query };
	struct pp_answer answer = { 0 };
	int64_t begun = pp_clock_mono();
	struct pp_task *task;

	task = pp_service_begin(service, &request);
	pp_task_finish(task, &answer);
	begun = pp_clock_mono() - begun;
	if (answer.status != 200) {
		fprintf(stderr, "status %d: %.*s\n", answer.status,
		    (int)answer.body.len, answer.body.data);
		exit(1);
	}
	*len = answer.body.len;
	pp_answer_free(&answer);
	return ((double)begun / PP_NS_PER_MS);
}

static int
compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return ((left > right) - (left < right));
}

int
main(int argc, char **argv)
{
	struct pp_symbols *symbols = pp_symbols_new();
	double ms[TURNS], first;
	struct pp_recorder_facts facts;
	size_t len;
	int i, fd;

	same = argc > 1 && strcmp(argv[1], "same") == 0;
	if ((arena = own_arena(&fd)) == NULL || symbols == NULL)
		return (1);
	arena->recorder_hz = 19;
	filled_preload(symbols);
	if ((service = pp_service_new(arena, fd, symbols)) == NULL)
		return (1);
	filled_addresses();
	filled_labels();
	/* Ten minutes, and then the last five. */
	for (i = 0; i < SLICES; i++) {
		if (i == SLICES * 2 / 3)
			ten_minutes_pass();
		one_slice();
	}
	/* As after a minute in which nobody has asked. */
	pp_symbols_trim(symbols);
	first = ask("since=300", &len);
	for (i = 0; i < TURNS; i++)
		ms[i] = ask("since=300", &len);
	qsort(ms, TURNS, sizeof(ms[0]), compare);
	printf("answer_first_ms %.1f\n", first);
	printf("answer_ms %.1f\n", ms[TURNS / 2]);
	printf("answer_low_ms %.1f\n", ms[TURNS / 4]);
	printf("answer_high_ms %.1f\n", ms[TURNS * 3 / 4]);
	printf("answer_bytes %zu\n", len);
	pp_recorder_measure(service->recorder, pp_clock_mono(), &facts);
	printf("slices %u\n", facts.slices);
	printf("dropped %llu\n", (unsigned long long)facts.dropped);
	printf("packed_kb %llu\n", (unsigned long long)facts.bytes / 1024);
	printf("rss_kb %ld\n", filled_memory("VmRSS:"));
	printf("anon_kb %ld\n", filled_memory("RssAnon:"));
	printf("peak_kb %ld\n", filled_memory("VmHWM:"));
	printf("whole_ms %.1f\n", ask("since=900", &len));
	printf("whole_peak_kb %ld\n", filled_memory("VmHWM:"));
	pp_service_free(service);
	pp_symbols_free(symbols);
	return (0);
}
