/*
 * A Kore application whose threads are many, short, or born in unusual ways.
 * An answer says how much CPU time the threads used by their own clocks, in
 * nanoseconds.
 *
 * Rule: nothing here knows of the profiler.
 */
#define _GNU_SOURCE
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/seccomp.h>

#include <sys/mman.h>
#include <sys/syscall.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

KORE_SECCOMP_FILTER("crowd", KORE_SYSCALL_ALLOW(clone3),
    KORE_SYSCALL_ALLOW(clone), KORE_SYSCALL_ALLOW(rseq),
    KORE_SYSCALL_ALLOW(set_robust_list), KORE_SYSCALL_ALLOW(rt_sigprocmask),
    KORE_SYSCALL_ALLOW(rt_sigaction), KORE_SYSCALL_ALLOW(rt_sigtimedwait),
    KORE_SYSCALL_ALLOW(mmap), KORE_SYSCALL_ALLOW(mprotect),
    KORE_SYSCALL_ALLOW(madvise), KORE_SYSCALL_ALLOW(clock_nanosleep),
    KORE_SYSCALL_ALLOW(gettid), KORE_SYSCALL_ALLOW(tgkill),
    KORE_SYSCALL_ALLOW(getpid), KORE_SYSCALL_ALLOW(timer_create),
    KORE_SYSCALL_ALLOW(timer_settime), KORE_SYSCALL_ALLOW(timer_delete),
    KORE_SYSCALL_ALLOW(prlimit64), KORE_SYSCALL_ALLOW(exit))

int page_ok(struct http_request *);
int page_sleepers(struct http_request *);
int page_short(struct http_request *);
int page_pairs(struct http_request *);
int page_pool(struct http_request *);
int page_pool_work(struct http_request *);
int page_kind(struct http_request *);

static _Atomic long long used_ns;

static long long
now_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (t.tv_sec * 1000000000LL + t.tv_nsec);
}

static void
burn_until(long long end)
{
	volatile unsigned int x = 1;
	int i;

	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end) {
		for (i = 0; i < 300; i++)
			x = x * 1664525u + 1013904223u;
	}
}

__attribute__((noinline)) void crowd_burn(long long ns);
void
crowd_burn(long long ns)
{
	burn_until(now_ns(CLOCK_THREAD_CPUTIME_ID) + ns);
}

__attribute__((noinline)) void crowd_other(long long ns);
void
crowd_other(long long ns)
{
	burn_until(now_ns(CLOCK_THREAD_CPUTIME_ID) + ns);
}

static void
add_used(void)
{
	atomic_fetch_add(&used_ns, now_ns(CLOCK_THREAD_CPUTIME_ID));
}

static long
number(struct http_request *req, const char *key, long otherwise)
{
	const char *at = req->query_string;
	size_t len = strlen(key);

	while (at != NULL && *at != '\0') {
		if (strncmp(at, key, len) == 0 && at[len] == '=')
			return (atol(at + len + 1));
		at = strchr(at, '&');
		at = at != NULL ? at + 1 : NULL;
	}
	return (otherwise);
}

static int
answer(struct http_request *req)
{
	char text[64];
	int len;

	len = snprintf(text, sizeof(text), "%lld\n", atomic_load(&used_ns));
	http_response(req, 200, text, (size_t)len);
	return (KORE_RESULT_OK);
}

int
page_ok(struct http_request *req)
{
	return (answer(req));
}

static void *
sleeps(void *unused)
{
	for (;;)
		(void)sleep(1);
	return (unused);
}

int
page_sleepers(struct http_request *req)
{
	pthread_attr_t attr;
	pthread_t thread;
	long n = number(req, "n", 100);

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	while (n-- > 0)
		(void)pthread_create(&thread, &attr, sleeps, NULL);
	return (answer(req));
}

static void *
works_shortly(void *us)
{
	crowd_burn((long long)(intptr_t)us * 1000);
	add_used();
	return (NULL);
}

static void *
works_otherwise(void *us)
{
	crowd_other((long long)(intptr_t)us * 1000);
	add_used();
	return (NULL);
}

/* n threads, one after another, each with so much work. */
int
page_short(struct http_request *req)
{
	long us = number(req, "us", 3000), n = number(req, "n", 600);
	pthread_t thread;

	atomic_store(&used_ns, 0);
	while (n-- > 0 &&
	    pthread_create(&thread, NULL, works_shortly,
		(void *)(intptr_t)us) == 0)
		(void)pthread_join(thread, NULL);
	return (answer(req));
}

/* The same, two of the one function to one of the other. */
int
page_pairs(struct http_request *req)
{
	long us = number(req, "us", 3000), n = number(req, "n", 600);
	pthread_t thread;

	atomic_store(&used_ns, 0);
	while (n-- > 0 &&
	    pthread_create(&thread, NULL,
		n % 3 == 0 ? works_otherwise : works_shortly,
		(void *)(intptr_t)us) == 0)
		(void)pthread_join(thread, NULL);
	return (answer(req));
}

/* Threads that last, and work once when they are told to. */
static sem_t pool_go, pool_done;
static long pool_us;
static long pool_size;

static void *
waits_and_works(void *unused)
{
	long long began;

	for (;;) {
		while (sem_wait(&pool_go) == -1)
			continue;
		began = now_ns(CLOCK_THREAD_CPUTIME_ID);
		crowd_burn(pool_us * 1000LL);
		atomic_fetch_add(&used_ns,
		    now_ns(CLOCK_THREAD_CPUTIME_ID) - began);
		(void)sem_post(&pool_done);
	}
	return (unused);
}

int
page_pool(struct http_request *req)
{
	pthread_attr_t attr;
	pthread_t thread;
	long i;

	(void)sem_init(&pool_go, 0, 0);
	(void)sem_init(&pool_done, 0, 0);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pool_size = number(req, "n", 200);
	for (i = 0; i < pool_size; i++)
		(void)pthread_create(&thread, &attr, waits_and_works, NULL);
	return (answer(req));
}

int
page_pool_work(struct http_request *req)
{
	long i;

	pool_us = number(req, "us", 3000);
	atomic_store(&used_ns, 0);
	for (i = 0; i < pool_size; i++)
		(void)sem_post(&pool_go);
	for (i = 0; i < pool_size; i++)
		while (sem_wait(&pool_done) == -1)
			continue;
	return (answer(req));
}

/* Ways to be born. */
static long kind_ms;
static sem_t kind_done;

static void
kind_work(void)
{
	crowd_burn(kind_ms * 1000000LL);
	add_used();
	(void)sem_post(&kind_done);
}

static void *
kind_thread(void *unused)
{
	kind_work();
	return (unused);
}

static int
kind_c11(void *unused)
{
	(void)unused;
	kind_work();
	return (0);
}

static void
kind_timer(union sigval unused)
{
	(void)unused;
	kind_work();
}

static int
kind_raw(void *unused)
{
	(void)unused;
	kind_work();
	(void)syscall(SYS_exit, 0);
	return (0);
}

static void
kind_key(void *unused)
{
	(void)unused;
	kind_work();
}

static void *
kind_keyed(void *key)
{
	(void)pthread_setspecific(*(pthread_key_t *)key, key);
	return (NULL);
}

static void
start_c11(void)
{
	thrd_t thread;

	if (thrd_create(&thread, kind_c11, NULL) == thrd_success)
		(void)thrd_detach(thread);
}

static void
start_timer(void)
{
	struct itimerspec soon = { .it_value = { 0, 1000000 } };
	struct sigevent event;
	timer_t timer;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD;
	event.sigev_notify_function = kind_timer;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
		(void)timer_settime(timer, 0, &soon, NULL);
}

static void
start_raw(void)
{
	size_t size = 256 << 10;
	char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)clone(kind_raw, stack + size,
	    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		CLONE_SYSVSEM,
	    NULL);
}

static void
start_blocked(void)
{
	sigset_t all, before;
	pthread_t thread;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, kind_thread, NULL) == 0)
		(void)pthread_detach(thread);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void
start_keyed(void)
{
	static pthread_key_t key;
	pthread_t thread;

	if (key == 0)
		(void)pthread_key_create(&key, kind_key);
	if (pthread_create(&thread, NULL, kind_keyed, &key) == 0)
		(void)pthread_detach(thread);
}

static const struct {
	const char *name;
	void (*start)(void);
} kinds[] = {
	{ "c11", start_c11 },
	{ "timer", start_timer },
	{ "raw", start_raw },
	{ "blocked", start_blocked },
	{ "keyed", start_keyed },
};

int
page_kind(struct http_request *req)
{
	size_t i;

	kind_ms = number(req, "ms", 1000);
	atomic_store(&used_ns, 0);
	(void)sem_init(&kind_done, 0, 0);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strstr(req->query_string, kinds[i].name) == NULL)
			continue;
		kinds[i].start();
		while (sem_wait(&kind_done) == -1)
			continue;
	}
	return (answer(req));
}
