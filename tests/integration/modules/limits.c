/*
 * A Kore application that makes each call of signal(7)'s list that a signal
 * ends in spite of SA_RESTART, with a time limit of its own: in a handler, in
 * a Kore task and in a thread. Without one of its own a call is ended by
 * SIGUSR2 after that time. /begin starts the task and the thread, /handler
 * makes the calls itself, /result has the lines of both others.
 *
 * Rule: nothing here knows of the profiler.
 */
#define _GNU_SOURCE
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/seccomp.h>
#include <kore/tasks.h>

#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define A(call) KORE_SYSCALL_ALLOW(call)
KORE_SECCOMP_FILTER("limits", A(clone3), A(clone), A(rseq), A(set_robust_list),
    A(rt_sigprocmask), A(rt_sigaction), A(rt_sigsuspend), A(rt_sigtimedwait),
    A(pause), A(socket), A(socketpair), A(setsockopt), A(bind), A(listen),
    A(accept4), A(sendmsg), A(recvmsg), A(sendmmsg), A(recvmmsg), A(readv),
    A(pipe2), A(select), A(pselect6), A(epoll_create1), A(epoll_pwait2),
    A(clock_nanosleep), A(msgget), A(msgrcv), A(msgsnd), A(msgctl), A(semget),
    A(semop), A(semtimedop), A(semctl), A(timer_create), A(timer_settime),
    A(timer_delete), A(gettid), A(getpid), A(flock), A(memfd_create),
    A(ftruncate), A(prlimit64), A(sched_yield), A(shutdown), A(lseek),
    A(mprotect), A(madvise), A(munmap), A(mmap))

/* So short that the kernel measures it by its tick, whatever waits. */
#define LIMIT_MS 240
#define LIMIT_NS (LIMIT_MS * 1000000L)

int page_begin(struct http_request *);
int page_handler(struct http_request *);
int page_result(struct http_request *);
int page_short(struct http_request *);

/* What the calls of one thread need, and what they gave. */
struct place {
	int pair[2], pipe[2], full[2], listener, closed, epoll, file, queue,
	    full_queue, set;
	struct sockaddr_un address;
	struct sockaddr_in inet;
	sem_t sem;
	timer_t timer;
	struct timespec until;
	char text[8192];
	size_t used;
};

static struct place of_handler, of_task, of_thread;
static _Atomic int done;
static char much[1 << 20];

/* What a thread has opened, to be closed at its end. */
static __thread int opened[32];
static __thread size_t opened_count;

static int
keep(int fd)
{
	if (fd != -1 && opened_count < sizeof(opened) / sizeof(opened[0]))
		opened[opened_count++] = fd;
	return (fd);
}

static void
keep_both(const int fd[2])
{
	(void)keep(fd[0]);
	(void)keep(fd[1]);
}

static void
close_all(void)
{
	while (opened_count > 0)
		(void)close(opened[--opened_count]);
}

static double
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ((double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
}

static void
caught(int signo)
{
	(void)signo;
}

static void
limit(int fd)
{
	struct timeval time = { 0, LIMIT_MS * 1000 };

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
}

static void
fill(int fd)
{
	while (send(fd, much, sizeof(much), MSG_DONTWAIT) > 0)
		continue;
	while (send(fd, much, 1, MSG_DONTWAIT) > 0)
		continue;
}

/* Two more than it takes. */
static void
crowd(const void *address, socklen_t len, int family)
{
	int i, fd;

	for (i = 0; i < 3; i++) {
		fd = keep(socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0));
		(void)connect(fd, address, len);
	}
}

static void
place_prepare(struct place *p, const char *name)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGUSR2 };
	struct {
		long type;
		char text[16];
	} message = { 1, "full" };
	socklen_t len = sizeof(p->inet);

	(void)socketpair(AF_UNIX, SOCK_STREAM, 0, p->pair);
	(void)socketpair(AF_UNIX, SOCK_STREAM, 0, p->full);
	(void)pipe2(p->pipe, 0);
	keep_both(p->pair);
	keep_both(p->full);
	keep_both(p->pipe);
	limit(p->pair[0]);
	fill(p->full[0]);
	limit(p->full[0]);
	p->address.sun_family = AF_UNIX;
	(void)snprintf(p->address.sun_path + 1, sizeof(p->address.sun_path) - 1,
	    "limits-%s-%d", name, getpid());
	p->listener = keep(socket(AF_UNIX, SOCK_STREAM, 0));
	(void)bind(p->listener, (void *)&p->address, sizeof(p->address));
	(void)listen(p->listener, 0);
	crowd(&p->address, sizeof(p->address), AF_UNIX);
	p->inet.sin_family = AF_INET;
	p->inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->closed = keep(socket(AF_INET, SOCK_STREAM, 0));
	(void)bind(p->closed, (void *)&p->inet, sizeof(p->inet));
	(void)listen(p->closed, 0);
	(void)getsockname(p->closed, (void *)&p->inet, &len);
	crowd(&p->inet, sizeof(p->inet), AF_INET);
	p->epoll = keep(epoll_create1(0));
	p->file = keep(memfd_create("limits", 0));
	(void)ftruncate(p->file, sizeof(much));
	p->queue = msgget(IPC_PRIVATE, 0600);
	p->full_queue = msgget(IPC_PRIVATE, 0600);
	while (msgsnd(p->full_queue, &message, sizeof(message.text),
		   IPC_NOWAIT) == 0)
		continue;
	p->set = semget(IPC_PRIVATE, 1, 0600);
	(void)sem_init(&p->sem, 0, 0);
	event._sigev_un._tid = gettid();
	(void)timer_create(CLOCK_MONOTONIC, &event, &p->timer);
}

static void
place_clear(struct place *p)
{
	(void)msgctl(p->queue, IPC_RMID, NULL);
	(void)msgctl(p->full_queue, IPC_RMID, NULL);
	(void)semctl(p->set, 0, IPC_RMID);
	(void)timer_delete(p->timer);
	close_all();
}

/* SIGUSR2 after the time. */
static void
end_later(struct place *p)
{
	struct itimerspec when = { .it_value = { 0, LIMIT_NS } };

	(void)timer_settime(p->timer, 0, &when, NULL);
}

static int
limited_socket(int family)
{
	int fd = keep(socket(family, SOCK_STREAM, 0));

	limit(fd);
	return (fd);
}

static sigset_t
set_of(int signo)
{
	sigset_t set;

	(void)sigemptyset(&set);
	if (signo != 0)
		(void)sigaddset(&set, signo);
	return (set);
}

/* All signals, waited for while they are blocked. */
static long
wait_for_all(int *signo)
{
	sigset_t all, before;
	long result;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	result = sigwait(&all, signo) == 0 ? *signo : -1;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return (result);
}

#define LATER(clock)                                                           \
	(clock_gettime(clock, &p->until), p->until.tv_nsec += LIMIT_NS,        \
	    p->until.tv_sec += p->until.tv_nsec / 1000000000,                  \
	    p->until.tv_nsec %= 1000000000)

/*
 * X(name, call): the result of the call, -1 with errno. What is in the way:
 * p, where; t, the time; c, room; s, v, m, mm, none.
 */
#define CALLS(X)                                                               \
	X(recv, recv(p->pair[0], c, 1, 0))                                     \
	X(recv_all, recv(p->pair[0], c, 16, MSG_WAITALL))                      \
	X(recvfrom, recvfrom(p->pair[0], c, 1, 0, NULL, NULL))                 \
	X(recvmsg, recvmsg(p->pair[0], &m, 0))                                 \
	X(recvmmsg, recvmmsg(p->pair[0], &mm, 1, 0, NULL))                     \
	X(read_socket, read(p->pair[0], c, 1))                                 \
	X(readv_socket, readv(p->pair[0], &v, 1))                              \
	X(accept, (limit(p->pipe[0]), accept(empty_listener(), NULL, NULL)))   \
	X(accept4, accept4(empty_listener(), NULL, NULL, SOCK_CLOEXEC))        \
	X(connect,                                                             \
	    connect(limited_socket(AF_UNIX), (void *)&p->address,              \
		sizeof(p->address)))                                           \
	X(connect_tcp,                                                         \
	    connect(limited_socket(AF_INET), (void *)&p->inet,                 \
		sizeof(p->inet)))                                              \
	X(send, send(p->full[0], much, sizeof(much), 0))                       \
	X(sendto, sendto(p->full[0], much, sizeof(much), 0, NULL, 0))          \
	X(sendmsg, sendmsg(p->full[0], &big, 0))                               \
	X(sendmmsg, sendmmsg(p->full[0], &mbig, 1, 0))                         \
	X(write_socket, write(p->full[0], much, sizeof(much)))                 \
	X(writev_socket, writev(p->full[0], big.msg_iov, 1))                   \
	X(sendfile, sendfile(p->full[0], p->file, NULL, sizeof(much)))         \
	X(pause, (end_later(p), pause()))                                      \
	X(sigsuspend, (end_later(p), s = set_of(0), sigsuspend(&s)))           \
	X(sigpause, (end_later(p), sigpause(SIGUSR1)))                         \
	X(sigtimedwait, (s = set_of(SIGUSR1), sigtimedwait(&s, NULL, &t)))     \
	X(sigwaitinfo,                                                         \
	    (end_later(p), s = set_of(SIGUSR1), sigwaitinfo(&s, NULL)))        \
	X(sigtimedwait_all,                                                    \
	    (s = set_of(SIGUSR1), sigaddset(&s, SIGPROF),                      \
		sigtimedwait(&s, NULL, &t)))                                   \
	X(sigwait_all, (end_later(p), wait_for_all(&n)))                       \
	X(epoll_wait, epoll_wait(p->epoll, &e, 1, LIMIT_MS))                   \
	X(epoll_pwait,                                                         \
	    (s = set_of(SIGUSR1), epoll_pwait(p->epoll, &e, 1, LIMIT_MS, &s))) \
	X(epoll_pwait2, epoll_pwait2(p->epoll, &e, 1, &t, NULL))               \
	X(poll, poll(&f, 1, LIMIT_MS))                                         \
	X(ppoll, ppoll(&f, 1, &t, NULL))                                       \
	X(ppoll_mask, (sigfillset(&s), ppoll(&f, 1, &t, &s)))                  \
	X(select, select(0, NULL, NULL, NULL, &tv))                            \
	X(pselect, pselect(0, NULL, NULL, NULL, &t, NULL))                     \
	X(msgrcv, (end_later(p), msgrcv(p->queue, c, 8, 0, 0)))                \
	X(msgsnd, (end_later(p), msgsnd(p->full_queue, &message, 16, 0)))      \
	X(semop, (end_later(p), semop(p->set, &op, 1)))                        \
	X(semtimedop, semtimedop(p->set, &op, 1, &t))                          \
	X(nanosleep, nanosleep(&t, NULL))                                      \
	X(clock_nanosleep, clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL))      \
	X(clock_nanosleep_until,                                               \
	    (LATER(CLOCK_REALTIME),                                            \
		clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &p->until,      \
		    NULL)))                                                    \
	X(usleep, usleep(LIMIT_MS * 1000))                                     \
	X(sleep, sleep(1))                                                     \
	X(thrd_sleep, thrd_sleep(&t, NULL))                                    \
	X(sem_timedwait,                                                       \
	    (LATER(CLOCK_REALTIME), sem_timedwait(&p->sem, &p->until)))        \
	X(sem_clockwait,                                                       \
	    (LATER(CLOCK_MONOTONIC),                                           \
		sem_clockwait(&p->sem, CLOCK_MONOTONIC, &p->until)))           \
	X(sem_wait, (end_later(p), sem_wait(&p->sem)))                         \
	X(read_pipe, (end_later(p), read(p->pipe[0], c, 1)))                   \
	X(raw_ppoll, syscall(SYS_ppoll, &f, 1, &t, NULL, 8))                   \
	X(raw_poll, syscall(SYS_poll, &f, 1, LIMIT_MS))                        \
	X(raw_futex, syscall(SYS_futex, &n, 0, n, &t, NULL, 0))

static int
empty_listener(void)
{
	struct sockaddr_un any = { .sun_family = AF_UNIX };
	int fd = limited_socket(AF_UNIX);

	/* Autobind: an abstract name of the kernel's. */
	(void)bind(fd, (void *)&any, sizeof(any.sun_family));
	(void)listen(fd, 1);
	return (fd);
}

#define CALL_FUNCTION(name, call)                                              \
	static long call_##name(struct place *p)                               \
	{                                                                      \
		struct timespec t = { 0, LIMIT_NS };                           \
		struct timeval tv = { 0, LIMIT_MS * 1000 };                    \
		struct {                                                       \
			long type;                                             \
			char text[16];                                         \
		} message = { 1, "" };                                         \
		struct pollfd f = { p->pipe[0], POLLIN, 0 };                   \
		struct sembuf op = { 0, -1, 0 };                               \
		char c[64];                                                    \
		struct iovec v = { c, 1 }, vbig = { much, sizeof(much) };      \
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 },          \
			      big = { .msg_iov = &vbig, .msg_iovlen = 1 };     \
		struct mmsghdr mm = { m, 0 }, mbig = { big, 0 };               \
		struct epoll_event e;                                          \
		sigset_t s;                                                    \
		int n = 0;                                                     \
                                                                               \
		(void)t, (void)tv, (void)message, (void)f, (void)op, (void)mm; \
		(void)mbig, (void)e, (void)s, (void)n;                         \
		return (call);                                                 \
	}
CALLS(CALL_FUNCTION)

#define CALL_ROW(name, call) { #name, call_##name },
static const struct {
	const char *name;
	long (*call)(struct place *);
} calls[] = { CALLS(CALL_ROW) };

static void
make_calls(struct place *p, const char *name)
{
	struct sigaction action = { .sa_handler = caught };
	double began, took;
	sigset_t usr2;
	long result;
	size_t i;
	int error;

	(void)sigaction(SIGUSR2, &action, NULL);
	usr2 = set_of(SIGUSR2);
	(void)pthread_sigmask(SIG_UNBLOCK, &usr2, NULL);
	p->used = 0;
	place_prepare(p, name);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		errno = 0;
		began = now_ms();
		result = calls[i].call(p);
		error = errno;
		took = now_ms() - began;
		p->used += (size_t)snprintf(p->text + p->used,
		    sizeof(p->text) - p->used, "%s %ld %s %.1f\n",
		    calls[i].name, result,
		    result == -1 ? strerrorname_np(error) : "-", took);
	}
	place_clear(p);
}

static void *
in_thread(void *unused)
{
	make_calls(&of_thread, "thread");
	done++;
	return (unused);
}

static int
in_task(struct kore_task *task)
{
	(void)task;
	make_calls(&of_task, "task");
	done++;
	return (KORE_RESULT_OK);
}

static int
reply(struct http_request *req, const char *text)
{
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}

int
page_begin(struct http_request *req)
{
	static struct kore_task task;
	pthread_t thread;

	done = 0;
	if (pthread_create(&thread, NULL, in_thread, NULL) != 0)
		return (reply(req, "no thread\n"));
	(void)pthread_detach(thread);
	kore_task_create(&task, in_task);
	kore_task_run(&task);
	return (reply(req, "begun\n"));
}

int
page_handler(struct http_request *req)
{
	make_calls(&of_handler, "handler");
	return (reply(req, of_handler.text));
}

int
page_result(struct http_request *req)
{
	static char both[2 * sizeof(of_task.text) + 4];

	if (done != 2)
		return (reply(req, "wait\n"));
	(void)snprintf(both, sizeof(both), "%s--\n%s", of_task.text,
	    of_thread.text);
	return (reply(req, both));
}

/* What is written to a reader that takes its time, or read from such a
 * writer, as a whole: how many calls gave less. */
#define SHORT_CALLS 400
#define SHORT_BYTES (256 << 10)

static void *
take_slowly(void *arg)
{
	static __thread char to[4096];
	int fd = *(int *)arg;

	while (read(fd, to, sizeof(to)) > 0)
		(void)sched_yield();
	return (NULL);
}

static void *
give_slowly(void *arg)
{
	int fd = *(int *)arg, i;

	for (i = 0; i < SHORT_CALLS * SHORT_BYTES / 4096; i++) {
		(void)write(fd, much, 4096);
		(void)sched_yield();
	}
	return (NULL);
}

static int
less(ssize_t result)
{
	return (result != SHORT_BYTES);
}

int
page_short(struct http_request *req)
{
	int pair[2], pipes[2], back[2], file, i, lacks[6] = { 0 };
	struct iovec v[2] = { { much, 1000 },
		{ much + 1000, SHORT_BYTES - 1000 } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
	pthread_t thread[3];
	static char to[SHORT_BYTES];
	char text[128];

	(void)socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	(void)socketpair(AF_UNIX, SOCK_STREAM, 0, back);
	(void)pipe2(pipes, 0);
	file = memfd_create("short", 0);
	(void)ftruncate(file, SHORT_BYTES);
	(void)pthread_create(&thread[0], NULL, take_slowly, &pair[1]);
	(void)pthread_create(&thread[1], NULL, take_slowly, &pipes[0]);
	(void)pthread_create(&thread[2], NULL, give_slowly, &back[1]);
	for (i = 0; i < SHORT_CALLS; i++) {
		lacks[0] += less(write(pipes[1], much, SHORT_BYTES));
		lacks[1] += less(writev(pipes[1], v, 2));
		lacks[2] += less(send(pair[0], much, SHORT_BYTES, 0));
		lacks[3] += less(sendmsg(pair[0], &m, 0));
		lseek(file, 0, SEEK_SET);
		lacks[4] += less(sendfile(pair[0], file, NULL, SHORT_BYTES));
		lacks[5] += less(recv(back[0], to, SHORT_BYTES, MSG_WAITALL));
	}
	(void)close(pipes[1]);
	(void)shutdown(pair[0], SHUT_RDWR);
	for (i = 0; i < 3; i++)
		(void)pthread_join(thread[i], NULL);
	keep_both(pair);
	keep_both(back);
	(void)keep(pipes[0]);
	(void)keep(file);
	close_all();
	(void)snprintf(text, sizeof(text), "%d %d %d %d %d %d\n", lacks[0],
	    lacks[1], lacks[2], lacks[3], lacks[4], lacks[5]);
	return (reply(req, text));
}
