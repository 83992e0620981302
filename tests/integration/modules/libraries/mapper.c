/*
 * A library with a thread that maps and unmaps memory for n ms.
 */
#include <sys/mman.h>

#include <pthread.h>
#include <stdint.h>
#include <time.h>

int go(int);

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (t.tv_sec * 1000LL + t.tv_nsec / 1000000);
}

static void *
maps(void *ms)
{
	int64_t until = now_ms() + (int64_t)(intptr_t)ms;
	size_t turn, len;
	void *p;

	for (turn = 0; now_ms() < until; turn++) {
		len = (size_t)4096 << turn % 4;
		p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p != MAP_FAILED && turn % 2 == 0)
			(void)munmap(p, len);
	}
	return (NULL);
}

int
go(int n)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, maps, (void *)(intptr_t)n) != 0)
		return (1);
	return (pthread_detach(thread));
}
