/*
 * A Kore application whose handlers and tasks wait for another thread, in each
 * call that one can wait in: /await?HOW waits in the handler, /task?HOW in a
 * task. The answer is how long that took by a clock of its own, in ns, and what
 * of it was CPU. / lists the ways, and under which name each is told.
 *
 * Rule: who is waited for comes after REST_MS, and only if the other one
 * sleeps already.
 */
#define _GNU_SOURCE
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/tasks.h>
#include <kore/seccomp.h>

#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define REST_MS 40

KORE_SECCOMP_FILTER("awaits", KORE_SYSCALL_ALLOW(eventfd2),
    KORE_SYSCALL_ALLOW(flock), KORE_SYSCALL_ALLOW(rt_sigtimedwait),
    KORE_SYSCALL_ALLOW(rt_sigsuspend), KORE_SYSCALL_ALLOW(pause),
    KORE_SYSCALL_ALLOW(pselect6), KORE_SYSCALL_ALLOW(ppoll),
    KORE_SYSCALL_ALLOW(wait4), KORE_SYSCALL_ALLOW(waitid),
    KORE_SYSCALL_ALLOW(bind), KORE_SYSCALL_ALLOW(listen),
    KORE_SYSCALL_ALLOW(connect), KORE_SYSCALL_ALLOW(socket))

int page_list(struct http_request *);
int page_await(struct http_request *);
int page_task(struct http_request *);
int app_awaits(struct kore_task *);
int64_t app_wait(const char *);

/* One wait: the two ends of what is waited on. */
struct wait {
	int in, out;
	FILE *from, *to;
	pthread_t waiter;
	char path[64];
	uint32_t word;
	pthread_once_t once;
	once_flag flag;
};

static struct wait now;
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

static int64_t
clock_ns(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (time.tv_sec * 1000000000LL + time.tv_nsec);
}

static void
rest(int ms)
{
	struct timespec time = { 0, ms * 1000000L };

	while (nanosleep(&time, &time) == -1)
		continue;
}

static void
pipe_make(void)
{
	int ends[2];

	if (pipe(ends) == -1)
		abort();
	now.in = ends[0];
	now.out = ends[1];
	now.from = fdopen(ends[0], "r");
	now.to = fdopen(ends[1], "w");
}

static void
pipe_end(void)
{
	(void)fclose(now.from);
	(void)fclose(now.to);
}

/* Until it is full; a reader comes later. */
static void
full_make(void)
{
	static char bytes[65536];

	pipe_make();
	(void)fcntl(now.out, F_SETFL, O_NONBLOCK);
	while (write(now.out, bytes, sizeof(bytes)) > 0)
		continue;
	(void)fcntl(now.out, F_SETFL, 0);
	setvbuf(now.to, NULL, _IONBF, 0);
}

static void
pair_make(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
		abort();
	now.in = ends[0];
	now.out = ends[1];
}

static void
pair_end(void)
{
	(void)close(now.in);
	(void)close(now.out);
	(void)unlink(now.path);
}

static void
listen_make(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(now.path, sizeof(now.path), "/awaits.%d", (int)getpid());
	(void)strcpy(at.sun_path, now.path);
	now.in = socket(AF_UNIX, SOCK_STREAM, 0);
	now.out = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(now.in, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    listen(now.in, 1) == -1)
		kore_log(LOG_ERR, "listen: %s", strerror(errno));
}

static void
event_make(void)
{
	now.in = now.out = eventfd(0, 0);
}

static void
event_end(void)
{
	(void)close(now.in);
}

/* A lock of the file by another description, or, for records, process. */
static void
file_make(void)
{
	snprintf(now.path, sizeof(now.path), "/awaits.%d", (int)getpid());
	now.in = open(now.path, O_RDWR | O_CREAT, 0600);
	now.out = open(now.path, O_RDWR, 0600);
}

static void
flock_make(void)
{
	file_make();
	(void)flock(now.out, LOCK_EX);
}

static void
record(int fd, int what, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	if (fcntl(fd, what, &lock) == -1)
		kore_log(LOG_ERR, "fcntl: %s", strerror(errno));
}

static void
record_make(void)
{
	file_make();
	record(now.out, F_OFD_SETLK, F_WRLCK);
}

static void
signal_none(int signo)
{
	(void)signo;
}

static void
signal_make(void)
{
	struct sigaction action = { .sa_handler = signal_none };

	(void)sigaction(SIGURG, &action, NULL);
	now.waiter = pthread_self();
}

static void
blocked_make(void)
{
	sigset_t set;

	signal_make();
	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void
blocked_end(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void
none_make(void)
{
	now.once = (pthread_once_t)PTHREAD_ONCE_INIT;
	now.flag = (once_flag)ONCE_FLAG_INIT;
	now.word = 0;
}

static void
none_end(void)
{
}

static void
stream_make(void)
{
	now.to = fopen("/awaits.stream", "w");
}

static void
stream_end(void)
{
	(void)fclose(now.to);
	(void)unlink("/awaits.stream");
}

/* Who comes later. */
static void
gives_line(void)
{
	(void)!write(now.out, "1 line\n", 7);
}

static void
takes_all(void)
{
	static char bytes[65536];

	(void)!read(now.in, bytes, sizeof(bytes));
}

static void
gives_event(void)
{
	(void)eventfd_write(now.out, 1);
}

static void
gives_signal(void)
{
	(void)pthread_kill(now.waiter, SIGURG);
}

static void
gives_flock(void)
{
	(void)flock(now.out, LOCK_UN);
}

static void
gives_record(void)
{
	record(now.out, F_OFD_SETLK, F_UNLCK);
}

static void
connects(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	(void)strcpy(at.sun_path, now.path);
	(void)connect(now.out, (struct sockaddr *)&at, sizeof(at));
}

static void
wakes(void)
{
	__atomic_store_n(&now.word, 1, __ATOMIC_SEQ_CST);
	(void)syscall(SYS_futex, &now.word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Who is first and keeps the other one waiting. */
static void
long_once(void)
{
	rest(REST_MS);
}

static void
first_once(void)
{
	(void)pthread_once(&now.once, long_once);
}

static void
first_call(void)
{
	call_once(&now.flag, long_once);
}

static void
holds_stream(void)
{
	flockfile(now.to);
	rest(REST_MS);
	funlockfile(now.to);
}

/* The waits. */
static char line[64];
static char one_byte[2] = "1"; /* no constant: that is fputc() */

static void
do_fgets(void)
{
	(void)!fgets(line, sizeof(line), now.from);
}

static void
do_getc(void)
{
	(void)getc(now.from);
}

static void
do_fread(void)
{
	(void)!fread(line, 1, 1, now.from);
}

static void
do_fscanf(void)
{
	int number;

	(void)!fscanf(now.from, "%d", &number);
}

static void
do_getline(void)
{
	static char *text;
	static size_t len;

	(void)!getline(&text, &len, now.from);
}

static void
do_fputs(void)
{
	(void)fputs(one_byte, now.to);
}

static void
do_fwrite(void)
{
	(void)!fwrite("1", 1, 1, now.to);
}

static void
do_fprintf(void)
{
	(void)fprintf(now.to, "%d", 1);
}

static void
do_fflush(void)
{
	static char buffer[256];

	setvbuf(now.to, buffer, _IOFBF, sizeof(buffer));
	(void)fputs("1", now.to);
	(void)fflush(now.to);
}

static void
do_write(void)
{
	(void)!write(now.out, "1", 1);
}

static void
do_read(void)
{
	(void)!read(now.in, line, 1);
}

static void
do_raw_read(void)
{
	(void)syscall(SYS_read, now.in, line, 1);
}

static void
do_recv(void)
{
	(void)recv(now.in, line, 1, 0);
}

static void
do_poll(void)
{
	struct pollfd fd = { now.in, POLLIN, 0 };

	(void)poll(&fd, 1, 5000);
}

static void
do_select(void)
{
	struct timeval time = { 5, 0 };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(now.in, &set);
	(void)select(now.in + 1, &set, NULL, NULL, &time);
}

static void
do_accept(void)
{
	(void)close(accept(now.in, NULL, NULL));
}

static void
do_eventfd_read(void)
{
	eventfd_t value;

	(void)eventfd_read(now.in, &value);
}

static void
do_flock(void)
{
	(void)flock(now.in, LOCK_EX);
}

static void
do_record(void)
{
	record(now.in, F_SETLKW, F_WRLCK);
}

static void
do_lockf(void)
{
	(void)lockf(now.in, F_LOCK, 0);
}

static void
do_pause(void)
{
	(void)pause();
}

static void
do_sigsuspend(void)
{
	sigset_t set;

	sigemptyset(&set);
	(void)sigsuspend(&set);
}

static void
do_sigwait(void)
{
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	(void)sigwait(&set, &signo);
}

static void
do_sigwaitinfo(void)
{
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	(void)sigwaitinfo(&set, &info);
}

static void
do_once(void)
{
	(void)pthread_once(&now.once, long_once);
}

static void
do_call_once(void)
{
	call_once(&now.flag, long_once);
}

static void
do_futex(void)
{
	while (__atomic_load_n(&now.word, __ATOMIC_SEQ_CST) == 0)
		(void)syscall(SYS_futex, &now.word, FUTEX_WAIT, 0, NULL, NULL,
		    0);
}

static void
do_flockfile(void)
{
	flockfile(now.to);
	funlockfile(now.to);
}

/* By no function that could be followed. */
static void
do_inline_read(void)
{
	long result = SYS_read;

#ifdef __x86_64__
	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"((long)now.in), "S"(line), "d"(1L)
			 : "rcx", "r11", "memory");
#else
	result = syscall(SYS_read, now.in, line, 1);
#endif
	(void)result;
}

/* No wait, but for one too short to tell. */
static void
do_spin(void)
{
	struct timespec moment = { 0, 1000 };
	int64_t until = clock_ns() + 4 * REST_MS * 1000000LL;

	(void)nanosleep(&moment, NULL);
	while (clock_ns() < until)
		continue;
}

static const struct way {
	const char *name;
	const char *told; /* its name in trace and block */
	int is_block;
	void (*make)(void);
	void (*later)(void);
	void (*await)(void);
	void (*end)(void);
	int first; /* who is waited for begins at once */
} ways[] = {
	{ "fgets", "fgets", 1, pipe_make, gives_line, do_fgets, pipe_end, 0 },
	{ "getc", "fgetc", 1, pipe_make, gives_line, do_getc, pipe_end, 0 },
	{ "fread", "fread", 1, pipe_make, gives_line, do_fread, pipe_end, 0 },
	{ "fscanf", "fscanf", 1, pipe_make, gives_line, do_fscanf, pipe_end,
	    0 },
	{ "getline", "getline", 1, pipe_make, gives_line, do_getline, pipe_end,
	    0 },
	{ "fputs", "fputs", 1, full_make, takes_all, do_fputs, pipe_end, 0 },
	{ "fwrite", "fwrite", 1, full_make, takes_all, do_fwrite, pipe_end, 0 },
	{ "fprintf", "fprintf", 1, full_make, takes_all, do_fprintf, pipe_end,
	    0 },
	{ "fflush", "fflush", 1, full_make, takes_all, do_fflush, pipe_end, 0 },
	{ "write", "write", 1, full_make, takes_all, do_write, pipe_end, 0 },
	{ "read", "read", 1, pipe_make, gives_line, do_read, pipe_end, 0 },
	{ "syscall-read", "read", 1, pipe_make, gives_line, do_raw_read,
	    pipe_end, 0 },
	{ "recv", "recv", 1, pair_make, gives_line, do_recv, pair_end, 0 },
	{ "poll", "poll", 1, pair_make, gives_line, do_poll, pair_end, 0 },
	{ "select", "select", 1, pair_make, gives_line, do_select, pair_end,
	    0 },
	{ "accept", "accept", 1, listen_make, connects, do_accept, pair_end,
	    0 },
	{ "eventfd", "eventfd_read", 1, event_make, gives_event,
	    do_eventfd_read, event_end, 0 },
	{ "flock", "flock", 1, flock_make, gives_flock, do_flock, pair_end, 0 },
	{ "setlkw", "fcntl", 1, record_make, gives_record, do_record, pair_end,
	    0 },
	{ "lockf", "lockf", 1, record_make, gives_record, do_lockf, pair_end,
	    0 },
	{ "pause", "pause", 1, signal_make, gives_signal, do_pause, none_end,
	    0 },
	{ "sigsuspend", "sigsuspend", 1, blocked_make, gives_signal,
	    do_sigsuspend, blocked_end, 0 },
	{ "sigwait", "sigwait", 1, blocked_make, gives_signal, do_sigwait,
	    blocked_end, 0 },
	{ "sigwaitinfo", "sigwaitinfo", 1, blocked_make, gives_signal,
	    do_sigwaitinfo, blocked_end, 0 },
	{ "once", "pthread_once", 1, none_make, first_once, do_once, none_end,
	    1 },
	{ "call_once", "pthread_once", 1, none_make, first_call, do_call_once,
	    none_end, 1 },
	{ "futex", "futex", 1, none_make, wakes, do_futex, none_end, 0 },
	{ "stream-lock", "fputs", 1, stream_make, holds_stream, do_fputs,
	    stream_end, 1 },
	{ "flockfile", "flockfile", 1, stream_make, holds_stream, do_flockfile,
	    stream_end, 1 },
	{ "spin", "running", 0, none_make, none_end, do_spin, none_end, 1 },
	{ "inline-read", "[in a system call]", 0, pipe_make, gives_line,
	    do_inline_read, pipe_end, 0 },
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static void *
other(void *arg)
{
	const struct way *way = arg;

	if (!way->first)
		rest(REST_MS);
	way->later();
	return (NULL);
}

/* Returns how long it has waited, or -1. */
__attribute__((noinline)) int64_t
app_wait(const char *name)
{
	const struct way *way = NULL;
	pthread_t thread;
	int64_t ns = -1;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (strcmp(ways[i].name, name) == 0)
			way = &ways[i];
	}
	if (way == NULL)
		return (-1);
	(void)pthread_mutex_lock(&one);
	way->make();
	if (pthread_create(&thread, NULL, other, (void *)(uintptr_t)way) == 0) {
		if (way->first)
			rest(10);
		ns = clock_ns();
		way->await();
		ns = clock_ns() - ns;
		(void)pthread_join(thread, NULL);
	}
	way->end();
	(void)pthread_mutex_unlock(&one);
	return (ns);
}

static int
answer(struct http_request *req, int64_t ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld\n", (long long)ns);
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}

int
page_list(struct http_request *req)
{
	static char text[4096];
	size_t i, len = 0;

	for (i = 0; i < WAYS; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s\t%s\t%d\n", ways[i].name, ways[i].told,
		    ways[i].is_block);
	http_response(req, 200, text, len);
	return (KORE_RESULT_OK);
}

int
page_await(struct http_request *req)
{
	return (answer(req,
	    app_wait(req->query_string != NULL ? req->query_string : "")));
}

struct state {
	struct kore_task task;
	char how[32];
	int64_t ns;
};

int
app_awaits(struct kore_task *task)
{
	struct state *state = (struct state *)(void *)task;

	state->ns = app_wait(state->how);
	return (KORE_RESULT_OK);
}

int
page_task(struct http_request *req)
{
	struct state *state = http_state_get(req);
	int64_t ns;

	if (state == NULL) {
		state = http_state_create(req, sizeof(*state), NULL);
		snprintf(state->how, sizeof(state->how), "%s",
		    req->query_string != NULL ? req->query_string : "");
		kore_task_create(&state->task, app_awaits);
		kore_task_bind_request(&state->task, req);
		kore_task_run(&state->task);
	}
	if (kore_task_state(&state->task) != KORE_TASK_STATE_FINISHED) {
		http_request_sleep(req);
		return (KORE_RESULT_RETRY);
	}
	ns = state->ns;
	kore_task_destroy(&state->task);
	return (answer(req, ns));
}
