/*
 * Who holds what others wait for, in the cases that are easily missed: a
 * waiter that gives up, and one that is woken while its mutex is kept. Each
 * page answers with the nanoseconds that were waited, by the waiters' own
 * clock.
 */
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/seccomp.h>

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>

#define MS	1000000LL
#define HELD	(60 * MS)
#define WAITERS 3

/* pthread_cancel() */
KORE_SECCOMP_FILTER("charged", KORE_SYSCALL_ALLOW(tgkill))

int page_charged(struct http_request *);
int page_cancelled(struct http_request *);
int page_light(struct http_request *);
void app_lets_go(void);
void app_lets_go_c11(void);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static mtx_t mtx;
static cnd_t cnd;
static int waiting, ready;
static _Atomic int64_t woken_at, waited;

static int64_t
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (t.tv_sec * 1000 * MS + t.tv_nsec);
}

static void
rest(int64_t ns)
{
	struct timespec left = { ns / (1000 * MS), ns % (1000 * MS) };

	while (nanosleep(&left, &left) == -1)
		continue;
}

static struct timespec
until(int64_t ns)
{
	int64_t then = now(CLOCK_REALTIME) + ns;

	return ((struct timespec){ then / (1000 * MS), then % (1000 * MS) });
}

static void *
gives_up(void *c11)
{
	struct timespec end = until(HELD);
	int64_t began = now(CLOCK_MONOTONIC);

	if (c11 != NULL)
		(void)mtx_timedlock(&mtx, &end);
	else
		(void)pthread_mutex_timedlock(&mutex, &end);
	waited += now(CLOCK_MONOTONIC) - began;
	return (NULL);
}

static void *
is_woken(void *unused)
{
	pthread_mutex_lock(&mutex);
	waiting++;
	while (!ready)
		pthread_cond_wait(&cond, &mutex);
	waited += now(CLOCK_MONOTONIC) - woken_at;
	pthread_mutex_unlock(&mutex);
	return (unused);
}

static void *
is_woken_c11(void *unused)
{
	mtx_lock(&mtx);
	waiting++;
	while (!ready)
		cnd_wait(&cnd, &mtx);
	waited += now(CLOCK_MONOTONIC) - woken_at;
	mtx_unlock(&mtx);
	return (unused);
}

__attribute__((noinline)) void
app_lets_go(void)
{
	pthread_mutex_unlock(&mutex);
	__asm__ volatile("");
}

__attribute__((noinline)) void
app_lets_go_c11(void)
{
	mtx_unlock(&mtx);
	__asm__ volatile("");
}

static void
lock(int c11)
{
	if (c11)
		mtx_lock(&mtx);
	else
		pthread_mutex_lock(&mutex);
}

static void
let_go(int c11)
{
	if (c11)
		app_lets_go_c11();
	else
		app_lets_go();
}

static void
wake(int c11, int all)
{
	if (c11)
		(void)(all ? cnd_broadcast(&cnd) : cnd_signal(&cnd));
	else
		(void)(all ? pthread_cond_broadcast(&cond)
			   : pthread_cond_signal(&cond));
}

/* Until so many wait for the condition. */
static void
lock_when_waited_for(int c11, int waiters)
{
	for (;;) {
		lock(c11);
		if (waiting == waiters)
			return;
		if (c11)
			mtx_unlock(&mtx);
		else
			pthread_mutex_unlock(&mutex);
		rest(MS);
	}
}

static void
begin(pthread_t *thread, int threads, void *(*run)(void *), void *arg)
{
	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, run, arg) != 0)
			abort();
}

static void *
is_cancelled(void *unused)
{
	pthread_mutex_lock(&mutex);
	waiting = 1;
	pthread_cleanup_push((void (*)(void *))pthread_mutex_unlock, &mutex);
	for (;;)
		pthread_cond_wait(&cond, &mutex);
	pthread_cleanup_pop(0);
	return (unused);
}

/* More of them than there is room for at once. */
int
page_cancelled(struct http_request *req)
{
	pthread_t thread;

	for (int i = 0; i < 1500; i++) {
		waiting = 0;
		begin(&thread, 1, is_cancelled, NULL);
		lock_when_waited_for(0, 1);
		pthread_mutex_unlock(&mutex);
		pthread_cancel(thread);
		pthread_join(thread, NULL);
	}
	return (page_light(req));
}

/* ?gave-up, ?signal or ?broadcast, and -c11. */
int
page_charged(struct http_request *req)
{
	const char *how = req->query_string;
	int c11 = strstr(how, "c11") != NULL, threads = 1;
	pthread_t thread[WAITERS];
	struct kore_buf *text;

	waited = 0;
	waiting = ready = 0;
	if (c11) {
		mtx_init(&mtx, mtx_timed);
		cnd_init(&cnd);
	}
	if (strncmp(how, "gave-up", 7) == 0) {
		lock(c11);
		begin(thread, 1, gives_up, c11 ? (void *)"" : NULL);
		pthread_join(thread[0], NULL);
	} else {
		threads = *how == 'b' ? WAITERS : 1;
		begin(thread, threads, c11 ? is_woken_c11 : is_woken, NULL);
		lock_when_waited_for(c11, threads);
		ready = 1;
		woken_at = now(CLOCK_MONOTONIC);
		wake(c11, threads > 1);
		rest(HELD);
	}
	let_go(c11);
	if (strncmp(how, "gave-up", 7) != 0)
		while (threads > 0)
			pthread_join(thread[--threads], NULL);
	text = kore_buf_alloc(64);
	kore_buf_appendf(text, "%lld\n", (long long)waited);
	http_response(req, 200, text->data, text->offset);
	kore_buf_free(text);
	return (KORE_RESULT_OK);
}

int
page_light(struct http_request *req)
{
	http_response(req, 200, "ok\n", 3);
	return (KORE_RESULT_OK);
}
