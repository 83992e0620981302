/*
 * A Kore application that waits in each kind of call for a known time, 20 ms,
 * or makes it where its length is not in our hands: /blocks?WHAT.
 */
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/seccomp.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

KORE_SECCOMP_FILTER("blocks", KORE_SYSCALL_ALLOW(flock),
    KORE_SYSCALL_ALLOW(fsync), KORE_SYSCALL_ALLOW(pread64),
    KORE_SYSCALL_ALLOW(connect), KORE_SYSCALL_ALLOW(socket),
    KORE_SYSCALL_ALLOW(getsockname), KORE_SYSCALL_ALLOW(uname))

int page_blocks(struct http_request *);
void app_blocks(const char *);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t never, begun;
static int locked_fd;

static const struct timeval short_time = { 0, 20000 };

static struct timespec
in_20_ms(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += 20000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	return (at);
}

/* Holds the lock for 20 ms from when it is waited for. */
static void *
holds(void *file)
{
	struct timespec rest = { 0, 20000000 };

	if (file == NULL)
		(void)pthread_rwlock_wrlock(&rwlock);
	(void)sem_post(&begun);
	while (nanosleep(&rest, &rest) == -1)
		continue;
	if (file == NULL)
		(void)pthread_rwlock_unlock(&rwlock);
	else
		(void)flock(locked_fd, LOCK_UN);
	return (NULL);
}

static void
hold(void *file, pthread_t *thread)
{
	if (pthread_create(thread, NULL, holds, file) != 0)
		abort();
	while (sem_wait(&begun) == -1)
		continue;
}

/* To a port whose queue is full. */
static void
connects(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_port = htons((uint16_t)atoi(getenv("TEST_PORT")));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &short_time,
	    sizeof(short_time));
	(void)connect(fd, (struct sockaddr *)&to, sizeof(to));
	(void)close(fd);
}

/* Until it is full, and once more. */
static void
writes(void)
{
	static char bytes[65536];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		return;
	(void)setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &short_time,
	    sizeof(short_time));
	while (send(pair[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
	(void)!write(pair[0], bytes, sizeof(bytes));
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static void
files(const char *what)
{
	int fd = open("/blocks", O_RDWR | O_CREAT, 0600), other;
	pthread_t thread;
	char byte;

	if (strcmp(what, "fsync") == 0 && write(fd, "1", 1) == 1)
		(void)fsync(fd);
	if (strcmp(what, "pread") == 0)
		(void)!pread(fd, &byte, 1, 0);
	if (strcmp(what, "flock") == 0) {
		other = open("/blocks", O_RDWR, 0600);
		locked_fd = fd;
		(void)flock(fd, LOCK_EX);
		hold(&locked_fd, &thread);
		(void)flock(other, LOCK_EX);
		(void)pthread_join(thread, NULL);
		(void)close(other);
	}
	(void)close(fd);
}

static void
threads(const char *what)
{
	struct timespec at = in_20_ms();
	pthread_t thread;

	if (strcmp(what, "sem") == 0)
		(void)sem_timedwait(&never, &at);
	if (strcmp(what, "cond") == 0) {
		(void)pthread_mutex_lock(&mutex);
		(void)pthread_cond_timedwait(&cond, &mutex, &at);
		(void)pthread_mutex_unlock(&mutex);
	}
	if (strcmp(what, "rwlock") == 0) {
		hold(NULL, &thread);
		(void)pthread_rwlock_rdlock(&rwlock);
		(void)pthread_rwlock_unlock(&rwlock);
		(void)pthread_join(thread, NULL);
	}
}

__attribute__((noinline)) void
app_blocks(const char *what)
{
	struct timespec rest = { 0, 20000000 };
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
		.ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found;

	if (strcmp(what, "connect") == 0)
		connects();
	else if (strcmp(what, "write") == 0)
		writes();
	else if (strcmp(what, "nanosleep") == 0)
		(void)nanosleep(&rest, NULL);
	else if (strcmp(what, "getaddrinfo") == 0) {
		if (getaddrinfo("127.0.0.1", NULL, &hints, &found) == 0)
			freeaddrinfo(found);
	} else {
		files(what);
		threads(what);
	}
}

int
page_blocks(struct http_request *req)
{
	static int first = 1;

	if (first) {
		first = 0;
		(void)sem_init(&never, 0, 0);
		(void)sem_init(&begun, 0, 0);
	}
	app_blocks(req->query_string != NULL ? req->query_string : "");
	http_response(req, 200, "ok\n", 3);
	return (KORE_RESULT_OK);
}
