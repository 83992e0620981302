/*
 * /fib/?n=N&type=recursive|iterative: Fibonacci numbers.
 *
 * The recursive kind is the load for profiles. It runs in a Kore task, so that
 * the event loop goes on; when the task ends, the request is woken up.
 *
 * Rule: a job lies in its request's state, and Kore keeps a request until its
 * tasks have ended, also if the client has gone. In that case Kore does not
 * call the handler again, and frees both.
 */
#include "app.h"

#include <sys/queue.h>
#include <sys/syscall.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <kore/tasks.h>

#include "query.h"
#include "state.h"

/* fib(93) is the last number that fits 64 bits. */
#define FIB_MAX 93

/*
 * Recursion without memory would call itself 40 billion times for fib(50),
 * minutes for a request. With a table of known results there are 99 calls, a
 * quarter of a microsecond, which is too little to be seen beside HTTP. So the
 * recursion runs this many times, with an empty table each time: that takes
 * about 100 us a request at n=50, nearly all of it inside fib_recursive(), up
 * to n deep.
 */
#define FIB_ROUNDS 400

struct fib_job {
	struct kore_task task; /* first: Kore hands it to fib_work() */
	unsigned int n;
	uint64_t value; /* written by the task, read after its end */
	sem_t handed_over;
	int listed; /* in `jobs`; written by the event loop only */
	LIST_ENTRY(fib_job) list;
};

/* Jobs of this worker whose request is not answered yet. */
static LIST_HEAD(, fib_job) jobs = LIST_HEAD_INITIALIZER(jobs);

/* The first job sets this: Kore starts the threads when they are needed. */
static int has_threads;

static int fib_start(struct http_request *, unsigned int);
static int fib_resume(struct http_request *, struct fib_job *);
static int fib_work(struct kore_task *);
static int fib_leave(struct kore_task *);
static void fib_unlist(struct fib_job *);
static void fib_freed(struct http_request *);

/* The function is not inlined into itself: each level is a frame that a profile
 * can show. */
static uint64_t __attribute__((noinline))
fib_recursive(unsigned int n, uint64_t known[FIB_MAX + 1])
{
	if (n < 2)
		return (n);
	if (known[n] == 0)
		known[n] =
		    fib_recursive(n - 1, known) + fib_recursive(n - 2, known);

	return (known[n]);
}

static uint64_t __attribute__((noinline)) fib_iterative(unsigned int n)
{
	uint64_t a = 0, b = 1, next;

	while (n-- > 0) {
		next = a + b;
		a = b;
		b = next;
	}

	return (a);
}

static void
fib_answer(struct http_request *req, uint64_t value)
{
	char text[32];
	int len;

	len = snprintf(text, sizeof(text), "%" PRIu64 "\n", value);
	answer(req, HTTP_STATUS_OK, text, (size_t)len);
}

int
page_fib(struct http_request *req)
{
	struct fib_job *job = http_state_get(req);
	char *type;
	uint64_t n;
	int recursive;

	if (job != NULL)
		return (fib_resume(req, job));

	if (query_number(req, "n", 0, FIB_MAX, &n) == -1)
		return (KORE_RESULT_OK);
	if (query_get(req, "type", &type) == QUERY_BROKEN)
		return (KORE_RESULT_OK);
	recursive = type != NULL && strcmp(type, "recursive") == 0;
	if (type != NULL && !recursive && strcmp(type, "iterative") != 0) {
		answer_bad_value(req, "type", type,
		    "recursive or iterative, or leave it out for iterative");
		kore_free(type);
		return (KORE_RESULT_OK);
	}
	kore_free(type);

	if (recursive)
		return (fib_start(req, (unsigned int)n));
	fib_answer(req, fib_iterative((unsigned int)n));

	return (KORE_RESULT_OK);
}

static int
fib_start(struct http_request *req, unsigned int n)
{
	struct fib_job *job;

	job = state_create(req, sizeof(*job), fib_freed);
	job->n = n;
	job->listed = 1;
	LIST_INSERT_HEAD(&jobs, job, list);

	(void)sem_init(&job->handed_over, 0, 0);
	kore_task_create(&job->task, fib_work);
	kore_task_bind_request(&job->task, req); /* the request sleeps */
	kore_task_run(&job->task);
	has_threads = 1;
	(void)sem_post(&job->handed_over);

	return (KORE_RESULT_RETRY);
}

/*
 * This runs in a thread of Kore's task pool.
 *
 * kore_task_run() queues the task first and then signals the thread. A thread
 * that is signalled with nothing in its queue crashes (Kore 4.1.0 does not look
 * again after pthread_cond_wait()). So a task that began at once must not end
 * before kore_task_run() has returned.
 */
static int
fib_work(struct kore_task *task)
{
	struct fib_job *job = (struct fib_job *)task;
	uint64_t known[FIB_MAX + 1];
	int i;

	for (i = 0; i < FIB_ROUNDS; i++) {
		memset(known, 0, sizeof(known));
		job->value = fib_recursive(job->n, known);
	}
	while (sem_wait(&job->handed_over) == -1 && errno == EINTR)
		;

	return (KORE_RESULT_OK);
}

static int
fib_resume(struct http_request *req, struct fib_job *job)
{
	if (!kore_task_finished(&job->task)) {
		http_request_sleep(req);
		return (KORE_RESULT_RETRY);
	}

	fib_unlist(job);
	kore_task_destroy(&job->task);
	fib_answer(req, job->value);

	return (KORE_RESULT_OK);
}

static void
fib_unlist(struct fib_job *job)
{
	if (job->listed) {
		LIST_REMOVE(job, list);
		job->listed = 0;
	}
}

/*
 * If a client has gone, Kore calls this whenever it tries to free the request,
 * also while the task still runs; then Kore has to try again. When Kore has
 * destroyed the task, task.req is NULL, and the task's lock is gone.
 */
static void
fib_freed(struct http_request *req)
{
	struct fib_job *job = http_state_get(req);

	if (job->task.req == NULL || kore_task_finished(&job->task))
		fib_unlist(job);
}

/*
 * When a task has left this module, its end of the socket pair is closed: Kore
 * does that after fib_work() has returned. The page_fib() that is loaded later
 * answers the requests.
 */
void
fib_drain(void)
{
	struct fib_job *job;
	struct pollfd end;

	while ((job = LIST_FIRST(&jobs)) != NULL) {
		fib_unlist(job);
		if (job->task.req == NULL)
			continue; /* the task is destroyed */

		state_forget(job->task.req);
		end.fd = job->task.fds[0];
		end.events = POLLIN;
		while (poll(&end, 1, -1) == -1 && errno == EINTR)
			;
	}
	state_leave();
}

/*
 * Kore ends no task thread. At a worker's end Kore unmaps memory to which a
 * thread that has just closed its end of a pair still writes: one end in fifty
 * was a crash. So each thread is given a task that ends the thread.
 * kore_task_run() hands tasks out in turn, and a thread takes them in the order
 * in which they came.
 */
void
fib_end_threads(void)
{
	struct kore_task *last;
	unsigned int i;

	if (!has_threads)
		return;

	last = kore_calloc(kore_task_threads, sizeof(*last));
	for (i = 0; i < kore_task_threads; i++) {
		kore_task_create(&last[i], fib_leave);
		kore_task_run(&last[i]);
	}
	for (i = 0; i < kore_task_threads; i++)
		(void)pthread_join(last[i].thread->tid, NULL);
}

/* pthread_exit() would load libgcc_s.so.1, which a chroot does not have. */
static int
fib_leave(struct kore_task *task)
{
	(void)task;
	(void)syscall(SYS_exit, 0);

	return (KORE_RESULT_OK);
}
