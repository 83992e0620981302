/*
 * Sending an answer: a header packet and, beside it, a sealed memfd with the
 * body, which the worker maps and sends without a copy.
 *
 * Rule: never waits. The seals promise the worker that the mapped body will
 * neither shrink nor change.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/budget.h"
#include "collector/collector.h"
#include "service/http/answer.h"

static int
reply_seal(int fd)
{
	return (fcntl(fd, F_ADD_SEALS,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL));
}

static int
reply_buffer(const struct pp_buf *body)
{
	size_t at;
	ssize_t n;
	int fd;

	fd = memfd_create("pprof-answer", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1)
		return (-1);
	for (at = 0; at < body->len; at += (size_t)n) {
		n = write(fd, body->data + at, body->len - at);
		if (n == -1 && errno == EINTR) {
			n = 0;
		} else if (n <= 0) {
			close(fd);
			return (-1);
		}
	}
	if (reply_seal(fd) == -1) {
		close(fd);
		return (-1);
	}
	return (fd);
}

/* Returns the sealed body, which the caller closes. */
static int
reply_body(struct pp_answer *answer)
{
	int fd;

	if (answer->file_len == 0)
		return (reply_buffer(&answer->body));
	if (reply_seal(answer->file) == -1)
		return (-1);
	fd = answer->file;
	/* From here on the file belongs to the worker. */
	pp_budget_file(-(int64_t)answer->file_len);
	answer->file_len = 0;
	return (fd);
}

struct packet {
	struct pp_wire_answer head;
	char headers[PP_ANSWER_HEADERS_MAX];
};

/*
 * Returns the body's descriptor, -1 when the answer has no body, or -2 when the
 * memfd could not be made.
 */
static int
reply_pack(struct packet *packet, struct pp_answer *answer)
{
	struct pp_wire_answer *head = &packet->head;
	int fd;

	memset(head, 0, sizeof(*head));
	head->version = PP_WIRE_VERSION;
	head->kind = PP_WIRE_ANSWER;
	head->status = (uint32_t)answer->status;
	if (answer->headers.len > sizeof(packet->headers)) {
		head->status = 500; /* no answer of ours is that large */
		return (-1);
	}
	head->body_len =
	    answer->file_len > 0 ? answer->file_len : answer->body.len;
	head->headers_len = (uint32_t)answer->headers.len;
	if (answer->headers.len > 0)
		memcpy(packet->headers, answer->headers.data,
		    answer->headers.len);
	if (head->body_len == 0)
		return (-1);
	if ((fd = reply_body(answer)) != -1)
		return (fd);
	head->status = 503;
	head->headers_len = 0;
	head->body_len = 0;
	return (-2);
}

/*
 * If the client has gone, nothing is logged; if a limit is reached, the client
 * is told. All other refusals of the kernel are logged, once.
 */
static void
reply_refused(const char *what, int error)
{
	static int logged;

	if (error != EPERM && error != ENOSYS)
		return;
	if (!logged)
		pp_collector_log("%s: %s: no answers by the routes", what,
		    strerror(error));
	logged = 1;
}

void
pp_collector_reply(int reply, struct pp_answer *answer)
{
	struct packet packet;
	int fd, error;

	/*
	 * A limit on files, or on memory, was reached: a sentence is short
	 * enough to be sent.
	 */
	if ((fd = reply_pack(&packet, answer)) == -2) {
		error = errno;
		reply_refused("memfd", error);
		pp_answer_error(answer, 503,
		    "The answer could not be handed over: %s", strerror(error));
		fd = reply_pack(&packet, answer);
	}
	if (pp_wire_send(reply, &packet,
		sizeof(packet.head) + packet.head.headers_len, &fd,
		fd >= 0) == -1)
		reply_refused("sendmsg", errno);
	if (fd >= 0)
		close(fd);
	close(reply);
	pp_answer_free(answer);
}
