/*
 * What a hook of the trace costs while nobody traces: nanoseconds of
 * pp_trace(), as the product has it, linked from libhot.a. Prints the least of
 * many rounds, without the loop around it.
 *
 * Not a test: it judges nothing and prints one line, ns=...
 */
#include <stdio.h>

#include "base/clock.h"
#include "capture/trace.h"

#define ROUNDS 200
#define CALLS  100000

#define HOOK   pp_trace(PP_TRACE_RUN, 0, 1, (uint64_t)i);

/* The loop with and without the hook. */
static double
round_ns(int hooked)
{
	int64_t start = pp_clock_mono();
	int i;

	for (i = 0; i < CALLS; i++) {
		__asm__ volatile("");
		if (!hooked)
			continue;
		/* So many that they do not hide behind the loop. */
		HOOK HOOK HOOK HOOK HOOK HOOK HOOK HOOK
	}
	return ((double)(pp_clock_mono() - start) / CALLS / 8);
}

int
main(void)
{
	double least[2] = { 1e9, 1e9 }, ns;
	int round, hooked;

	for (round = 0; round < 2 * ROUNDS; round++) {
		hooked = round % 2;
		ns = hooked ? round_ns(1) : round_ns(0);
		if (ns < least[hooked])
			least[hooked] = ns;
	}
	printf("ns=%.3f\n", least[1] > least[0] ? least[1] - least[0] : 0);
	return (0);
}
