/*
 * The loop that malloc_pair.c and malloc_pair.py time: pairs of malloc() and
 * free(), or of Kore's own, of 16 to 271 bytes. As a library, so that its
 * calls pass a call table like those of any module.
 *
 *     cc -O2 -shared -fPIC -o malloc_loop.so malloc_loop.c
 *     cc -O2 -shared -fPIC -DKORE -o kore_loop.so malloc_loop.c
 *
 * Rule: nothing here knows of the profiler.
 */
#if defined(KORE)
#include <kore/kore.h>

#include <kore/http.h>

int page_pairs(struct http_request *);
#else
#include <inttypes.h>
#include <stdlib.h>
#endif

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define SIZES 4096

double loop_malloc(uint64_t pairs);

static uint16_t sizes[SIZES];

static void
loop_sizes(void)
{
	uint32_t x = 2463534242U;
	int i;

	for (i = 0; i < SIZES; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		sizes[i] = (uint16_t)(16 + (x & 255));
	}
}

static double
loop_now(void)
{
	struct timespec now;

	/* Others may run on this machine, too. */
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return ((double)now.tv_sec * 1e9 + (double)now.tv_nsec);
}

/* Nanoseconds of CPU a pair. The compiler may not know that a pair does nothing. */
#define LOOP(name, allocate, release)                                          \
	double name(uint64_t pairs)                                            \
	{                                                                      \
		double start;                                                  \
		uint64_t i;                                                    \
		char *p;                                                       \
		if (sizes[0] == 0)                                             \
			loop_sizes();                                          \
		start = loop_now();                                            \
		for (i = 0; i < pairs; i++) {                                  \
			p = allocate(sizes[i % SIZES]);                        \
			__asm__ volatile("" : "+r"(p) : : "memory");           \
			release(p);                                            \
		}                                                              \
		return ((loop_now() - start) / (double)pairs);                 \
	}

LOOP(loop_malloc, malloc, free)

#if defined(KORE)
static LOOP(loop_kore, kore_malloc, kore_free)

    /* /pairs?kore=1&pairs=N */
    int page_pairs(struct http_request *req)
{
	u_int32_t pairs = 1000000, own = 0;
	char text[64];
	int len;

	http_populate_get(req);
	(void)http_argument_get_uint32(req, "pairs", &pairs);
	(void)http_argument_get_uint32(req, "kore", &own);
	len = snprintf(text, sizeof(text), "%.4f\n",
	    own ? loop_kore(pairs) : loop_malloc(pairs));
	http_response(req, HTTP_STATUS_OK, text, (size_t)len);
	return (KORE_RESULT_OK);
}
#endif
