/*
 * What the heap profiler adds to a pair of malloc() and free(): the loop of
 * malloc_loop.c in processes without the hooks, with them and sampling off,
 * at the default rate, and at rate 1, by turns. Not a test: it judges
 * nothing and prints one line a variant, medians of TURNS,
 *
 *     name=default pair=14.01 low=13.9 high=14.2 added=+2.4
 *
 * `added` is the median of the differences from the same turn's bare one.
 *
 *     malloc_pair ./malloc_loop.so [pairs a turn, default 10000000]
 *
 * With the name of a variant as a third argument, that one once, in this
 * process: for allocators that are preloaded and profile themselves.
 */
#include <sys/wait.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/alloc_sample.h"
#include "hook/process.h"

#define TURNS 15
#define SLOT  1

static const struct variant {
	const char *name;
	int hooked;
	uint64_t rate;
	uint64_t less; /* pairs are divided by it */
} variants[] = {
	{ "bare", 0, 0, 1 },
	{ "off", 1, 0, 1 },
	{ "default", 1, PP_HEAP_RATE_DEFAULT, 1 },
	{ "rate_1", 1, 1, 100 },
};

#define VARIANTS ((int)(sizeof(variants) / sizeof(variants[0])))

static double (*loop)(uint64_t);

static double
measure(const struct variant *v, uint64_t pairs)
{
	struct pp_arena *arena;
	const char *why;
	int fd;

	if (v->hooked) {
		arena = pp_arena_create(2, &fd);
		if (arena == NULL || pp_self_prepare(&why) == -1 ||
		    pp_process_hook(NULL, 0, NULL, &why) == -1)
			return (-1);
		atomic_store(&arena->control.heap_rate, v->rate);
		pp_self_start(arena, SLOT);
	}
	(void)loop(pairs / v->less / 10);
	return (loop(pairs / v->less));
}

/* In a process of its own; -1: it failed. */
static double
run(const struct variant *v, uint64_t pairs)
{
	double found = -1;
	int end[2], status;
	pid_t pid;

	if (pipe(end) == -1 || (pid = fork()) == -1)
		return (-1);
	if (pid == 0) {
		found = measure(v, pairs);
		_exit(write(end[1], &found, sizeof(found)) !=
		    (ssize_t)sizeof(found));
	}
	(void)close(end[1]);
	if (read(end[0], &found, sizeof(found)) != (ssize_t)sizeof(found))
		found = -1;
	(void)close(end[0]);
	(void)waitpid(pid, &status, 0);
	return (status == 0 ? found : -1);
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y ? -1 : x > y);
}

static int
one(const char *name, uint64_t pairs)
{
	double found;
	int v;

	for (v = 0; v < VARIANTS; v++) {
		if (strcmp(variants[v].name, name) != 0)
			continue;
		found = measure(&variants[v], pairs);
		printf("%.4f\n", found);
		return (found < 0);
	}
	fprintf(stderr, "malloc_pair: there is no variant %s\n", name);
	return (2);
}

int
main(int argc, char **argv)
{
	static double took[TURNS], added[TURNS], found[VARIANTS][TURNS];
	uint64_t pairs = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000;
	void *library;
	int v, t;

	library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	if (library == NULL || pairs < 1000) {
		fprintf(stderr,
		    "usage: malloc_pair ./malloc_loop.so "
		    "[pairs, 1000 or more]\n");
		return (2);
	}
	*(void **)&loop = dlsym(library, "loop_malloc");
	if (argc > 3)
		return (one(argv[3], pairs));
	for (t = 0; t < TURNS; t++) {
		for (v = 0; v < VARIANTS; v++) {
			found[v][t] = run(&variants[v], pairs);
			if (found[v][t] < 0)
				return (1);
		}
	}
	for (v = 0; v < VARIANTS; v++) {
		for (t = 0; t < TURNS; t++) {
			took[t] = found[v][t];
			added[t] = found[v][t] - found[0][t];
		}
		qsort(took, TURNS, sizeof(took[0]), by_size);
		qsort(added, TURNS, sizeof(added[0]), by_size);
		printf("name=%s pair=%.2f low=%.2f high=%.2f added=%+.2f "
		       "added_low=%+.2f added_high=%+.2f\n",
		    variants[v].name, took[TURNS / 2], took[TURNS / 4],
		    took[TURNS * 3 / 4], added[TURNS / 2], added[TURNS / 4],
		    added[TURNS * 3 / 4]);
	}
	return (0);
}
