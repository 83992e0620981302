/*
 * An arena that the benchmark fills with CPU samples, faster than workers
 * could: stacks of FRAMES frames by chance in this program and its libraries,
 * with 100 label sets. For programs over libcold.a.
 *
 * Rule: `seed` decides everything: the same seed, the same stacks.
 */
#ifndef BENCH_FILLED_H
#define BENCH_FILLED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/own_objects.h"
#include "store/intern.h"
#include "store/ring.h"
#include "symbol/symbols.h"

#define FRAMES	  40
#define ADDRESSES 4000

static struct pp_arena *arena;
static uint64_t address[ADDRESSES];
static uint32_t label[100];
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
filled_addresses(void)
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
filled_labels(void)
{
	struct pp_intern_table view = pp_intern_labels(&arena->slot[1].labels);
	uint64_t words[16];
	char text[128];
	int i, len;

	for (i = 0; i < 100; i++) {
		memset(words, 0, sizeof(words));
		len = snprintf(text, sizeof(text),
		    "http.route%c^/route/number/%d$%chttp.method%cGET", 0, i, 0,
		    0);
		memcpy(words, text, (size_t)len);
		label[i] = pp_intern_put(&view, words, (uint32_t)len / 8 + 1);
	}
}

static void
filled_sample(uint32_t which, unsigned int hz)
{
	uint64_t record[PP_CPU_WORD_FRAMES + FRAMES] = { 0 };
	uint32_t i;

	record[PP_CPU_WORD_TIME] = (uint64_t)pp_clock_mono();
	record[PP_CPU_WORD_THREAD] =
	    (uint64_t)getpid() << 32 | (uint64_t)getpid();
	record[PP_CPU_WORD_WEIGHT] = (uint64_t)PP_NS_PER_SEC / hz + 1;
	record[PP_CPU_WORD_LABEL] = label[which % 100];
	for (i = 0; i < FRAMES; i++)
		record[PP_CPU_WORD_FRAMES + i] =
		    address[next_random() % ADDRESSES];
	if (pp_ring_put(&arena->slot[1].cpu, PP_RECORD_CPU, record,
		PP_CPU_WORD_FRAMES + FRAMES) == -1)
		abort();
}

/* Of this process, in kB, by /proc/self/status. */
static long
filled_memory(const char *what)
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

static void
filled_preload(struct pp_symbols *symbols)
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

#endif
