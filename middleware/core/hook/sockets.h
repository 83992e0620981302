/*
 * This table wraps calls for descriptors that a signal cuts short in spite of
 * SA_RESTART. A call that waits with SO_RCVTIMEO or SO_SNDTIMEO ends with
 * EINTR; a call that writes, or reads with MSG_WAITALL, ends with a part. If
 * the signal was ours, the call goes on with the time that is left, or with the
 * rest.
 *
 * While nobody has set a time limit, a call that reads costs a branch and a
 * jump.
 *
 * Rule: every error is one that the original gives without our signals. If a
 * call fails after a part, the part is its result.
 */
#ifndef PP_HOOK_SOCKETS_H
#define PP_HOOK_SOCKETS_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "hook/got.h"

#define PP_SOCKET_HOOKS 17

extern const struct pp_got_hook pp_hook_socket[PP_SOCKET_HOOKS];

/* write(), writev(), sendto() and sendmsg(), which go on with the rest if a
 * signal of ours cuts them short. For raw.c. */
ssize_t pp_sockets_write(int fd, const void *p, size_t n);
ssize_t pp_sockets_writev(int fd, const struct iovec *v, int n);
ssize_t pp_sockets_sendto(int fd, const void *p, size_t n, int f,
    const struct sockaddr *a, socklen_t l);
ssize_t pp_sockets_sendmsg(int fd, const struct msghdr *m, int f);

#endif
