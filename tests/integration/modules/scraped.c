/*
 * A Kore application whose every request does a known amount of four things,
 * and answers what cannot be known before: for how long it waited and worked.
 * VERSION makes a module of other code, for a reload.
 *
 * Rule: nothing is kept here: truth is what clients add up, since a reload and
 * a killed worker would take it away.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define OBJECTS 10
#define BYTES	4000
#define HELD_US 5000
#define BURN_NS 30000000

int page_who(struct http_request *);
int page_work(struct http_request *);
int page_burn(struct http_request *);
int page_asleep(struct http_request *);
void scraped_allocates(void);
void scraped_locks(void);
void *scraped_holds(void *);
void scraped_burns(void);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int held;
static void *volatile kept;
volatile int scraped_version = VERSION;

static long long
now_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (ts.tv_sec * 1000000000LL + ts.tv_nsec);
}

static int
reply(struct http_request *req, long long number)
{
	char text[64];
	int len;

	len = snprintf(text, sizeof(text), "%lld %d\n", number, (int)getpid());
	http_response(req, 200, text, (size_t)len);
	return (KORE_RESULT_OK);
}

int
page_who(struct http_request *req)
{
	return (reply(req, worker->id));
}

__attribute__((noinline)) void
scraped_allocates(void)
{
	int i;

	for (i = 0; i < OBJECTS; i++) {
		kept = malloc(BYTES);
		free(kept);
	}
}

__attribute__((noinline)) void *
scraped_holds(void *unused)
{
	(void)pthread_mutex_lock(&lock);
	atomic_store(&held, 1);
	(void)usleep(HELD_US);
	(void)pthread_mutex_unlock(&lock);
	return (unused);
}

__attribute__((noinline)) void
scraped_locks(void)
{
	(void)pthread_mutex_lock(&lock);
	(void)pthread_mutex_unlock(&lock);
	atomic_store(&held, 0);
}

/* One contention: the lock is held by another when it is asked for. */
int
page_work(struct http_request *req)
{
	pthread_t thread;
	long long since;

	scraped_allocates();
	if (pthread_create(&thread, NULL, scraped_holds, NULL) != 0) {
		http_response(req, 500, NULL, 0);
		return (KORE_RESULT_OK);
	}
	while (!atomic_load(&held))
		(void)usleep(100);
	since = now_ns(CLOCK_MONOTONIC);
	scraped_locks();
	since = now_ns(CLOCK_MONOTONIC) - since;
	(void)pthread_join(thread, NULL);
	return (reply(req, since));
}

__attribute__((noinline)) void
scraped_burns(void)
{
	long long until = now_ns(CLOCK_THREAD_CPUTIME_ID) + BURN_NS;
	volatile int i;

	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < until) {
		for (i = 0; i < 10000; i++)
			continue;
	}
}

int
page_burn(struct http_request *req)
{
	long long since = now_ns(CLOCK_THREAD_CPUTIME_ID);

	scraped_burns();
	return (reply(req, now_ns(CLOCK_THREAD_CPUTIME_ID) - since));
}

/* Until its client hangs up. */
int
page_asleep(struct http_request *req)
{
	http_request_sleep(req);
	return (KORE_RESULT_RETRY);
}
