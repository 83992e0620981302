/*
 * What a library of loops shows to loop_pair.c, by the name `loops`: a table
 * that ends with an empty row, and what begins the process's second thread.
 *
 * As a library, so that its calls pass a call table like those of any module.
 */
#ifndef BENCH_LOOPS_H
#define BENCH_LOOPS_H

#include <stdint.h>
#include <time.h>

struct loop {
	const char *name;
	double (*run)(uint64_t turns); /* nanoseconds of CPU a turn */
	int threads;		       /* of the process */
	int rates;		       /* also with block and mutex at rate 1 */
	uint64_t less;		       /* so many times fewer turns */
};

struct loops {
	void (*second_thread)(void); /* NULL: no loop wants one */
	const struct loop *loop;
};

extern const struct loops loops;

/* Others may run on this machine, too. */
static inline double
loop_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return ((double)now.tv_sec * 1e9 + (double)now.tv_nsec);
}

#define LOOP(name, calls)                                                      \
	static double loop_##name(uint64_t turns)                              \
	{                                                                      \
		double start = loop_now();                                     \
		uint64_t i;                                                    \
                                                                               \
		for (i = 0; i < turns; i++) {                                  \
			calls;                                                 \
		}                                                              \
		return ((loop_now() - start) / (double)turns);                 \
	}

#endif
