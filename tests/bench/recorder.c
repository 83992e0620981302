/*
 * What 15 minutes of the flight recorder take, and how long a question about
 * five of them does: the collector's own code (libcold.a) over an arena that
 * this program fills, a slice at a time, without waiting for the time to pass.
 *
 * A slice has 1,000 stacks of 40 frames in this program and its libraries, and
 * 100 label sets. `recorder same`: the same ones in each slice; `recorder
 * other`: no stack comes twice, all frames by chance. Prints "name value" lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/own_objects.h"
#include "profile/recorder_private.h"
#include "service/endpoint.h"
#include "store/ring.h"
#include "store/words.h"

#define STACKS	  1000
#define FRAMES	  40
#define SLICES	  90
#define ADDRESSES 4000
#define TURNS	  11

static struct pp_arena *arena;
static struct pp_service *service;
static uint64_t address[ADDRESSES];
static uint32_t label[100];
static int same;
static uint64_t seed = 88172645463325252ULL;

static uint64_t
next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed);
}

/* Return addresses that have names: spread over the code of what is loaded. */
static void
find_addresses(void)
{
	struct pp_objects *objects = &arena->slot[1].objects;
	struct pp_object object;
	uint32_t used = objects->used, i;

	for (i = 0; i < ADDRESSES; i++) {
		do {
			object = objects->object[next_random() % used];
		} while (object.limit - object.start < 65536);
		address[i] = object.start +
		    next_random() % (object.limit - object.start);
	}
}

static void
make_labels(void)
{
	struct pp_words view = pp_words_labels(&arena->slot[1].labels);
	uint64_t words[16];
	char text[128];
	int i, len;

	for (i = 0; i < 100; i++) {
		memset(words, 0, sizeof(words));
		len = snprintf(text, sizeof(text),
		    "http.route%c^/route/number/%d$%chttp.method%cGET", 0, i, 0,
		    0);
		memcpy(words, text, (size_t)len);
		label[i] = pp_words_put(&view, words, (uint32_t)len / 8 + 1);
	}
}

static void
put_sample(uint32_t which)
{
	uint64_t record[PP_CPU_WORD_FRAMES + FRAMES] = { 0 };
	uint32_t i;

	record[PP_CPU_WORD_TIME] = (uint64_t)pp_clock_mono();
	record[PP_CPU_WORD_THREAD] =
	    (uint64_t)getpid() << 32 | (uint64_t)getpid();
	record[PP_CPU_WORD_WEIGHT] = (uint64_t)PP_NS_PER_SEC / 19 + 1;
	record[PP_CPU_WORD_LABEL] = label[which % 100];
	for (i = 0; i < FRAMES; i++)
		record[PP_CPU_WORD_FRAMES + i] =
		    address[next_random() % ADDRESSES];
	if (pp_ring_put(&arena->slot[1].cpu, PP_RECORD_CPU, record,
		PP_CPU_WORD_FRAMES + FRAMES) == -1)
		abort();
}

static void
one_slice(void)
{
	uint32_t i;

	if (same)
		seed = 88172645463325252ULL;
	for (i = 0; i < STACKS; i++) {
		put_sample(i);
		if (i % 500 == 499)
			(void)pp_cpu_tick(service->cpu, pp_clock_mono());
	}
	(void)pp_recorder_tick(service->recorder,
	    pp_clock_mono() + PP_SLICE_NS);
	while (pp_ep_recorded_tick(service, pp_clock_mono()) != INT64_MAX)
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

/* Of this process, in kB, by /proc/self/status. */
static long
memory(const char *what)
{
	char line[256];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, what, strlen(what)) == 0)
			kb = atol(line + strlen(what));
	}
	if (f != NULL)
		fclose(f);
	return (kb);
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

static void
preload(struct pp_symbols *symbols)
{
	const struct pp_objects *objects = &arena->slot[0].objects;
	struct pp_object object;
	int debug_fd, fd;
	uint32_t i;

	for (i = 0; i < objects->used; i++) {
		if (pp_objects_read(objects, i, &object) != 0)
			continue;
		debug_fd = -1;
		fd = pp_symbols_open(object.name, object.build_id,
		    object.build_id_len, &debug_fd);
		pp_symbols_add(symbols, object.build_id, object.build_id_len,
		    object.name, fd, debug_fd);
	}
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
	atomic_store(&arena->control.recorder_hz, 19);
	preload(symbols);
	if ((service = pp_service_new(arena, fd, symbols)) == NULL)
		return (1);
	find_addresses();
	make_labels();
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
	pp_recorder_look(service->recorder, pp_clock_mono(), &facts);
	printf("slices %u\n", facts.slices);
	printf("dropped %llu\n", (unsigned long long)facts.dropped);
	printf("packed_kb %llu\n", (unsigned long long)facts.bytes / 1024);
	printf("rss_kb %ld\n", memory("VmRSS:"));
	printf("anon_kb %ld\n", memory("RssAnon:"));
	printf("peak_kb %ld\n", memory("VmHWM:"));
	printf("whole_ms %.1f\n", ask("since=900", &len));
	printf("whole_peak_kb %ld\n", memory("VmHWM:"));
	pp_service_free(service);
	pp_symbols_free(symbols);
	return (0);
}
