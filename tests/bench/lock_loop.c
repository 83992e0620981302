/*
 * The loops of locks that loop_pair.c times: pairs of lock and unlock that
 * nobody disturbs.
 *
 *     cc -O2 -shared -fPIC -o lock_loop.so lock_loop.c
 *
 * Rule: nothing here knows of the profiler.
 */
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "loops.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;

static void *
loop_idle(void *arg)
{
	for (;;)
		(void)pause();
	return (arg);
}

/* From here on libc's locks are atomic. */
static void
second_thread(void)
{
	pthread_t thread;

	(void)pthread_create(&thread, NULL, loop_idle, NULL);
}

LOOP(mutex, pthread_mutex_lock(&mutex); pthread_mutex_unlock(&mutex))
LOOP(rwlock, pthread_rwlock_wrlock(&rwlock); pthread_rwlock_unlock(&rwlock))
LOOP(sem, sem_post(&sem); sem_wait(&sem))

/* With one thread libc takes and leaves a mutex without an atomic operation. A
 * worker has more once a task has run. */
static const struct loop all[] = {
	{ "mutex", loop_mutex, 2, 1, 1 },
	{ "mutex_alone", loop_mutex, 1, 1, 1 },
	{ "rwlock", loop_rwlock, 2, 1, 1 },
	{ "sem", loop_sem, 2, 1, 1 },
	{ NULL, NULL, 0, 0, 0 },
};
const struct loops loops = { second_thread, all };
