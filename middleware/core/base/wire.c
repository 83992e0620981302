/*
 * Packets with descriptors over a SOCK_SEQPACKET pair; see wire.h. The meaning
 * of a packet is not checked here, but for an answer's.
 *
 * Rule: no allocation, no waiting; errno says why something failed. On every
 * path each descriptor that arrived is handed on or closed.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/wire.h"

/* Room for exactly as many descriptors as a message of ours may have: the
 * kernel itself drops those that do not fit. The union aligns the bytes. */
union wire_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(PP_WIRE_FDS_MAX * sizeof(int))];
};

int
pp_wire_send(int sock, const void *packet, size_t len, const int *fds, int nfds)
{
	union wire_control control;
	struct cmsghdr *header;
	struct msghdr message;
	struct iovec part;
	ssize_t sent;

	if (nfds < 0 || nfds > PP_WIRE_FDS_MAX || len == 0) {
		errno = EINVAL;
		return (-1);
	}
	/* iovec is not const, although sending only reads. */
	part.iov_base = (void *)(uintptr_t)packet;
	part.iov_len = len;
	memset(&message, 0, sizeof(message));
	message.msg_iov = &part;
	message.msg_iovlen = 1;
	if (nfds > 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(header), fds, nfds * sizeof(int));
	}
	do {
		sent = sendmsg(sock, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent == -1 && errno == EINTR);
	return (sent == -1 ? -1 : 0);
}

int
pp_wire_gone(int error)
{
	return (error == EPIPE || error == ECONNRESET || error == ECONNREFUSED);
}

static void
wire_take_fds(struct msghdr *message, int fds[PP_WIRE_FDS_MAX])
{
	struct cmsghdr *header;
	int fd, taken = 0;
	size_t i, count;

	for (header = CMSG_FIRSTHDR(message); header != NULL;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET ||
		    header->cmsg_type != SCM_RIGHTS)
			continue;
		count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int),
			    sizeof(int));
			if (taken < PP_WIRE_FDS_MAX)
				fds[taken++] = fd;
			else
				close(fd);
		}
	}
}

long
pp_wire_recv(int sock, void *packet, size_t room, int fds[PP_WIRE_FDS_MAX])
{
	union wire_control control;
	struct msghdr message;
	struct iovec part;
	ssize_t got;
	int i;

	for (i = 0; i < PP_WIRE_FDS_MAX; i++)
		fds[i] = -1;
	do {
		part.iov_base = packet;
		part.iov_len = room;
		memset(&message, 0, sizeof(message));
		message.msg_iov = &part;
		message.msg_iovlen = 1;
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		got = recvmsg(sock, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (got == -1 && errno == EINTR);
	if (got == -1)
		return (-1);
	wire_take_fds(&message, fds);
	if (message.msg_flags & MSG_TRUNC) {
		for (i = 0; i < PP_WIRE_FDS_MAX; i++) {
			if (fds[i] != -1)
				close(fds[i]);
			fds[i] = -1;
		}
		errno = EMSGSIZE;
		return (-1);
	}
	return (got);
}

/* Whether the text is whole lines "name: value", of characters that an answer
 * of HTTP may have. */
static int
wire_lines_good(const char *text, size_t len)
{
	const char *end = text + len, *line, *colon;
	unsigned char c;
	size_t i;

	for (i = 0; i < len; i++) {
		c = (unsigned char)text[i];
		if (c != '\n' && (c < ' ' || c == 0x7f))
			return (0);
	}
	for (line = text; line < end; line++) {
		colon = strstr(line, ": ");
		line = strchr(line, '\n');
		if (line == NULL || colon == NULL || colon > line)
			return (0);
	}
	return (1);
}

int
pp_wire_answer(const void *packet, size_t len, struct pp_wire_answer *answer,
    char *headers)
{
	if (len < sizeof(*answer))
		return (-1);
	memcpy(answer, packet, sizeof(*answer));
	if (answer->version != PP_WIRE_VERSION ||
	    answer->kind != PP_WIRE_ANSWER || answer->status < 200 ||
	    answer->status > 599 ||
	    answer->headers_len > PP_ANSWER_HEADERS_MAX ||
	    len != sizeof(*answer) + answer->headers_len)
		return (-1);
	memcpy(headers, (const char *)packet + sizeof(*answer),
	    answer->headers_len);
	headers[answer->headers_len] = '\0';
	return (wire_lines_good(headers, answer->headers_len) ? 0 : -1);
}

int
pp_wire_header(char **lines, char **name, char **value)
{
	char *colon = strstr(*lines, ": "), *end = strchr(*lines, '\n');

	if (end == NULL || colon == NULL || colon > end)
		return (-1);
	*name = *lines;
	*colon = '\0';
	*value = colon + 2;
	*end = '\0';
	*lines = end + 1;
	return (0);
}
