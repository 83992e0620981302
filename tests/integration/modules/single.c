/*
 * A service for kodev's single binary: Kore and the application in one
 * program, whose conf is compiled in. Not a module.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

int page(struct http_request *);
int page_burn(struct http_request *);
int page_cond(struct http_request *);
int page_timer(struct http_request *);
void kore_parent_configure(int, char **);

/* Kore's own main() leaves the options to the application. */
void
kore_parent_configure(int argc, char **argv)
{
	kore_default_getopt(argc, argv);
}

int
page(struct http_request *req)
{
	http_response(req, 200, "ok", 2);
	return (KORE_RESULT_OK);
}

static void
burn_single(void)
{
	unsigned long i;

	for (i = 0; i < 20 * 1000 * 1000; i++)
		__asm__ volatile("");
}

int
page_burn(struct http_request *req)
{
	/* A pair that nobody looks at would be taken out. */
	void *volatile block = malloc(1 << 20);

	burn_single();
	free(block);
	return (page(req));
}

/* As many have them: one behind the other, and nothing before. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	int ready, interrupted;
} shared = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };

static void *
sleeps_and_says_so(void *ms)
{
	struct timespec nap = { 0, (long)ms * 1000000 };
	int result = nanosleep(&nap, NULL);

	pthread_mutex_lock(&shared.lock);
	shared.interrupted += result == -1 && errno == EINTR;
	shared.ready = 1;
	pthread_cond_signal(&shared.cond);
	pthread_mutex_unlock(&shared.lock);
	return (NULL);
}

static __attribute__((noinline)) void
waits_for_cond(void)
{
	pthread_mutex_lock(&shared.lock);
	while (!shared.ready)
		pthread_cond_wait(&shared.cond, &shared.lock);
	shared.ready = 0;
	pthread_mutex_unlock(&shared.lock);
}

/* How long it waited, and how many sleeps were cut short by a signal. */
int
page_cond(struct http_request *req)
{
	struct timespec began, ended;
	pthread_t thread;
	char text[64];

	(void)clock_gettime(CLOCK_MONOTONIC, &began);
	if (pthread_create(&thread, NULL, sleeps_and_says_so, (void *)300) != 0)
		return (KORE_RESULT_ERROR);
	waits_for_cond();
	(void)clock_gettime(CLOCK_MONOTONIC, &ended);
	pthread_join(thread, NULL);
	(void)snprintf(text, sizeof(text), "%lld %d\n",
	    (ended.tv_sec - began.tv_sec) * 1000000000LL + ended.tv_nsec -
		began.tv_nsec,
	    shared.interrupted);
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}

static void
wake(void *req, u_int64_t now)
{
	(void)now;
	http_request_wakeup(req);
}

int
page_timer(struct http_request *req)
{
	if (req->hdlr_extra != NULL)
		return (page(req));
	req->hdlr_extra = kore_calloc(1, 1);
	http_request_sleep(req);
	kore_timer_add(wake, 200, req, KORE_TIMER_ONESHOT);
	return (KORE_RESULT_RETRY);
}
