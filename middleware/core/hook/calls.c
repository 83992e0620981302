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
