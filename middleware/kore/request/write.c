/*
 * pprof_write() gives a profile to code, without HTTP.
 *
 * Rule: this is the one call of the public interface that waits for the
 * collector, for PATIENCE_MS at most.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/wire.h"
#include "capture/self.h"
#include "kore/adapter.h"
#define PPROF_NO_SHIM
#include "pprof.h"

/* The collector answers a snapshot within milliseconds, but for the first one,
 * for which it reads symbols. */
#define PATIENCE_MS 10000

static int
write_ask(const char *name, int debug, int reply)
{
	struct {
		struct pp_wire_request head;
		char text[PP_CUSTOM_NAME_MAX + 32];
	} packet;
	int len, query;

	memset(&packet, 0, sizeof(packet));
	len = snprintf(packet.text, sizeof(packet.text), "/%s", name);
	query = snprintf(packet.text + len, sizeof(packet.text) - (size_t)len,
	    "debug=%d", debug);
	packet.head.version = PP_WIRE_VERSION;
	packet.head.kind = PP_WIRE_REQUEST;
	packet.head.method = PP_METHOD_GET;
	packet.head.path_len = (uint32_t)len;
	packet.head.query_len = (uint32_t)query;
	return (pp_wire_send(pp_kore.socket, &packet,
	    sizeof(packet.head) + (size_t)(len + query), &reply, 1));
}

/* While a CPU profile runs, signals come often, and poll() does not go on after
 * a signal. Returns 0, or -1 with errno. */
static int
write_wait(int sock)
{
	struct pollfd wait = { .fd = sock, .events = POLLIN };
	int64_t until = pp_clock_mono() + PATIENCE_MS * PP_NS_PER_MS, left;
	int ready;

	do {
		left = (until - pp_clock_mono()) / PP_NS_PER_MS;
		ready = poll(&wait, 1, left > 0 ? (int)left : 0);
	} while (ready == -1 && errno == EINTR);
	if (ready == 0)
		errno = ETIMEDOUT;
	return (ready == 1 ? 0 : -1);
}

/* Returns the body's descriptor, with its length, or -1 with errno. */
static int
write_answer(int sock, uint64_t *body_len)
{
	char packet[sizeof(struct pp_wire_answer) + PP_ANSWER_HEADERS_MAX];
	struct pp_wire_answer answer;
	int fds[PP_WIRE_FDS_MAX];
	long len;

	if (write_wait(sock) == -1)
		return (-1);
	len = pp_wire_recv(sock, packet, sizeof(packet), fds);
	errno = EIO;
	if (len < (long)sizeof(answer))
		return (-1);
	memcpy(&answer, packet, sizeof(answer));
	if (fds[1] != -1)
		(void)close(fds[1]);
	if (answer.status == HTTP_STATUS_OK && fds[0] != -1) {
		*body_len = answer.body_len;
		return (fds[0]);
	}
	if (fds[0] != -1)
		(void)close(fds[0]);
	errno = answer.status == HTTP_STATUS_NOT_FOUND ? ENOENT : EIO;
	return (-1);
}

static int
write_all(int to, const char *from, size_t len)
{
	ssize_t sent;

	while (len > 0) {
		sent = write(to, from, len);
		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1)
			return (-1);
		from += sent;
		len -= (size_t)sent;
	}
	return (0);
}

/* The bytes are copied, since sendfile() refuses a descriptor that appends.
 * Returns 0, or -1 with errno. */
static int
write_copy(int to, int from, uint64_t left)
{
	char part[16384];
	ssize_t got;

	if (lseek(from, 0, SEEK_SET) == -1)
		return (-1);
	for (; left > 0; left -= (uint64_t)got) {
		got = read(from, part,
		    left < sizeof(part) ? (size_t)left : sizeof(part));
		if (got == 0)
			errno = EIO;
		if (got <= 0 || write_all(to, part, (size_t)got) == -1)
			return (-1);
	}
	return (0);
}

__attribute__((visibility("default"))) int
pprof_write(const char *name, int fd, int debug)
{
	int pair[2], body, result, saved;
	uint64_t len;

	if (name == NULL || name[0] == '\0' ||
	    strnlen(name, PP_CUSTOM_NAME_MAX) == PP_CUSTOM_NAME_MAX ||
	    strcmp(name, "profile") == 0 || strcmp(name, "trace") == 0) {
		errno = EINVAL;
		return (-1);
	}
	if (pp_self.worker == 0 || pp_kore.broken != NULL) {
		errno = ENOTCONN;
		return (-1);
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return (-1);
	result = write_ask(name, debug, pair[1]);
	if (result == -1 && pp_wire_gone(errno))
		errno = ENOTCONN;
	(void)close(pair[1]);
	body = result == 0 ? write_answer(pair[0], &len) : -1;
	result = body == -1 ? -1 : write_copy(fd, body, len);
	saved = errno;
	if (body != -1)
		(void)close(body);
	(void)close(pair[0]);
	errno = saved;
	return (result);
}
