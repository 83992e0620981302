/*
 * See transfers.h.
 */
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <stddef.h>
#include <unistd.h>

#include "base/hot_path.h"
#include "hook/calls_private.h"
#include "hook/lasting.h"
#include "hook/transfers.h"

typedef struct timespec timespec;

static int (*real_close)(int);
static int (
    *real_recvmmsg)(int, struct mmsghdr *, unsigned int, int, timespec *);
static int (*real_sendmmsg)(int, struct mmsghdr *, unsigned int, int);
static ssize_t (*real_sendfile)(int, int, off_t *, size_t);
static ssize_t (*real_sendfile64)(int, int, off_t *, size_t);
static ssize_t (*real_copy_file_range)(int, off64_t *, int, off64_t *, size_t,
    unsigned int);
static ssize_t (*real_pwritev2)(int, const struct iovec *, int, off_t, int);
static ssize_t (
    *real_pwritev64v2)(int, const struct iovec *, int, off64_t, int);
static ssize_t (*real_getrandom)(void *, size_t, unsigned int);

PP_HOT_PATH_DATA _Atomic int pp_transfers_linger;

/* Any signal ends the wait of close(), and the result does not say so. */
static __attribute__((noinline)) int
close_lingering(int fd)
{
	int result, saved;

	pp_signal_block(SIG_BLOCK);
	result = real_close(fd);
	saved = errno;
	pp_signal_block(SIG_UNBLOCK);
	errno = saved;
	return (result);
}

static int
hook_close(int fd)
{
	if (__builtin_expect(atomic_load_explicit(&pp_transfers_linger,
				 memory_order_relaxed),
		0) &&
	    pp_self.worker != 0)
		return (close_lingering(fd));
	return (real_close(fd));
}

/* Of the last message that was sent, only a part may have been sent. */
static void
message_rest(struct pp_lasting *call, struct mmsghdr *m, int f)
{
	size_t i, skip = m->msg_len;
	struct iovec piece;
	ssize_t done;

	for (i = 0; i < m->msg_hdr.msg_iovlen; i++) {
		piece = m->msg_hdr.msg_iov[i];
		while (skip < piece.iov_len) {
			done = send(call->fd, (char *)piece.iov_base + skip,
			    piece.iov_len - skip, f | MSG_NOSIGNAL);
			if (done == -1 && pp_lasting_again(call))
				continue;
			if (done <= 0)
				return;
			m->msg_len += (unsigned int)done;
			skip += (size_t)done;
			if (pp_signal_handled != call->through.theirs)
				return;
		}
		skip -= piece.iov_len;
	}
}

static int
through_sendmmsg(int fd, struct mmsghdr *m, unsigned int n, int f)
{
	struct pp_lasting call;
	unsigned int all = 0;
	int done;

	pp_lasting_begin(&call, fd, SO_SNDTIMEO);
	for (;;) {
		done = real_sendmmsg(fd, m + all, n - all, f);
		if (done == -1 && pp_lasting_again(&call))
			continue;
		if (done <= 0)
			break;
		all += (unsigned int)done;
		if (!pp_lasting_cut(&call, done, f))
			break;
		message_rest(&call, m + all - 1, f);
		if (all == n)
			break;
	}
	pp_lasting_end(&call);
	return (all > 0 ? (int)all : done);
}

/* The error that a recvmmsg() which was cut short leaves in the socket
 * (recvmmsg(2), BUGS): the kernel's own number for a call that begins again. */
#define ERROR_AGAIN 512

/* Receives all of the messages, unless MSG_WAITFORONE says one is enough. */
static int
through_recvmmsg(int fd, struct mmsghdr *m, unsigned int n, int f, timespec *t)
{
	struct pp_lasting call;
	unsigned int all = 0;
	int done, cut = 0;

	pp_lasting_begin(&call, fd, SO_RCVTIMEO);
	for (;;) {
		done = real_recvmmsg(fd, m + all, n - all, f, t);
		if (done == -1 &&
		    ((cut && (errno == EINTR || errno == ERROR_AGAIN)) ||
			pp_lasting_again(&call))) {
			cut = 0;
			continue;
		}
		if (done <= 0)
			break;
		all += (unsigned int)done;
		cut = all < n && t == NULL && (f & MSG_WAITFORONE) == 0 &&
		    pp_lasting_cut(&call, done, f);
		if (!cut)
			break;
	}
	pp_lasting_end(&call);
	return (all > 0 ? (int)all : done);
}

static ssize_t
file_through(ssize_t (*real)(int, int, off_t *, size_t), int fd, int from,
    off_t *at, size_t n)
{
	struct pp_lasting call;
	ssize_t done, all = 0;

	pp_lasting_begin(&call, fd, SO_SNDTIMEO);
	for (;;) {
		done = real(fd, from, at, n - (size_t)all);
		if (done == -1 && pp_lasting_again(&call))
			continue;
		if (done <= 0)
			break;
		all += done;
		if ((size_t)all == n || !pp_lasting_cut(&call, done, 0))
			break;
	}
	pp_lasting_end(&call);
	return (all > 0 ? all : done);
}

static ssize_t
through_sendfile(int fd, int from, off_t *at, size_t n)
{
	return (file_through(real_sendfile, fd, from, at, n));
}

static ssize_t
through_sendfile64(int fd, int from, off_t *at, size_t n)
{
	return (file_through(real_sendfile64, fd, from, at, n));
}

static ssize_t
through_copy_file_range(int from, off64_t *at, int to, off64_t *to_at, size_t n,
    unsigned int f)
{
	struct pp_lasting call;
	ssize_t done, all = 0;

	pp_lasting_begin(&call, to, SO_SNDTIMEO);
	for (;;) {
		done = real_copy_file_range(from, at, to, to_at,
		    n - (size_t)all, f);
		if (done == -1 && pp_lasting_again(&call))
			continue;
		if (done <= 0)
			break;
		all += done;
		if ((size_t)all == n || !pp_lasting_cut(&call, done, 0))
			break;
	}
	pp_lasting_end(&call);
	return (all > 0 ? all : done);
}

/* With the offset -1 the call is a writev(), which goes on with the rest. */
static ssize_t
through_pwritev2(int fd, const struct iovec *v, int n, off_t at, int f)
{
	ssize_t result;

	if (at != -1)
		return (real_pwritev2(fd, v, n, at, f));
	PP_WHOLE(result, fd, SO_SNDTIMEO, real_pwritev2(fd, v, n, at, f),
	    PP_PART_WRITE, v, (size_t)n, 0);
	return (result);
}

static ssize_t
through_pwritev64v2(int fd, const struct iovec *v, int n, off64_t at, int f)
{
	ssize_t result;

	if (at != -1)
		return (real_pwritev64v2(fd, v, n, at, f));
	PP_WHOLE(result, fd, SO_SNDTIMEO, real_pwritev64v2(fd, v, n, at, f),
	    PP_PART_WRITE, v, (size_t)n, 0);
	return (result);
}

/* A signal may cut a request for more than 256 bytes short. */
static ssize_t
hook_getrandom(void *to, size_t n, unsigned int f)
{
	struct pp_through through;
	ssize_t done, all = 0;

	pp_through_begin(&through);
	for (;;) {
		pp_signal_result = -1;
		done = real_getrandom((char *)to + all, n - (size_t)all, f);
		if (done == -1 && errno == EINTR && pp_through_again(&through))
			continue;
		if (done <= 0)
			break;
		all += done;
		if ((size_t)all == n || pp_signal_result != done ||
		    pp_signal_handled != through.theirs)
			break;
	}
	pp_through_end(&through);
	return (all > 0 ? all : done);
}

PP_CALL_WRAPPER(ssize_t, sendfile, sendfile, through_sendfile,
    (int fd, int from, off_t *at, size_t n), (fd, from, at, n))
PP_CALL_WRAPPER(ssize_t, sendfile64, sendfile, through_sendfile64,
    (int fd, int from, off_t *at, size_t n), (fd, from, at, n))
PP_CALL_WRAPPER(int, recvmmsg, recvmsg, through_recvmmsg,
    (int fd, struct mmsghdr *m, unsigned int n, int f, timespec *t),
    (fd, m, n, f, t))
PP_CALL_WRAPPER(int, sendmmsg, sendmsg, through_sendmmsg,
    (int fd, struct mmsghdr *m, unsigned int n, int f), (fd, m, n, f))
PP_CALL_WRAPPER(ssize_t, copy_file_range, sendfile, through_copy_file_range,
    (int from, off64_t *at, int to, off64_t *to_at, size_t n, unsigned int f),
    (from, at, to, to_at, n, f))
PP_CALL_WRAPPER(ssize_t, pwritev2, writev, through_pwritev2,
    (int fd, const struct iovec *v, int n, off_t at, int f), (fd, v, n, at, f))
PP_CALL_WRAPPER(ssize_t, pwritev64v2, writev, through_pwritev64v2,
    (int fd, const struct iovec *v, int n, off64_t at, int f),
    (fd, v, n, at, f))

#define TRANSFER_HOOK(name)                                                    \
	{                                                                      \
#name, (void *)hook_##name, (void **)&real_##name,             \
		    PP_GOT_BUT_UNWINDER                                        \
	}

const struct pp_got_hook pp_hook_transfer[PP_TRANSFER_HOOKS] = {
	TRANSFER_HOOK(close),
	TRANSFER_HOOK(recvmmsg),
	TRANSFER_HOOK(sendmmsg),
	TRANSFER_HOOK(sendfile),
	TRANSFER_HOOK(sendfile64),
	TRANSFER_HOOK(copy_file_range),
	TRANSFER_HOOK(pwritev2),
	TRANSFER_HOOK(pwritev64v2),
	TRANSFER_HOOK(getrandom),
};
