/*
 * Threads of a library that wait for ever, each in a function that says for
 * what. /begin starts them in the worker that answers.
 */
#define _GNU_SOURCE
#include <kore/kore.h>
#include <kore/http.h>

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

int page_who(struct http_request *);
int page_begin(struct http_request *);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER,
		       of_cond = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem;
static mtx_t mtx, of_cnd;
static cnd_t cnd;
static int pipes[2];

static struct timespec
in_an_hour(void)
{
	struct timespec when;

	(void)clock_gettime(CLOCK_REALTIME, &when);
	when.tv_sec += 3600;
	return (when);
}

static void *
sleeper(void *unused)
{
	for (;;)
		(void)sleep(3600);
	return (unused);
}

static int
c11_sleeper(void *unused)
{
	return (sleeper(unused) != NULL);
}

static pthread_t
new_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, sleeper, NULL) != 0)
		abort();
	return (thread);
}

static thrd_t
new_c11_thread(void)
{
	thrd_t thread;

	if (thrd_create(&thread, c11_sleeper, NULL) != thrd_success)
		abort();
	return (thread);
}

/* What comes behind the wait keeps it from being a jump. */
#define WAITER(name, call)                                                     \
	static __attribute__((noinline)) void *waits_##name(void *unused)      \
	{                                                                      \
		struct timespec until = in_an_hour();                          \
                                                                               \
		(void)until;                                                   \
		(void)(call);                                                  \
		__asm__ volatile("");                                          \
		return (unused);                                               \
	}

WAITER(mutex, pthread_mutex_lock(&mutex))
WAITER(mutex_timed, pthread_mutex_timedlock(&mutex, &until))
WAITER(mtx, mtx_lock(&mtx))
WAITER(rdlock, pthread_rwlock_rdlock(&lock))
WAITER(wrlock, pthread_rwlock_wrlock(&lock))
WAITER(wrlock_timed, pthread_rwlock_timedwrlock(&lock, &until))
WAITER(cond, (pthread_mutex_lock(&of_cond), pthread_cond_wait(&cond, &of_cond)))
WAITER(cond_timed,
    (pthread_mutex_lock(&of_cond),
	pthread_cond_timedwait(&cond, &of_cond, &until)))
WAITER(cnd, (mtx_lock(&of_cnd), cnd_wait(&cnd, &of_cnd)))
WAITER(barrier, pthread_barrier_wait(&barrier))
WAITER(join, pthread_join(new_thread(), NULL))
WAITER(join_timed, pthread_timedjoin_np(new_thread(), NULL, &until))
WAITER(join_clock,
    pthread_clockjoin_np(new_thread(), NULL, CLOCK_REALTIME, &until))
WAITER(join_c11, thrd_join(new_c11_thread(), NULL))
WAITER(sem, sem_wait(&sem))
WAITER(sem_timed, sem_timedwait(&sem, &until))
WAITER(sem_clock, sem_clockwait(&sem, CLOCK_REALTIME, &until))
WAITER(sleep, sleep(3600))
WAITER(usleep, usleep(3600000000u))
WAITER(read, read(pipes[0], &until, 1))
WAITER(poll, poll(NULL, 0, -1))

static void *(*const waiter[])(void *) = { waits_mutex, waits_mutex_timed,
	waits_mtx, waits_rdlock, waits_wrlock, waits_wrlock_timed, waits_cond,
	waits_cond_timed, waits_cnd, waits_barrier, waits_join,
	waits_join_timed, waits_join_clock, waits_join_c11, waits_sem,
	waits_sem_timed, waits_sem_clock, waits_sleep, waits_usleep, waits_read,
	waits_poll };

static int
reply(struct http_request *req, const char *text)
{
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}

int
page_who(struct http_request *req)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%d\n", worker->id);
	return (reply(req, text));
}

/* What nobody ever gives. */
static int
make(void)
{
	(void)pthread_mutex_lock(&mutex);
	(void)pthread_rwlock_wrlock(&lock);
	(void)mtx_init(&mtx, mtx_plain);
	(void)mtx_init(&of_cnd, mtx_plain);
	(void)cnd_init(&cnd);
	(void)mtx_lock(&mtx);
	(void)pthread_barrier_init(&barrier, NULL, 100);
	(void)sem_init(&sem, 0, 0);
	return (pipe(pipes) == 0);
}

int
page_begin(struct http_request *req)
{
	static int made;
	pthread_t thread;
	size_t i;

	if (!made && !make())
		return (KORE_RESULT_ERROR);
	made = 1;
	for (i = 0; i < sizeof(waiter) / sizeof(waiter[0]); i++) {
		if (pthread_create(&thread, NULL, waiter[i], NULL) != 0)
			return (KORE_RESULT_ERROR);
	}
	return (reply(req, "begun\n"));
}
