/*
 * The loop that lock_pair.c times: pairs of lock and unlock that nobody
 * disturbs. As a library, so that its calls pass a call table like those of
 * any module.
 *
 *     cc -O2 -shared -fPIC -o lock_loop.so lock_loop.c
 *
 * Rule: nothing here knows of the profiler.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

double loop_mutex(uint64_t pairs);
double loop_rwlock(uint64_t pairs);
double loop_sem(uint64_t pairs);
void loop_second_thread(void);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;

static double
loop_now(void)
{
	struct timespec now;

	/* Others may run on this machine, too. */
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return ((double)now.tv_sec * 1e9 + (double)now.tv_nsec);
}

static void *
loop_idle(void *arg)
{
	for (;;)
		(void)pause();
	return (arg);
}

/* From here on libc's locks are atomic. */
void
loop_second_thread(void)
{
	pthread_t thread;

	(void)pthread_create(&thread, NULL, loop_idle, NULL);
}

/* Nanoseconds of CPU a pair. */
#define LOOP(name, lock, unlock)                                               \
	double name(uint64_t pairs)                                            \
	{                                                                      \
		double start = loop_now();                                     \
		uint64_t i;                                                    \
                                                                               \
		for (i = 0; i < pairs; i++) {                                  \
			(void)lock;                                            \
			(void)unlock;                                          \
		}                                                              \
		return ((loop_now() - start) / (double)pairs);                 \
	}

LOOP(loop_mutex, pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex))
LOOP(loop_rwlock, pthread_rwlock_wrlock(&rwlock),
    pthread_rwlock_unlock(&rwlock))
LOOP(loop_sem, sem_post(&sem), sem_wait(&sem))
