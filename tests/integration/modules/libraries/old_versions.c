/*
 * A library that was linked when condition variables were others: the versions
 * of that time belong together. go() is 0 when a wait was woken, and not ended
 * by its time limit.
 */
#include <pthread.h>
#include <time.h>

int go(int);

#if defined(__x86_64__)
#define OLD(name) __asm__(".symver " #name "," #name "@GLIBC_2.2.5")
OLD(pthread_cond_wait);
OLD(pthread_cond_timedwait);
OLD(pthread_cond_signal);
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static volatile int waiting, result;

static void *
waits(void *unused)
{
	struct timespec limit;

	(void)clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 2;
	(void)pthread_mutex_lock(&lock);
	waiting = 1;
	result = pthread_cond_timedwait(&woken, &lock, &limit);
	(void)pthread_mutex_unlock(&lock);
	return (unused);
}

int
go(int n)
{
	pthread_t thread;

	waiting = 0;
	if (pthread_create(&thread, NULL, waits, NULL) != 0)
		return (n - 1);
	for (;;) {
		(void)pthread_mutex_lock(&lock);
		if (waiting)
			break;
		(void)pthread_mutex_unlock(&lock);
	}
	(void)pthread_cond_signal(&woken);
	(void)pthread_mutex_unlock(&lock);
	(void)pthread_join(thread, NULL);
	return (result);
}
