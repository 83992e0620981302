/*
 * See lasting.h. This runs seldom: after a signal of ours has ended a call.
 */
#include <sys/socket.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/hot_path.h"
#include "hook/lasting.h"

PP_HOT_PATH_DATA _Atomic int pp_lasting_limited;

/* When the socket's limit ends the call, by pp_clock_mono(); 0: never. */
static int64_t
lasting_until(const struct pp_lasting *call)
{
	struct timeval time = { 0, 0 };
	socklen_t len = sizeof(time);

	if (getsockopt(call->fd, SOL_SOCKET, call->limit, &time, &len) == -1 ||
	    (time.tv_sec == 0 && time.tv_usec == 0) ||
	    time.tv_sec > INT64_MAX / PP_NS_PER_SEC / 4)
		return (0);
	return ((call->began != 0 ? call->began : pp_clock_mono()) +
	    time.tv_sec * PP_NS_PER_SEC + time.tv_usec * 1000);
}

/* From now on a signal of ours ends the call when the limit is over. */
static void
lasting_limit(struct pp_lasting *call)
{
	int64_t now;

	if (call->until != -1)
		return;
	call->until = lasting_until(call);
	if (call->until == 0)
		return;
	now = pp_clock_mono();
	pp_signal_kick(call->until > now ? call->until - now : 1);
}

__attribute__((noinline)) int
pp_lasting_again(struct pp_lasting *call)
{
	if (errno != EINTR || !pp_through_again(&call->through))
		return (0);
	lasting_limit(call);
	if (call->until != 0 && pp_clock_mono() >= call->until) {
		errno = EAGAIN;
		return (0);
	}
	/* A handler of the application may have run meanwhile. */
	if (pp_signal_handled != call->through.theirs) {
		errno = EINTR;
		return (0);
	}
	return (1);
}

/* If the stack pointer at the signal was at most so far from ours, the signal
 * came at the end of the call that our caller has made just now. */
#define FRAMES_BYTES 1024

int
pp_lasting_cut(struct pp_lasting *call, ssize_t done, int flags)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	if (done <= 0 || pp_signal_result != done ||
	    pp_signal_sp - (here - FRAMES_BYTES) > 2 * FRAMES_BYTES ||
	    (flags & MSG_DONTWAIT) != 0 ||
	    (fcntl(call->fd, F_GETFL) & O_NONBLOCK) != 0)
		return (0);
	/* This result says nothing of the next call of the original. */
	pp_signal_result = -1;
	pp_signal_continues = 1;
	if (call->began != 0)
		lasting_limit(call);
	return (pp_signal_handled == call->through.theirs);
}

/* Waits until the socket is ready. Returns 1, or -1 with errno of poll(). 0:
 * the socket has an error, which is left for the application's next call, where
 * the application would get it without our signal. */
static int
part_ready(const struct pp_lasting *call, short events)
{
	struct pollfd socket = { call->fd, events, 0 };

	if (poll(&socket, 1, -1) == -1)
		return (-1);
	return ((socket.revents & POLLERR) == 0);
}

static int
is_stream(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_STREAM);
}

static ssize_t
part_once(const struct pp_lasting *call, enum pp_part kind, void *at,
    size_t len, int flags)
{
	int ready;

	if (kind == PP_PART_WRITE && !is_stream(call->fd))
		return (write(call->fd, at, len));
	ready = part_ready(call, kind == PP_PART_RECV ? POLLIN : POLLOUT);
	if (ready != 1)
		return (ready);
	if (kind == PP_PART_RECV)
		return (recv(call->fd, at, len,
		    (flags & ~MSG_WAITALL) | MSG_DONTWAIT));
	/* MSG_NOSIGNAL: a socket that has ended sends no second SIGPIPE. */
	return (send(call->fd, at, len, flags | MSG_NOSIGNAL | MSG_DONTWAIT));
}

/* Do the rest of one piece. Returns how many bytes were done: fewer than `len`
 * if an end, an error or a handler of the application has come before. */
static size_t
part_rest(struct pp_lasting *call, enum pp_part kind, char *at, size_t len,
    int flags)
{
	size_t all = 0;
	ssize_t done;

	while (all < len) {
		done = part_once(call, kind, at + all, len - all, flags);
		if (done == -1 && errno == EAGAIN)
			continue;
		if (done == 0 || (done == -1 && !pp_lasting_again(call)))
			break;
		if (done > 0)
			all += (size_t)done;
		if (done > 0 && pp_signal_handled != call->through.theirs)
			break;
	}
	return (all);
}

/* With MSG_PEEK the bytes stay in the socket, so that each call begins with the
 * first of them again. */
static ssize_t
peek_again(struct pp_lasting *call, const struct iovec *piece, size_t pieces,
    ssize_t done, int flags)
{
	struct msghdr all = { .msg_iov = (struct iovec *)(uintptr_t)piece,
		.msg_iovlen = pieces };
	ssize_t got;

	for (;;) {
		pp_signal_result = -1;
		got = recvmsg(call->fd, &all, flags);
		if (got == -1 && pp_lasting_again(call))
			continue;
		if (got <= done && got != done)
			return (done);
		done = got;
		if (!pp_lasting_cut(call, done, flags))
			return (done);
	}
}

__attribute__((noinline)) ssize_t
pp_lasting_rest(struct pp_lasting *call, enum pp_part kind,
    const struct iovec *piece, size_t pieces, ssize_t done, int flags)
{
	size_t skip, all = (size_t)done, more;
	int saved = errno;

	if (kind == PP_PART_RECV && (pieces == 0 || !is_stream(call->fd)))
		return (done);
	if (!pp_lasting_cut(call, done, flags))
		return (done);
	if (kind == PP_PART_RECV && (flags & MSG_PEEK) != 0) {
		done = peek_again(call, piece, pieces, done, flags);
		errno = saved;
		return (done);
	}
	for (skip = (size_t)done; pieces > 0; piece++, pieces--) {
		if (skip >= piece->iov_len) {
			skip -= piece->iov_len;
			continue;
		}
		more = part_rest(call, kind, (char *)piece->iov_base + skip,
		    piece->iov_len - skip, flags);
		all += more;
		if (more < piece->iov_len - skip)
			break;
		skip = 0;
	}
	errno = saved;
	return ((ssize_t)all);
}
