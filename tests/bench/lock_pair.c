/*
 * What the profiler of waits adds to a lock and unlock that nobody disturbs:
 * the loops of lock_loop.c in processes without the hooks, with them and the
 * rates off, and on (block and mutex at rate 1), by turns. Not a test: it
 * judges nothing and prints one line a loop and variant, medians of TURNS in
 * nanoseconds of CPU,
 *
 *     loop=mutex name=on pair=19.87 low=19.8 high=20.1 added=+4.32 ...
 *
 * `added` is the median of the differences from the same turn's bare one.
 * lock_pair.py compiles and runs it.
 */
#include <sys/wait.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/wait.h"
#include "hook/process.h"

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

/* With one thread libc takes and leaves a mutex without an atomic operation. A
 * worker has more once a task has run. */
static const struct {
	const char *name, *function;
	int threads;
} loops[] = {
	{ "mutex", "loop_mutex", 2 },
	{ "mutex_alone", "loop_mutex", 1 },
	{ "rwlock", "loop_rwlock", 2 },
	{ "sem", "loop_sem", 2 },
};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define VARIANTS     COUNT(variants)

static double (*loop)(uint64_t);
static void (*second_thread)(void); /* NULL: there is none */

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
		atomic_store(&arena->control.block_rate_ns, v->block_ns);
		atomic_store(&arena->control.mutex_fraction, v->fraction);
		pp_self_start(arena, SLOT);
		if ((atomic_load(&pp_wait_watch) != 0) != (v->fraction != 0))
			return (-1);
	}
	if (second_thread != NULL)
		second_thread();
	(void)loop(pairs / 10);
	return (loop(pairs));
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
compare(const char *name, uint64_t pairs)
{
	static double took[TURNS], added[TURNS], found[VARIANTS][TURNS];
	int v, t;

	for (t = 0; t < TURNS; t++) {
		for (v = 0; v < VARIANTS; v++) {
			found[v][t] = run(&variants[v], pairs);
			if (found[v][t] < 0)
				return (-1);
		}
	}
	for (v = 0; v < VARIANTS; v++) {
		for (t = 0; t < TURNS; t++) {
			took[t] = found[v][t];
			added[t] = found[v][t] - found[0][t];
		}
		print_row(name, &variants[v], took, added);
	}
	return (0);
}

int
main(int argc, char **argv)
{
	uint64_t pairs = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000000;
	void *library;
	int i;

	library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	if (library == NULL || pairs < 1000) {
		fprintf(stderr,
		    "usage: lock_pair ./lock_loop.so [pairs, 1000 or more]\n");
		return (2);
	}
	for (i = 0; i < COUNT(loops); i++) {
		*(void **)&loop = dlsym(library, loops[i].function);
		*(void **)&second_thread = loops[i].threads > 1
		    ? dlsym(library, "loop_second_thread")
		    : NULL;
		if (loop == NULL || compare(loops[i].name, pairs) == -1)
			return (1);
	}
	return (0);
}
