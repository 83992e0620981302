/*
 * What the module's wrappers add to calls that nobody disturbs: the loops of a
 * library (loops.h) in processes without the hooks, with them and the rates
 * off, and for locks with block and mutex at rate 1, by turns. Not a test: it
 * judges nothing and prints one line a loop and variant, medians of TURNS in
 * nanoseconds of CPU,
 *
 *     loop=mutex name=on pair=19.87 low=19.8 high=20.1 added=+4.32 ...
 *
 * `added` is the median of the differences from the same turn's bare one.
 * lock_pair.py compiles and runs it, for call_pair.py, too.
 */
#include <sys/wait.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/wait.h"
#include "hook/process.h"
#include "loops.h"

#define TURNS 15
#define SLOT  1

static const struct variant {
	const char *name;
	int hooked;
	uint64_t block_ns, fraction;
} variants[] = {
	{ "bare", 0, 0, 0 },
	{ "off", 1, 0, 0 },
	{ "on", 1, 1, 1 },
};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define VARIANTS     COUNT(variants)

static const struct loops *all;

static double
measure(const struct variant *v, const struct loop *loop, uint64_t pairs)
{
	struct pp_arena *arena;
	const char *why;
	int fd;

	if (v->hooked) {
		arena = pp_arena_create(2, &fd);
		if (arena == NULL || pp_self_prepare(&why) == -1 ||
		    pp_process_hook(NULL, 0, NULL, &why) == -1)
			return (-1);
		atomic_store(&arena->control.block_rate_ns, v->block_ns);
		atomic_store(&arena->control.mutex_fraction, v->fraction);
		pp_self_start(arena, SLOT);
		if ((atomic_load(&pp_wait_watch) != 0) != (v->fraction != 0))
			return (-1);
	}
	if (loop->threads > 1)
		all->second_thread();
	(void)loop->run(pairs / 10);
	return (loop->run(pairs));
}

/* In a process of its own; -1: it failed. */
static double
run(const struct variant *v, const struct loop *loop, uint64_t pairs)
{
	double found = -1;
	int end[2], status;
	pid_t pid;

	if (pipe(end) == -1 || (pid = fork()) == -1)
		return (-1);
	if (pid == 0) {
		found = measure(v, loop, pairs);
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

static void
print_row(const char *name, const struct variant *v, double *took,
    double *added)
{
	qsort(took, TURNS, sizeof(took[0]), by_size);
	qsort(added, TURNS, sizeof(added[0]), by_size);
	printf("loop=%s name=%s pair=%.2f low=%.2f high=%.2f added=%+.2f "
	       "added_low=%+.2f added_high=%+.2f\n",
	    name, v->name, took[TURNS / 2], took[TURNS / 4],
	    took[TURNS * 3 / 4], added[TURNS / 2], added[TURNS / 4],
	    added[TURNS * 3 / 4]);
}

static int
compare(const struct loop *loop, uint64_t pairs)
{
	static double took[TURNS], added[TURNS], found[VARIANTS][TURNS];
	int v, t, count = loop->rates ? VARIANTS : VARIANTS - 1;

	for (t = 0; t < TURNS; t++) {
		for (v = 0; v < count; v++) {
			found[v][t] = run(&variants[v], loop, pairs);
			if (found[v][t] < 0)
				return (-1);
		}
	}
	for (v = 0; v < count; v++) {
		for (t = 0; t < TURNS; t++) {
			took[t] = found[v][t];
			added[t] = found[v][t] - found[0][t];
		}
		print_row(loop->name, &variants[v], took, added);
	}
	return (0);
}

int
main(int argc, char **argv)
{
	uint64_t pairs = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000;
	const struct loop *loop;
	void *library;

	library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	all = library != NULL ? dlsym(library, "loops") : NULL;
	if (all == NULL || pairs < 100000) {
		fprintf(stderr,
		    "usage: loop_pair ./LIBRARY.so [turns, 100000 or more]\n");
		return (2);
	}
	for (loop = all->loop; loop->name != NULL; loop++) {
		if (compare(loop, pairs / loop->less) == -1)
			return (1);
	}
	return (0);
}
