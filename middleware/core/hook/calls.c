/*
 * See calls.h: one table, from which the wrappers and the hooks are made.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>

#include "hook/calls.h"
#include "hook/calls_private.h"

typedef struct timespec timespec;

/*
 * X(result, name, call of the trace, parameters, arguments)
 *
 * The mode of open() is passed on as it lies in its register, whether the
 * caller gave one or not. The names that end in _chk and _2 are those of
 * programs built with _FORTIFY_SOURCE, those that end in 64 of what was built
 * with large files.
 */
#define CALLS(X)                                                               \
	X(ssize_t, read, read, (int fd, void *to, size_t n), (fd, to, n))      \
	X(ssize_t, __read_chk, read, (int fd, void *to, size_t n, size_t r),   \
	    (fd, to, n, r))                                                    \
	X(ssize_t, write, write, (int fd, const void *p, size_t n),            \
	    (fd, p, n))                                                        \
	X(ssize_t, pread, pread, (int fd, void *to, size_t n, off_t at),       \
	    (fd, to, n, at))                                                   \
	X(ssize_t, pread64, pread, (int fd, void *to, size_t n, off_t at),     \
	    (fd, to, n, at))                                                   \
	X(ssize_t, __pread_chk, pread,                                         \
	    (int fd, void *to, size_t n, off_t at, size_t r),                  \
	    (fd, to, n, at, r))                                                \
	X(ssize_t, __pread64_chk, pread,                                       \
	    (int fd, void *to, size_t n, off_t at, size_t r),                  \
	    (fd, to, n, at, r))                                                \
	X(ssize_t, pwrite, pwrite,                                             \
	    (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))       \
	X(ssize_t, pwrite64, pwrite,                                           \
	    (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))       \
	X(ssize_t, readv, readv, (int fd, const struct iovec *v, int n),       \
	    (fd, v, n))                                                        \
	X(ssize_t, preadv, readv,                                              \
	    (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))  \
	X(ssize_t, preadv64, readv,                                            \
	    (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))  \
	X(ssize_t, writev, writev, (int fd, const struct iovec *v, int n),     \
	    (fd, v, n))                                                        \
	X(ssize_t, pwritev, writev,                                            \
	    (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))  \
	X(ssize_t, pwritev64, writev,                                          \
	    (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))  \
	X(ssize_t, recv, recv, (int fd, void *to, size_t n, int f),            \
	    (fd, to, n, f))                                                    \
	X(ssize_t, __recv_chk, recv,                                           \
	    (int fd, void *to, size_t n, size_t r, int f), (fd, to, n, r, f))  \
	X(ssize_t, recvfrom, recv,                                             \
	    (int fd, void *to, size_t n, int f, struct sockaddr *a,            \
		socklen_t *l),                                                 \
	    (fd, to, n, f, a, l))                                              \
	X(ssize_t, __recvfrom_chk, recv,                                       \
	    (int fd, void *to, size_t n, size_t r, int f, struct sockaddr *a,  \
		socklen_t *l),                                                 \
	    (fd, to, n, r, f, a, l))                                           \
	X(ssize_t, send, send, (int fd, const void *p, size_t n, int f),       \
	    (fd, p, n, f))                                                     \
	X(ssize_t, sendto, send,                                               \
	    (int fd, const void *p, size_t n, int f, const struct sockaddr *a, \
		socklen_t l),                                                  \
	    (fd, p, n, f, a, l))                                               \
	X(ssize_t, recvmsg, recvmsg, (int fd, struct msghdr *m, int f),        \
	    (fd, m, f))                                                        \
	X(int, recvmmsg, recvmsg,                                              \
	    (int fd, struct mmsghdr *m, unsigned int n, int f, timespec *t),   \
	    (fd, m, n, f, t))                                                  \
	X(ssize_t, sendmsg, sendmsg, (int fd, const struct msghdr *m, int f),  \
	    (fd, m, f))                                                        \
	X(int, sendmmsg, sendmsg,                                              \
	    (int fd, struct mmsghdr *m, unsigned int n, int f), (fd, m, n, f)) \
	X(int, open, open, (const char *path, int f, mode_t mode),             \
	    (path, f, mode))                                                   \
	X(int, open64, open, (const char *path, int f, mode_t mode),           \
	    (path, f, mode))                                                   \
	X(int, openat, open, (int fd, const char *path, int f, mode_t mode),   \
	    (fd, path, f, mode))                                               \
	X(int, openat64, open, (int fd, const char *path, int f, mode_t mode), \
	    (fd, path, f, mode))                                               \
	X(int, __open_2, open, (const char *path, int f), (path, f))           \
	X(int, __open64_2, open, (const char *path, int f), (path, f))         \
	X(int, __openat_2, open, (int fd, const char *path, int f),            \
	    (fd, path, f))                                                     \
	X(int, __openat64_2, open, (int fd, const char *path, int f),          \
	    (fd, path, f))                                                     \
	X(int, connect, connect,                                               \
	    (int fd, const struct sockaddr *a, socklen_t l), (fd, a, l))       \
	X(int, accept, accept, (int fd, struct sockaddr *a, socklen_t *l),     \
	    (fd, a, l))                                                        \
	X(int, accept4, accept,                                                \
	    (int fd, struct sockaddr *a, socklen_t *l, int f), (fd, a, l, f))  \
	X(int, __poll_chk, poll,                                               \
	    (struct pollfd * fds, nfds_t n, int ms, size_t r),                 \
	    (fds, n, ms, r))                                                   \
	X(int, ppoll, poll,                                                    \
	    (struct pollfd * fds, nfds_t n, const timespec *t,                 \
		const sigset_t *s),                                            \
	    (fds, n, t, s))                                                    \
	X(int, pselect, select,                                                \
	    (int n, fd_set *in, fd_set *out, fd_set *other, const timespec *t, \
		const sigset_t *s),                                            \
	    (n, in, out, other, t, s))                                         \
	X(int, epoll_pwait, epoll_wait,                                        \
	    (int fd, struct epoll_event *e, int n, int ms, const sigset_t *s), \
	    (fd, e, n, ms, s))                                                 \
	X(int, fsync, fsync, (int fd), (fd))                                   \
	X(int, fdatasync, fdatasync, (int fd), (fd))                           \
	X(int, flock, flock, (int fd, int what), (fd, what))                   \
	X(int, getaddrinfo, getaddrinfo,                                       \
	    (const char *node, const char *service,                            \
		const struct addrinfo *hints, struct addrinfo **found),        \
	    (node, service, hints, found))                                     \
	X(pid_t, waitpid, waitpid, (pid_t pid, int *status, int f),            \
	    (pid, status, f))                                                  \
	X(pid_t, wait4, waitpid,                                               \
	    (pid_t pid, int *status, int f, struct rusage *used),              \
	    (pid, status, f, used))

#define CALL_WRAPPER(type, name, call, parameters, arguments)                  \
	static type(*real_##name) parameters;                                  \
                                                                               \
	PP_CALL_WRAPPER(type, name, call, real_##name, parameters, arguments)
CALLS(CALL_WRAPPER)

/* Not in the program itself, since a server's event loop has calls of its own,
 * nor in the unwinder, which runs in signal handlers. */
#define CALL_HOOK(type, name, call, parameters, arguments)                     \
	{ #name, (void *)hook_##name, (void **)&real_##name,                   \
		PP_GOT_BUT_UNWINDER },

const struct pp_got_hook pp_call_hooks[] = { CALLS(CALL_HOOK) };

_Static_assert(sizeof(pp_call_hooks) ==
	PP_CALL_HOOKS * sizeof(struct pp_got_hook),
    "PP_CALL_HOOKS is not how many there are");
