/*
 * A Kore application that measures how deep its stacks are used, with areas
 * that are painted before and looked at afterwards: an alternate signal stack,
 * a thread's smallest stack, a coroutine. Below each area is a page that may
 * not be touched.
 *
 * An answer says "used N frame F\n": the bytes that were written to below where
 * the work stands (of an alternate stack: in all), and what the kernel's own
 * signal frame takes of them.
 *
 * Rule: nothing here knows of the profiler.
 */
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/seccomp.h>

#include <sys/mman.h>

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

KORE_SECCOMP_FILTER("depths", KORE_SYSCALL_ALLOW(clone3),
    KORE_SYSCALL_ALLOW(rseq), KORE_SYSCALL_ALLOW(set_robust_list),
    KORE_SYSCALL_ALLOW(sigaltstack), KORE_SYSCALL_ALLOW(rt_sigprocmask),
    KORE_SYSCALL_ALLOW(rt_sigaction), KORE_SYSCALL_ALLOW(mmap),
    KORE_SYSCALL_ALLOW(mprotect), KORE_SYSCALL_ALLOW(munmap),
    KORE_SYSCALL_ALLOW(madvise), KORE_SYSCALL_ALLOW(clock_nanosleep),
    KORE_SYSCALL_ALLOW(gettid), KORE_SYSCALL_ALLOW(tgkill),
    KORE_SYSCALL_ALLOW(getpid), KORE_SYSCALL_ALLOW(ppoll),
    KORE_SYSCALL_ALLOW(newfstatat))

#define PAINT 0xa5
#define PAGE  4096

int page_ok(struct http_request *);
int page_alternate(struct http_request *);
int page_thread(struct http_request *);
int page_coroutine(struct http_request *);

struct area {
	unsigned char *low;
	size_t size;
};

struct work {
	struct area area;
	void (*call)(void);
	int rounds;
	int ms;
	uintptr_t top;	 /* where the work stands */
	uintptr_t frame; /* lowest address of a signal's frame there */
};

static struct work *now;

static int
area_make(struct area *area, size_t size)
{
	unsigned char *all = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED || mprotect(all, PAGE, PROT_NONE) == -1)
		return (-1);
	area->low = all + PAGE;
	area->size = size;
	memset(area->low, PAINT, size);
	return (0);
}

static void
area_give_back(struct area *area)
{
	(void)munmap(area->low - PAGE, area->size + PAGE);
}

static uintptr_t
area_lowest(const struct area *area)
{
	size_t i = 0;

	while (i < area->size && area->low[i] == PAINT)
		i++;
	return ((uintptr_t)area->low + i);
}

/* The kernel has pushed its frame, and the handler a frame pointer. */
static void
on_signal(int number)
{
	(void)number;
	now->frame = (uintptr_t)__builtin_frame_address(0) + sizeof(void *);
}

/* A leaf: what interrupts it stands right below it. */
static __attribute__((noinline)) void
burn(int ms)
{
	volatile unsigned int x = 1;
	long i, rounds = (long)ms * 300000;

	for (i = 0; i < rounds; i++)
		x = x * 1664525u + 1013904223u;
}

static void *
nothing(void *arg)
{
	return (arg);
}

static void
do_lock(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	(void)pthread_mutex_lock(&lock);
	(void)pthread_mutex_unlock(&lock);
}

static void
do_wait(void)
{
	struct timespec until;
	sem_t sem;

	(void)sem_init(&sem, 0, 0);
	(void)clock_gettime(CLOCK_REALTIME, &until);
	(void)sem_timedwait(&sem, &until);
	until.tv_nsec += 2000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	(void)sem_timedwait(&sem, &until);
}

static void
do_create(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL) == 0)
		(void)pthread_join(thread, NULL);
}

static void
do_memory(void)
{
	void *p[8];
	int i;

	for (i = 0; i < 8; i++)
		p[i] = malloc((size_t)64 << i);
	p[0] = realloc(p[0], 4096);
	for (i = 0; i < 8; i++)
		free(p[i]);
	p[0] = kore_malloc(100);
	p[0] = kore_realloc(p[0], 5000);
	kore_free(p[0]);
}

static void
do_sleep(void)
{
	struct timespec nap = { 0, 1000000 };

	(void)nanosleep(&nap, NULL);
	(void)poll(NULL, 0, 1);
}

/* What was written to before, and by what is called first and looks for its
 * name. */
static __attribute__((noinline)) void
repaint(const struct work *w)
{
	memset(w->area.low, PAINT,
	    (uintptr_t)__builtin_frame_address(0) - 128 -
		(uintptr_t)w->area.low);
}

static __attribute__((noinline)) void
work(struct work *w)
{
	int i;

	w->top = (uintptr_t)__builtin_frame_address(0);
	now = w;
	(void)raise(SIGUSR2);
	repaint(w);
	burn(w->ms);
	for (i = 0; i < w->rounds; i++)
		w->call();
}

static const struct {
	const char *name;
	void (*call)(void);
	int rounds;
} calls[] = {
	{ "lock", do_lock, 100 },
	{ "memory", do_memory, 100 },
	{ "wait", do_wait, 10 },
	{ "create", do_create, 10 },
	{ "sleep", do_sleep, 10 },
};

static int
answer(struct http_request *req, struct work *w)
{
	char text[128];
	int len;

	len = snprintf(text, sizeof(text), "used %lu frame %lu\n",
	    (unsigned long)(w->top - area_lowest(&w->area)),
	    (unsigned long)(w->top - w->frame));
	area_give_back(&w->area);
	http_response(req, 200, text, (size_t)len);
	return (KORE_RESULT_OK);
}

static int
begin(struct http_request *req, struct work *w, size_t size)
{
	struct sigaction action = { .sa_handler = on_signal,
		.sa_flags = SA_ONSTACK };
	const char *query = req->query_string, *at;
	size_t i;

	memset(w, 0, sizeof(*w));
	if (query == NULL)
		query = "";
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strstr(query, calls[i].name) == NULL)
			continue;
		w->call = calls[i].call;
		w->rounds = calls[i].rounds;
	}
	at = strstr(query, "ms=");
	w->ms = at != NULL ? atoi(at + 3) : 10;
	at = strstr(query, "size=");
	if (at != NULL)
		size = (size_t)atoi(at + 5);
	if (area_make(&w->area, size) == -1 ||
	    sigaction(SIGUSR2, &action, NULL) == -1) {
		http_response(req, 500, NULL, 0);
		return (-1);
	}
	return (0);
}

int
page_ok(struct http_request *req)
{
	http_response(req, 200, "ok\n", 3);
	return (KORE_RESULT_OK);
}

int
page_alternate(struct http_request *req)
{
	stack_t off = { .ss_flags = SS_DISABLE }, stack;
	struct work w;

	if (begin(req, &w, 8192) == -1)
		return (KORE_RESULT_OK);
	stack = (stack_t){ .ss_sp = w.area.low, .ss_size = w.area.size };
	w.top = (uintptr_t)w.area.low + w.area.size;
	now = &w;
	(void)sigaltstack(&stack, NULL);
	(void)raise(SIGUSR2);
	memset(w.area.low, PAINT, w.area.size);
	burn(w.ms);
	(void)sigaltstack(&off, NULL);
	return (answer(req, &w));
}

static void *
in_thread(void *arg)
{
	work(arg);
	return (NULL);
}

int
page_thread(struct http_request *req)
{
	pthread_attr_t attr;
	pthread_t thread;
	struct work w;

	if (begin(req, &w, PTHREAD_STACK_MIN) == -1)
		return (KORE_RESULT_OK);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstack(&attr, w.area.low, w.area.size);
	if (pthread_create(&thread, &attr, in_thread, &w) == 0)
		(void)pthread_join(thread, NULL);
	return (answer(req, &w));
}

static struct work *started;

static void
in_coroutine(void)
{
	work(started);
}

int
page_coroutine(struct http_request *req)
{
	ucontext_t here, there;
	struct work w;

	if (begin(req, &w, 8192) == -1)
		return (KORE_RESULT_OK);
	started = &w;
	(void)getcontext(&there);
	there.uc_stack.ss_sp = w.area.low;
	there.uc_stack.ss_size = w.area.size;
	there.uc_link = &here;
	makecontext(&there, in_coroutine, 0);
	(void)swapcontext(&here, &there);
	return (answer(req, &w));
}
