/*
 * Slow handlers: each works for as long as it is asked to, by the clock, and
 * writes down in a file that all workers share (SLOW_RUNS) from when to when it
 * ran. What held a worker, and whether others wanted its core, is known by that.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <kore/seccomp.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RUNS 65536

KORE_SECCOMP_FILTER("slow", KORE_SYSCALL_ALLOW(clone),
    KORE_SYSCALL_ALLOW(wait4), KORE_SYSCALL_ALLOW(set_robust_list))

int page_slow(struct http_request *);
int page_child(struct http_request *);
int page_who(struct http_request *);
u_int64_t slow_spin(u_int64_t);

struct run {
	uint64_t asked_ns, began_ns, ended_ns, cpu_ns;
};

static struct known {
	_Atomic uint64_t runs;
	struct run run[RUNS];
} * known;
static volatile u_int64_t drain;

static __attribute__((constructor)) void
slow_begin(void)
{
	int fd = open(getenv("SLOW_RUNS"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1 || ftruncate(fd, sizeof(*known)) == -1)
		abort();
	known = mmap(NULL, sizeof(*known), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	close(fd);
}

static uint64_t
now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return ((uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec);
}

__attribute__((noinline)) u_int64_t
slow_spin(u_int64_t from)
{
	for (int i = 0; i < 20000; i++)
		from = from * 6364136223846793005ULL + 1442695040888963407ULL;
	return (from);
}

static void
slow_write(const struct run *run)
{
	uint64_t at = atomic_fetch_add(&known->runs, 1);

	if (at < RUNS)
		known->run[at] = *run;
}

/* ?MS */
int
page_slow(struct http_request *req)
{
	const char *ms = req->query_string != NULL ? req->query_string : "40";
	struct run run = { 1000000ULL * strtoull(ms, NULL, 10),
		now_ns(CLOCK_MONOTONIC), 0, now_ns(CLOCK_THREAD_CPUTIME_ID) };

	while (now_ns(CLOCK_MONOTONIC) - run.began_ns < run.asked_ns)
		drain = slow_spin(drain);
	http_response(req, 200, "ok\n", 3);
	run.ended_ns = now_ns(CLOCK_MONOTONIC);
	run.cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - run.cpu_ns;
	slow_write(&run);
	return (KORE_RESULT_OK);
}

/* ?MS of CPU time, used by a child; what the kernel says that it was. */
int
page_child(struct http_request *req)
{
	uint64_t ns = 1000000ULL * strtoull(req->query_string, NULL, 10);
	struct run run = { ns, now_ns(CLOCK_MONOTONIC), 0, 0 };
	struct rusage used;
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < ns)
			drain = slow_spin(drain);
		_exit(0);
	}
	while (wait4(pid, &status, 0, &used) != pid)
		continue;
	run.ended_ns = now_ns(CLOCK_MONOTONIC);
	run.cpu_ns = 1000ULL *
		(uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) +
	    1000000000ULL *
		(uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
	slow_write(&run);
	http_response(req, 200, "ok\n", 3);
	return (KORE_RESULT_OK);
}

int
page_who(struct http_request *req)
{
	struct kore_buf *text = kore_buf_alloc(64);

	kore_buf_appendf(text, "%u %d\n", worker->id, worker->pid);
	http_response(req, 200, text->data, text->offset);
	kore_buf_free(text);
	return (KORE_RESULT_OK);
}
