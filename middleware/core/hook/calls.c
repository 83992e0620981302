/*
 * See calls.h: one table, from which the wrappers and the hooks are made.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "hook/calls.h"
#include "hook/calls_private.h"

typedef struct timespec timespec;

/*
 * X(result, name, call of the trace, parameters, arguments)
 *
 * The mode of open() is passed on as its register has it, whether the caller
 * gave a mode or not. Programs that are built with _FORTIFY_SOURCE call the
 * names that end in _chk and _2; programs that are built with large files call
 * the names that end in 64.
 */
#define CALLS(X)                                                               \
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
	X(ssize_t, preadv, readv,                                              \
	    (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))  \
	X(ssize_t, preadv64, readv,                                            \
	    (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))  \
	X(ssize_t, pwritev, writev,                                            \
	    (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))  \
	X(ssize_t, pwritev64, writev,                                          \
	    (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))  \
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
	X(ssize_t, splice, splice,                                             \
	    (int fd, off64_t *at, int to, off64_t *to_at, size_t n,            \
		unsigned int f),                                               \
	    (fd, at, to, to_at, n, f))                                         \
	X(ssize_t, tee, splice, (int fd, int to, size_t n, unsigned int f),    \
	    (fd, to, n, f))                                                    \
	X(ssize_t, vmsplice, splice,                                           \
	    (int fd, const struct iovec *v, size_t n, unsigned int f),         \
	    (fd, v, n, f))                                                     \
	X(int, eventfd_read, eventfd_read, (int fd, eventfd_t *value),         \
	    (fd, value))                                                       \
	X(int, eventfd_write, eventfd_write, (int fd, eventfd_t value),        \
	    (fd, value))                                                       \
	X(ssize_t, mq_receive, mq_receive,                                     \
	    (mqd_t queue, char *to, size_t n, unsigned int *priority),         \
	    (queue, to, n, priority))                                          \
	X(ssize_t, mq_timedreceive, mq_receive,                                \
	    (mqd_t queue, char *to, size_t n, unsigned int *priority,          \
		const timespec *until),                                        \
	    (queue, to, n, priority, until))                                   \
	X(int, mq_send, mq_send,                                               \
	    (mqd_t queue, const char *p, size_t n, unsigned int priority),     \
	    (queue, p, n, priority))                                           \
	X(int, mq_timedsend, mq_send,                                          \
	    (mqd_t queue, const char *p, size_t n, unsigned int priority,      \
		const timespec *until),                                        \
	    (queue, p, n, priority, until))                                    \
	X(int, lockf, lockf, (int fd, int what, off_t n), (fd, what, n))       \
	X(int, lockf64, lockf, (int fd, int what, off64_t n), (fd, what, n))   \
	X(int, fsync, fsync, (int fd), (fd))                                   \
	X(int, fdatasync, fdatasync, (int fd), (fd))                           \
	X(int, flock, flock, (int fd, int what), (fd, what))                   \
	X(int, getaddrinfo, getaddrinfo,                                       \
	    (const char *node, const char *service,                            \
		const struct addrinfo *hints, struct addrinfo **found),        \
	    (node, service, hints, found))                                     \
	X(int, system, system, (const char *command), (command))

#define CALL_WRAPPER(type, name, call, parameters, arguments)                  \
	static type(*real_##name) parameters;                                  \
                                                                               \
	PP_CALL_WRAPPER(type, name, call, real_##name, parameters, arguments)
CALLS(CALL_WRAPPER)

/*
 * The end of a child lets a wait succeed and sends SIGCHLD. If a signal of ours
 * has interrupted the wait just before, a handler of SIGCHLD without SA_RESTART
 * would end the wait although the child has ended: after EINTR one more call
 * looks for a child and does not wait.
 *
 * X(result, name, parameters, arguments, the call that looks, whether it found)
 */
#define WAITS(X)                                                               \
	X(pid_t, waitpid, (pid_t pid, int *status, int f), (pid, status, f),   \
	    waitpid(pid, status, f | WNOHANG), again > 0)                      \
	X(pid_t, wait4, (pid_t pid, int *status, int f, struct rusage *used),  \
	    (pid, status, f, used), wait4(pid, status, f | WNOHANG, used),     \
	    again > 0)                                                         \
	X(pid_t, wait, (int *status), (status), waitpid(-1, status, WNOHANG),  \
	    again > 0)                                                         \
	X(pid_t, wait3, (int *status, int f, struct rusage *used),             \
	    (status, f, used), wait3(status, f | WNOHANG, used), again > 0)    \
	X(int, waitid, (idtype_t kind, id_t id, siginfo_t * info, int f),      \
	    (kind, id, info, f), waitid(kind, id, info, f | WNOHANG),          \
	    again == 0 && info != NULL && info->si_pid != 0)

#define WAIT_WRAPPER(type, name, parameters, arguments, looks, found)          \
	static type(*real_##name) parameters;                                  \
                                                                               \
	static type whole_##name parameters                                    \
	{                                                                      \
		type result = real_##name arguments, again;                    \
                                                                               \
		if (result != -1 || errno != EINTR)                            \
			return (result);                                       \
		again = looks;                                                 \
		if (found)                                                     \
			return (again);                                        \
		errno = EINTR;                                                 \
		return (-1);                                                   \
	}                                                                      \
	PP_CALL_WRAPPER(type, name, waitpid, whole_##name, parameters,         \
	    arguments)
WAITS(WAIT_WRAPPER)

/* Of the commands of fcntl() only F_SETLKW and F_OFD_SETLKW wait. The last
 * argument is passed on as its register has it. */
#define CONTROL_WRAPPER(name)                                                  \
	static int (*real_##name)(int, int, void *);                           \
                                                                               \
	PP_CALL_WRAPPER(int, wait_##name, fcntl, real_##name,                  \
	    (int fd, int what, void *lock), (fd, what, lock))                  \
                                                                               \
	static int hook_##name(int fd, int what, void *lock)                   \
	{                                                                      \
		if (what == F_SETLKW || what == F_OFD_SETLKW)                  \
			return (hook_wait_##name(fd, what, lock));             \
		return (real_##name(fd, what, lock));                          \
	}
CONTROL_WRAPPER(fcntl)
CONTROL_WRAPPER(fcntl64)

/* The program itself is left out, since a server's event loop has calls of its
 * own; so is the unwinder, which runs in signal handlers. */
#define CALL_HOOK(type, name, call, parameters, arguments)                     \
	{ #name, (void *)hook_##name, (void **)&real_##name,                   \
		PP_GOT_BUT_UNWINDER },

#define WAIT_HOOK(type, name, parameters, arguments, looks, found)             \
	CALL_HOOK(type, name, waitpid, parameters, arguments)

const struct pp_got_hook pp_hook_call[] = {
	CALLS(CALL_HOOK) WAITS(WAIT_HOOK){ "fcntl", (void *)hook_fcntl,
	    (void **)&real_fcntl, PP_GOT_BUT_UNWINDER },
	{ "fcntl64", (void *)hook_fcntl64, (void **)&real_fcntl64,
	    PP_GOT_BUT_UNWINDER },
};

_Static_assert(sizeof(pp_hook_call) ==
	PP_CALL_HOOKS * sizeof(struct pp_got_hook),
    "PP_CALL_HOOKS is not how many there are");
