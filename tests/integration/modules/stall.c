/*
 * Handlers that hold their worker: for ever, for a while, awake or asleep, in
 * a request or outside of one; and one that dies. SIGUSR2 sets them free.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../../middleware/include/pprof.h"

int page_tenant(struct http_request *);
int page_forever(struct http_request *);
int page_hold(struct http_request *);
int page_doze(struct http_request *);
int page_timer(struct http_request *);
int page_twice(struct http_request *);
int page_nap(struct http_request *);
int page_die(struct http_request *);
int stall_load(int);
u_int64_t stall_spin(u_int64_t);
void stall_until(int64_t);

static volatile sig_atomic_t freed;
static volatile u_int64_t drain;

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (t.tv_sec * 1000LL + t.tv_nsec / 1000000);
}

static void
set_free(int signo)
{
	(void)signo;
	freed = 1;
}

int
stall_load(int action)
{
	(void)action;
	signal(SIGUSR2, set_free);
	return (KORE_RESULT_OK);
}

__attribute__((noinline)) u_int64_t
stall_spin(u_int64_t from)
{
	for (int i = 0; i < 100000; i++)
		from = from * 6364136223846793005ULL + 1442695040888963407ULL;
	return (from);
}

__attribute__((noinline)) void
stall_until(int64_t end)
{
	while (now_ms() < end)
		drain += stall_spin(drain);
}

static int
reply(struct http_request *req, const char *text)
{
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}

/* How long, from the query: "?ms=1500". */
static int
wanted_ms(struct http_request *req)
{
	const char *query = req->query_string;

	if (query == NULL || strncmp(query, "ms=", 3) != 0)
		return (2000);
	return (atoi(query + 3));
}

/* Whose turn it is: 1 the other has the lock, 2 we have it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int turn;
static void *volatile kept;

static void *
stall_other(void *unused)
{
	pthread_mutex_lock(&lock);
	atomic_store(&turn, 1);
	usleep(30000);
	pthread_mutex_unlock(&lock);
	while (atomic_load(&turn) != 2)
		usleep(500);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	return (unused);
}

/* Holds memory, has waited for a lock and been waited for, and then does not
 * return. */
int
page_forever(struct http_request *req)
{
	pthread_t other;

	kept = malloc(100000);
	if (pthread_create(&other, NULL, stall_other, NULL) == 0) {
		while (atomic_load(&turn) != 1)
			usleep(500);
		pthread_mutex_lock(&lock);
		atomic_store(&turn, 2);
		usleep(30000);
		pthread_mutex_unlock(&lock);
		pthread_join(other, NULL);
		atomic_store(&turn, 0);
	}
	for (;;) {
		drain += stall_spin(drain);
		if (freed)
			break;
	}
	return (reply(req, "freed\n"));
}

int
page_hold(struct http_request *req)
{
	stall_until(now_ms() + wanted_ms(req));
	return (reply(req, "held\n"));
}

/* With a label of its own. */
int
page_tenant(struct http_request *req)
{
	pprof_label_push("tenant", "blue");
	stall_until(now_ms() + wanted_ms(req));
	pprof_label_pop();
	return (reply(req, "held\n"));
}

/* Says how long it has slept, which is what it asked for. */
int
page_doze(struct http_request *req)
{
	int64_t begun = now_ms();
	char text[32];

	usleep((unsigned int)wanted_ms(req) * 1000);
	snprintf(text, sizeof(text), "%lld\n", (long long)(now_ms() - begun));
	return (reply(req, text));
}

static void
stall_timer(void *arg, u_int64_t now)
{
	(void)now;
	stall_until(now_ms() + (int64_t)(uintptr_t)arg);
}

/* The loop is held by a timer, after the answer. */
int
page_timer(struct http_request *req)
{
	(void)kore_timer_add(stall_timer, 100,
	    (void *)(uintptr_t)wanted_ms(req), KORE_TIMER_ONESHOT);
	return (reply(req, "soon\n"));
}

static void
twice_wake(void *arg, u_int64_t now)
{
	(void)now;
	http_request_wakeup(arg);
}

/* Sleeps as a request does, and holds its worker when it is woken. */
int
page_twice(struct http_request *req)
{
	if (req->hdlr_extra == NULL) {
		req->hdlr_extra = req;
		req->flags |= HTTP_REQUEST_RETAIN_EXTRA;
		http_request_sleep(req);
		(void)kore_timer_add(twice_wake, 50, req, KORE_TIMER_ONESHOT);
		return (KORE_RESULT_RETRY);
	}
	req->hdlr_extra = NULL;
	stall_until(now_ms() + wanted_ms(req));
	return (reply(req, "held\n"));
}

/* Only sleeps as a request does; its worker is free meanwhile. */
int
page_nap(struct http_request *req)
{
	if (req->hdlr_extra == NULL) {
		req->hdlr_extra = req;
		req->flags |= HTTP_REQUEST_RETAIN_EXTRA;
		http_request_sleep(req);
		(void)kore_timer_add(twice_wake, (u_int64_t)wanted_ms(req), req,
		    KORE_TIMER_ONESHOT);
		return (KORE_RESULT_RETRY);
	}
	req->hdlr_extra = NULL;
	return (reply(req, "slept\n"));
}

/* Works for a while, so that samples are there, and is killed. */
int
page_die(struct http_request *req)
{
	stall_until(now_ms() + wanted_ms(req));
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return (reply(req, "alive\n"));
}
