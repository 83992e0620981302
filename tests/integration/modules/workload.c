/*
 * A Kore application whose use of CPU is known: the truth that profiles are
 * compared with.
 *
 * A "chunk" is LOOPS turns of the same arithmetic in one of three functions.
 * /burn/a is 100 chunks, exactly 60/30/10 of alpha/beta/gamma, /burn/b is
 * 20/30/50, in an order shuffled anew each time, so that a periodic sampler
 * cannot fall into step with it. The CPU time of each chunk, read from the
 * thread's own clock, is added up in memory shared by all workers: /truth.
 *
 * Not an example: the sample application is kore_app/.
 *
 * Rule: nothing here knows of the profiler.
 */
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/tasks.h>

#include <gnu/libc-version.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LOOPS	50000
#define CHUNKS	100
#define WORKERS 16

enum work { ALPHA, BETA, GAMMA, WORKS };
enum route { ROUTE_A, ROUTE_B, ROUTES };

struct truth {
	_Atomic u_int64_t ns[WORKERS][ROUTES][WORKS];
	_Atomic u_int64_t chunks[WORKERS][ROUTES][WORKS];
};

static struct truth *truth;
static volatile u_int64_t drain;

int burn_a(struct http_request *);
int burn_b(struct http_request *);
int page_light(struct http_request *);
int page_who(struct http_request *);
int page_truth(struct http_request *);
int page_task(struct http_request *);
int page_sleep(struct http_request *);
int page_pattern(struct http_request *);
int page_stuck(struct http_request *);
int page_calls(struct http_request *);
int workload_background(int);

u_int64_t workload_alpha(u_int64_t);
u_int64_t workload_beta(u_int64_t);
u_int64_t workload_gamma(u_int64_t);
u_int64_t workload_task(u_int64_t);
u_int64_t workload_timer(u_int64_t);
u_int64_t workload_thread(u_int64_t);
u_int64_t workload_pattern(u_int64_t);
u_int64_t workload_awake(u_int64_t);
u_int64_t workload_calls(u_int64_t);

__attribute__((constructor)) static void
workload_share(void)
{
	truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

/* Inlined into every function below, to be seen as inlined in profiles. */
static inline __attribute__((always_inline)) u_int64_t
churn(u_int64_t loops)
{
	u_int64_t x = loops | 1;

	while (loops-- > 0) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	return (x);
}

__attribute__((noinline, noclone, aligned(64))) u_int64_t
workload_alpha(u_int64_t loops)
{
	return (churn(loops) + 1);
}

__attribute__((noinline, noclone, aligned(64))) u_int64_t
workload_beta(u_int64_t loops)
{
	return (churn(loops) + 2);
}

__attribute__((noinline, noclone, aligned(64))) u_int64_t
workload_gamma(u_int64_t loops)
{
	return (churn(loops) + 3);
}

__attribute__((noinline, noclone)) u_int64_t
workload_task(u_int64_t loops)
{
	return (churn(loops) + 4);
}

__attribute__((noinline, noclone)) u_int64_t
workload_timer(u_int64_t loops)
{
	return (churn(loops) + 5);
}

__attribute__((noinline, noclone)) u_int64_t
workload_thread(u_int64_t loops)
{
	return (churn(loops) + 6);
}

__attribute__((noinline, noclone)) u_int64_t
workload_pattern(u_int64_t loops)
{
	return (churn(loops) + 7);
}

__attribute__((noinline, noclone)) u_int64_t
workload_awake(u_int64_t loops)
{
	return (churn(loops) + 8);
}

/* Calls a function of libc that does next to nothing, and code as a stub is, that
 * no symbol table names: a clock is seldom fine enough to find a thread in the
 * one instruction of a stub. */
#if defined(__x86_64__)
__asm__(".pushsection .text\n"
	".p2align 4\n"
	".Lnameless:\n"
	".cfi_startproc\n"
	"1:	dec %rdi\n"
	"	jnz 1b\n"
	"	ret\n"
	".cfi_endproc\n"
	".popsection\n");
#endif

__attribute__((noinline, noclone)) u_int64_t
workload_calls(u_int64_t loops)
{
	u_int64_t sum = 0;

	while (loops-- > 0) {
		sum += gnu_get_libc_version()[0];
#if defined(__x86_64__)
		__asm__ volatile("mov $20, %%edi\n\t"
				 "lea .Lnameless(%%rip), %%rax\n\t"
				 "call *%%rax"
				 :
				 :
				 : "rax", "rdi", "cc", "memory");
#endif
	}
	return (sum);
}

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

/* Fill `order` with the given counts, shuffled. */
static void
deal(unsigned char order[CHUNKS], const int counts[WORKS])
{
	static u_int64_t seed = 88172645463325252ULL;
	int i, j, work, at = 0;
	unsigned char kept;

	for (work = 0; work < WORKS; work++) {
		for (i = 0; i < counts[work]; i++)
			order[at++] = work;
	}
	for (i = CHUNKS - 1; i > 0; i--) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		j = (seed >> 33) % (i + 1);
		kept = order[i];
		order[i] = order[j];
		order[j] = kept;
	}
}

static void
burn(enum route route, const int counts[WORKS])
{
	static u_int64_t (*const work[WORKS])(
	    u_int64_t) = { workload_alpha, workload_beta, workload_gamma };
	unsigned char order[CHUNKS];
	int64_t before, after;
	int i, which;

	deal(order, counts);
	before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	for (i = 0; i < CHUNKS; i++) {
		which = order[i];
		drain += work[which](LOOPS);
		after = clock_ns(CLOCK_THREAD_CPUTIME_ID);
		truth->ns[worker->id % WORKERS][route][which] += after - before;
		truth->chunks[worker->id % WORKERS][route][which]++;
		before = after;
	}
}

static int
reply(struct http_request *req, const char *text)
{
	http_response_header(req, "content-type", "text/plain");
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}

int
burn_a(struct http_request *req)
{
	static const int counts[WORKS] = { 60, 30, 10 };

	burn(ROUTE_A, counts);
	return (reply(req, "burnt\n"));
}

int
burn_b(struct http_request *req)
{
	static const int counts[WORKS] = { 20, 30, 50 };

	burn(ROUTE_B, counts);
	return (reply(req, "burnt\n"));
}

int
page_light(struct http_request *req)
{
	return (reply(req, "light\n"));
}

int
page_who(struct http_request *req)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%d %d\n", worker->id,
	    (int)getpid());
	return (reply(req, text));
}

/* Lines of: worker route function chunks nanoseconds. */
int
page_truth(struct http_request *req)
{
	struct kore_buf *buf = kore_buf_alloc(4096);
	int w, r, f;

	for (w = 0; w < WORKERS; w++) {
		for (r = 0; r < ROUTES; r++) {
			for (f = 0; f < WORKS; f++) {
				if (truth->chunks[w][r][f] == 0)
					continue;
				kore_buf_appendf(buf, "%d %c %s %llu %llu\n", w,
				    'a' + r,
				    f == ALPHA	    ? "workload_alpha"
					: f == BETA ? "workload_beta"
						    : "workload_gamma",
				    (unsigned long long)truth->chunks[w][r][f],
				    (unsigned long long)truth->ns[w][r][f]);
			}
		}
	}
	http_response_header(req, "content-type", "text/plain");
	http_response(req, 200, buf->data, buf->offset);
	kore_buf_free(buf);
	return (KORE_RESULT_OK);
}

static int
task_entry(struct kore_task *task)
{
	int i;

	(void)task;
	for (i = 0; i < CHUNKS; i++)
		drain += workload_task(LOOPS);
	return (KORE_RESULT_OK);
}

int
page_task(struct http_request *req)
{
	struct kore_task *task = req->hdlr_extra;

	if (task == NULL) {
		task = req->hdlr_extra = kore_calloc(1, sizeof(*task));
		kore_task_create(task, task_entry);
		kore_task_bind_request(task, req);
		kore_task_run(task);
		return (KORE_RESULT_RETRY);
	}
	if (kore_task_state(task) != KORE_TASK_STATE_FINISHED) {
		http_request_sleep(req);
		return (KORE_RESULT_RETRY);
	}
	kore_task_destroy(task);
	return (reply(req, "done\n"));
}

static void
wake(void *arg, u_int64_t now)
{
	(void)now;
	http_request_wakeup(arg);
}

/* Sleeps 50 ms between its two halves, without holding its worker. */
int
page_sleep(struct http_request *req)
{
	if (req->hdlr_extra == NULL) {
		req->hdlr_extra = kore_malloc(1);
		http_request_sleep(req);
		kore_timer_add(wake, 50, req, KORE_TIMER_ONESHOT);
		return (KORE_RESULT_RETRY);
	}
	drain += workload_awake(LOOPS * 20);
	return (reply(req, "slept\n"));
}

int
page_pattern(struct http_request *req)
{
	drain += workload_pattern(LOOPS * 20);
	return (reply(req, "matched\n"));
}

int
page_calls(struct http_request *req)
{
	drain += workload_calls(LOOPS * 50);
	return (reply(req, "called\n"));
}

/* Holds its worker for 3 s of CPU: the event loop does not turn. */
int
page_stuck(struct http_request *req)
{
	int64_t end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + 3000000000LL;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		drain += workload_alpha(LOOPS);
	return (reply(req, "free\n"));
}

static void
tick(void *arg, u_int64_t now)
{
	(void)arg;
	(void)now;
	drain += workload_timer(LOOPS * 20);
}

static void *
background(void *arg)
{
	struct timespec pause = { 0, 20000000 };

	(void)arg;
	for (;;) {
		drain += workload_thread(LOOPS * 20);
		(void)nanosleep(&pause, NULL);
	}
	return (NULL);
}

/* onload: work outside of any request, by a timer and by a plain thread. */
int
workload_background(int state)
{
	sigset_t all, kept;
	pthread_t thread;

	if (state != KORE_MODULE_LOAD)
		return (KORE_RESULT_OK);
	kore_timer_add(tick, 20, NULL, 0);
	/* Kore's signals belong to its own thread. */
	(void)sigfillset(&all);
	(void)sigdelset(&all, SIGPROF);
	(void)pthread_sigmask(SIG_SETMASK, &all, &kept);
	if (pthread_create(&thread, NULL, background, NULL) != 0)
		fatal("no thread");
	(void)pthread_sigmask(SIG_SETMASK, &kept, NULL);
	return (KORE_RESULT_OK);
}
