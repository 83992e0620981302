/*
 * The loops of calls that loop_pair.c times: one call of each kind that the
 * module wraps for the sake of signals, such that it neither waits nor fails.
 *
 *     cc -O2 -shared -fPIC -D_GNU_SOURCE -o call_loop.so call_loop.c
 *
 * Rule: nothing here knows of the profiler.
 */
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include "loops.h"

static int pair[2], null, zero, epoll;
static sem_t sem;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sigset_t usr1, pending;
static struct sigaction action, before;
static const struct timespec no_time, second = { 1, 0 };
static struct timespec later;
static struct pollfd nothing = { 0, POLLIN, 0 };
static struct pollfd readable = { 0, POLLIN, 0 };
static struct epoll_event event = { .events = EPOLLIN };
static char c;

static void
caught(int signo)
{
	(void)signo;
}

/* Before the processes that are measured, which inherit it: a byte that can be
 * read again and again. */
__attribute__((constructor)) static void
prepare(void)
{
	(void)socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	(void)send(pair[1], &c, 1, 0);
	null = open("/dev/null", O_WRONLY);
	zero = open("/dev/zero", O_RDONLY);
	epoll = epoll_create1(0);
	(void)epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
	nothing.fd = pair[1];
	readable.fd = pair[0];
	(void)sem_init(&sem, 0, 0);
	(void)sigemptyset(&usr1);
	(void)sigaddset(&usr1, SIGUSR1);
	action.sa_handler = caught;
	(void)clock_gettime(CLOCK_REALTIME, &later);
	later.tv_sec += 3600;
	/* No time to sleep is none, not 50 microseconds. */
	(void)prctl(PR_SET_TIMERSLACK, 1);
}

/* A time limit of any socket's, in the process that is measured. */
static void
limit(void)
{
	struct timeval time = { 1, 0 };

	(void)setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
}

LOOP(read, (void)!read(zero, &c, 1))
LOOP(write, (void)!write(null, &c, 1))
LOOP(recv, recv(pair[0], &c, 1, MSG_PEEK))
LOOP(send, send(pair[0], &c, 1, 0); recv(pair[1], &c, 1, 0))
LOOP(poll, poll(&nothing, 1, 0))
LOOP(poll_limit, poll(&readable, 1, 1000))
LOOP(ppoll_mask, ppoll(&readable, 1, &second, &usr1))
LOOP(epoll, epoll_wait(epoll, &event, 1, 1000))
LOOP(nanosleep, nanosleep(&no_time, NULL))
LOOP(sem_timedwait, sem_post(&sem); sem_timedwait(&sem, &later))
LOOP(timedlock, pthread_mutex_timedlock(&mutex, &later);
     pthread_mutex_unlock(&mutex))
LOOP(sigmask, pthread_sigmask(SIG_BLOCK, &usr1, NULL);
     pthread_sigmask(SIG_UNBLOCK, &usr1, NULL))
LOOP(sigprocmask, sigprocmask(SIG_BLOCK, &usr1, NULL);
     sigprocmask(SIG_UNBLOCK, &usr1, NULL))
LOOP(sigaction, sigaction(SIGUSR1, &action, &before))
LOOP(sigpending, sigpending(&pending))
LOOP(sigtimedwait, sigtimedwait(&usr1, NULL, &no_time))

static double
loop_recv_limit(uint64_t turns)
{
	limit();
	return (loop_recv(turns));
}

/* The handler is the application's, by way of the module's. */
static double
loop_raise(uint64_t turns)
{
	double start;
	uint64_t i;

	(void)sigaction(SIGUSR1, &action, NULL);
	start = loop_now();
	for (i = 0; i < turns; i++)
		(void)raise(SIGUSR1);
	return ((loop_now() - start) / (double)turns);
}

static const struct loop all[] = {
	{ "read", loop_read, 1, 0, 10 },
	{ "write", loop_write, 1, 0, 10 },
	{ "recv", loop_recv, 1, 0, 10 },
	{ "recv_limit", loop_recv_limit, 1, 0, 10 },
	{ "send", loop_send, 1, 0, 20 },
	{ "poll", loop_poll, 1, 0, 10 },
	{ "poll_limit", loop_poll_limit, 1, 0, 10 },
	{ "ppoll_mask", loop_ppoll_mask, 1, 0, 10 },
	{ "epoll", loop_epoll, 1, 0, 10 },
	{ "nanosleep", loop_nanosleep, 1, 0, 100 },
	{ "sem_timedwait", loop_sem_timedwait, 1, 0, 1 },
	{ "timedlock", loop_timedlock, 1, 0, 1 },
	{ "sigmask", loop_sigmask, 1, 0, 10 },
	{ "sigprocmask", loop_sigprocmask, 1, 0, 10 },
	{ "sigaction", loop_sigaction, 1, 0, 10 },
	{ "sigpending", loop_sigpending, 1, 0, 10 },
	{ "sigtimedwait", loop_sigtimedwait, 1, 0, 10 },
	{ "raise", loop_raise, 1, 0, 20 },
	{ NULL, NULL, 0, 0, 0 },
};
const struct loops loops = { NULL, all };
