/*
 * See sockets.h.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "hook/calls_private.h"
#include "hook/lasting.h"
#include "hook/sockets.h"
#include "hook/transfers.h"

typedef struct timespec timespec;

static int (*real_setsockopt)(int, int, int, const void *, socklen_t);

static int
hook_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level == SOL_SOCKET &&
	    (name == SO_RCVTIMEO || name == SO_SNDTIMEO ||
		name == SO_RCVTIMEO_NEW || name == SO_SNDTIMEO_NEW))
		atomic_store(&pp_lasting_limited, 1);
	if (level == SOL_SOCKET && name == SO_LINGER)
		atomic_store(&pp_transfers_linger, 1);
	return (real_setsockopt(fd, level, name, value, len));
}

/*
 * X(result, name, call of the trace, parameters, arguments): the calls that
 * wait for something to come. calls.c explains the names.
 */
#define READS(X)                                                               \
	X(ssize_t, read, read, (int fd, void *to, size_t n), (fd, to, n))      \
	X(ssize_t, __read_chk, read, (int fd, void *to, size_t n, size_t r),   \
	    (fd, to, n, r))                                                    \
	X(ssize_t, readv, readv, (int fd, const struct iovec *v, int n),       \
	    (fd, v, n))                                                        \
	X(int, accept, accept, (int fd, struct sockaddr *a, socklen_t *l),     \
	    (fd, a, l))                                                        \
	X(int, accept4, accept,                                                \
	    (int fd, struct sockaddr *a, socklen_t *l, int f), (fd, a, l, f))

#define READ_WRAPPER(type, name, call, parameters, arguments)                  \
	static type(*real_##name) parameters;                                  \
                                                                               \
	static __attribute__((noinline)) type last_##name parameters           \
	{                                                                      \
		type result;                                                   \
                                                                               \
		PP_LAST(result, fd, SO_RCVTIMEO, real_##name arguments);       \
		return (result);                                               \
	}                                                                      \
                                                                               \
	static inline type through_##name parameters                           \
	{                                                                      \
		return (pp_lasting_limits() ? last_##name arguments            \
					    : real_##name arguments);          \
	}                                                                      \
	PP_CALL_WRAPPER(type, name, call, through_##name, parameters, arguments)
READS(READ_WRAPPER)

/* The same; with MSG_WAITALL these calls wait for all bytes. */
#define RECVS(X)                                                               \
	X(recv, (int fd, void *to, size_t n, int f), (fd, to, n, f))           \
	X(__recv_chk, (int fd, void *to, size_t n, size_t r, int f),           \
	    (fd, to, n, r, f))                                                 \
	X(recvfrom,                                                            \
	    (int fd, void *to, size_t n, int f, struct sockaddr *a,            \
		socklen_t *l),                                                 \
	    (fd, to, n, f, a, l))                                              \
	X(__recvfrom_chk,                                                      \
	    (int fd, void *to, size_t n, size_t r, int f, struct sockaddr *a,  \
		socklen_t *l),                                                 \
	    (fd, to, n, r, f, a, l))

#define RECV_WRAPPER(name, parameters, arguments)                              \
	static ssize_t(*real_##name) parameters;                               \
                                                                               \
	static __attribute__((noinline)) ssize_t last_##name parameters        \
	{                                                                      \
		struct iovec piece = { to, n };                                \
		size_t pieces = (f & MSG_WAITALL) != 0;                        \
		ssize_t result;                                                \
                                                                               \
		PP_WHOLE(result, fd, SO_RCVTIMEO, real_##name arguments,       \
		    PP_PART_RECV, &piece, pieces, f);                          \
		return (result);                                               \
	}                                                                      \
                                                                               \
	static inline ssize_t through_##name parameters                        \
	{                                                                      \
		return (pp_lasting_limits() || (f & MSG_WAITALL) != 0          \
			? last_##name arguments                                \
			: real_##name arguments);                              \
	}                                                                      \
	PP_CALL_WRAPPER(ssize_t, name, recv, through_##name, parameters,       \
	    arguments)
RECVS(RECV_WRAPPER)

static ssize_t (*real_recvmsg)(int, struct msghdr *, int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_send)(int, const void *, size_t, int);
static ssize_t (*real_sendto)(int, const void *, size_t, int,
    const struct sockaddr *, socklen_t);
static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);
static int (*real_connect)(int, const struct sockaddr *, socklen_t);

static __attribute__((noinline)) ssize_t
last_recvmsg(int fd, struct msghdr *m, int f)
{
	size_t pieces = (f & MSG_WAITALL) != 0 ? m->msg_iovlen : 0;
	ssize_t result;

	PP_WHOLE(result, fd, SO_RCVTIMEO, real_recvmsg(fd, m, f), PP_PART_RECV,
	    m->msg_iov, pieces, f);
	return (result);
}

static inline ssize_t
through_recvmsg(int fd, struct msghdr *m, int f)
{
	return (pp_lasting_limits() || (f & MSG_WAITALL) != 0
		? last_recvmsg(fd, m, f)
		: real_recvmsg(fd, m, f));
}

/* For struct iovec, whose pointer has no const. The memory is only read. */
static void *
writable(const void *at)
{
	void *same;

	memcpy(&same, &at, sizeof(same));
	return (same);
}

static ssize_t
through_write(int fd, const void *p, size_t n)
{
	struct iovec piece = { writable(p), n };
	ssize_t result;

	PP_WHOLE(result, fd, SO_SNDTIMEO, real_write(fd, p, n), PP_PART_WRITE,
	    &piece, 1, 0);
	return (result);
}

static ssize_t
through_writev(int fd, const struct iovec *v, int n)
{
	ssize_t result;

	PP_WHOLE(result, fd, SO_SNDTIMEO, real_writev(fd, v, n), PP_PART_WRITE,
	    v, (size_t)n, 0);
	return (result);
}

static ssize_t
through_send(int fd, const void *p, size_t n, int f)
{
	struct iovec piece = { writable(p), n };
	ssize_t result;

	PP_WHOLE(result, fd, SO_SNDTIMEO, real_send(fd, p, n, f), PP_PART_SEND,
	    &piece, 1, f);
	return (result);
}

static ssize_t
through_sendto(int fd, const void *p, size_t n, int f, const struct sockaddr *a,
    socklen_t l)
{
	struct iovec piece = { writable(p), n };
	ssize_t result;

	PP_WHOLE(result, fd, SO_SNDTIMEO, real_sendto(fd, p, n, f, a, l),
	    PP_PART_SEND, &piece, 1, f);
	return (result);
}

static ssize_t
through_sendmsg(int fd, const struct msghdr *m, int f)
{
	ssize_t result;

	PP_WHOLE(result, fd, SO_SNDTIMEO, real_sendmsg(fd, m, f), PP_PART_SEND,
	    m->msg_iov, m->msg_iovlen, f);
	return (result);
}

/* A connect() that is called again waits for the connection that it has begun.
 * If it then fails, its error differs from that of a first call: the caller
 * gets the error of a first call. */
static int
through_connect(int fd, const struct sockaddr *a, socklen_t l)
{
	struct pp_lasting call;
	int result, again = 0, domain = 0;
	socklen_t len = sizeof(domain);

	pp_lasting_begin(&call, fd, SO_SNDTIMEO);
	for (; (result = real_connect(fd, a, l)) == -1; again++) {
		if (!pp_lasting_again(&call))
			break;
	}
	if (result == -1 && again && errno == EALREADY)
		errno = EINPROGRESS;
	if (result == -1 && again && errno == EAGAIN &&
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0)
		errno = domain == AF_UNIX ? EAGAIN : EINPROGRESS;
	pp_lasting_end(&call);
	return (result);
}

PP_CALL_WRAPPER(ssize_t, recvmsg, recvmsg, through_recvmsg,
    (int fd, struct msghdr *m, int f), (fd, m, f))
PP_CALL_WRAPPER(ssize_t, write, write, through_write,
    (int fd, const void *p, size_t n), (fd, p, n))
PP_CALL_WRAPPER(ssize_t, writev, writev, through_writev,
    (int fd, const struct iovec *v, int n), (fd, v, n))
PP_CALL_WRAPPER(ssize_t, send, send, through_send,
    (int fd, const void *p, size_t n, int f), (fd, p, n, f))
PP_CALL_WRAPPER(ssize_t, sendto, send, through_sendto,
    (int fd, const void *p, size_t n, int f, const struct sockaddr *a,
	socklen_t l),
    (fd, p, n, f, a, l))
PP_CALL_WRAPPER(ssize_t, sendmsg, sendmsg, through_sendmsg,
    (int fd, const struct msghdr *m, int f), (fd, m, f))
PP_CALL_WRAPPER(int, connect, connect, through_connect,
    (int fd, const struct sockaddr *a, socklen_t l), (fd, a, l))

/* raw.c calls this and records a call by syscall() itself. */
ssize_t
pp_sockets_write(int fd, const void *p, size_t n)
{
	return (through_write(fd, p, n));
}

ssize_t
pp_sockets_writev(int fd, const struct iovec *v, int n)
{
	return (through_writev(fd, v, n));
}

ssize_t
pp_sockets_sendto(int fd, const void *p, size_t n, int f,
    const struct sockaddr *a, socklen_t l)
{
	return (through_sendto(fd, p, n, f, a, l));
}

ssize_t
pp_sockets_sendmsg(int fd, const struct msghdr *m, int f)
{
	return (through_sendmsg(fd, m, f));
}

#define SOCKET_HOOK(name)                                                      \
	{                                                                      \
#name, (void *)hook_##name, (void **)&real_##name,             \
		    PP_GOT_BUT_UNWINDER                                        \
	}
#define READ_HOOK(type, name, call, parameters, arguments) SOCKET_HOOK(name),
#define RECV_HOOK(name, parameters, arguments)		   SOCKET_HOOK(name),

/* The program itself may set a limit, so setsockopt() is followed there. */
const struct pp_got_hook pp_hook_socket[] = {
	READS(READ_HOOK) RECVS(RECV_HOOK) SOCKET_HOOK(recvmsg),
	SOCKET_HOOK(write),
	SOCKET_HOOK(writev),
	SOCKET_HOOK(send),
	SOCKET_HOOK(sendto),
	SOCKET_HOOK(sendmsg),
	SOCKET_HOOK(connect),
	{ "setsockopt", (void *)hook_setsockopt, (void **)&real_setsockopt,
	    PP_GOT_ALL },
};

_Static_assert(sizeof(pp_hook_socket) ==
	PP_SOCKET_HOOKS * sizeof(struct pp_got_hook),
    "PP_SOCKET_HOOKS is not how many there are");
