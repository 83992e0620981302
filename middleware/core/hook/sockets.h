/*
 * Calls for descriptors that a signal cuts short in spite of SA_RESTART: what
 * waits with SO_RCVTIMEO or SO_SNDTIMEO ends with EINTR, and what writes, or
 * reads with MSG_WAITALL, ends with a part. When the signal was ours, they go
 * on: with the time that is left, with the rest.
 *
 * While nobody has set a time limit, what reads is a branch and a jump.
 *
 * Rule: errors are the original's. What fails after a part gives the part.
 */
#ifndef PP_HOOK_SOCKETS_H
#define PP_HOOK_SOCKETS_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "hook/got.h"

#define PP_SOCKET_HOOKS 17

extern const struct pp_got_hook pp_socket_hooks[PP_SOCKET_HOOKS];

/* write(), writev(), sendto() and sendmsg() as a whole. */
ssize_t pp_sockets_write(int fd, const void *p, size_t n);
ssize_t pp_sockets_writev(int fd, const struct iovec *v, int n);
ssize_t pp_sockets_sendto(int fd, const void *p, size_t n, int f,
    const struct sockaddr *a, socklen_t l);
ssize_t pp_sockets_sendmsg(int fd, const struct msghdr *m, int f);

#endif
