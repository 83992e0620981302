/*
 * Packets from the shared socket: checked, and turned into requests and
 * descriptors. service/ makes the answers.
 *
 * Rule: every number in a packet is compared with what came. A malformed packet
 * is dropped with its descriptors, and counted. The reply socket of a bad
 * request is closed, which tells its worker.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "collector/collector.h"
#include "service/http/answer.h"
#include "symbol/elf.h"

/* The texts of a request; each one is terminated. */
struct texts {
	char prefix[PP_REQUEST_PATH_MAX + 1];
	char path[PP_REQUEST_PATH_MAX + 1];
	char query[PP_REQUEST_QUERY_MAX + 1];
	char match[PP_REQUEST_MATCH_MAX + 1];
	char accept[PP_REQUEST_ACCEPT_MAX + 1];
};

static int
packet_text(const char **from, const char *end, uint32_t len, char *to,
    uint32_t max)
{
	if (len > max || len > (size_t)(end - *from) ||
	    memchr(*from, '\0', len) != NULL)
		return (-1);
	memcpy(to, *from, len);
	to[len] = '\0';
	*from += len;
	return (0);
}

static int
packet_texts(const struct pp_collector *c, size_t len, struct texts *texts)
{
	const struct pp_wire_request *head = &c->packet.request;
	const char *at = c->packet.bytes + sizeof(*head);
	const char *end = c->packet.bytes + len;

	if (packet_text(&at, end, head->prefix_len, texts->prefix,
		PP_REQUEST_PATH_MAX) != 0 ||
	    packet_text(&at, end, head->path_len, texts->path,
		PP_REQUEST_PATH_MAX) != 0 ||
	    packet_text(&at, end, head->query_len, texts->query,
		PP_REQUEST_QUERY_MAX) != 0 ||
	    packet_text(&at, end, head->match_len, texts->match,
		PP_REQUEST_MATCH_MAX) != 0 ||
	    packet_text(&at, end, head->accept_len, texts->accept,
		PP_REQUEST_ACCEPT_MAX) != 0)
		return (-1);
	return (at == end ? 0 : -1);
}

/* Whether the descriptor is a regular file (a memfd is one) that may be read:
 * reading anything else could wait. */
static int
packet_is_file(int fd, off_t at_least)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	return (flags != -1 && (flags & O_ACCMODE) != O_WRONLY &&
	    (flags & O_PATH) == 0 && fstat(fd, &st) == 0 &&
	    pp_symbols_is_file(&st) && st.st_size >= at_least);
}

static void
packet_serve(struct pp_collector *c, const struct pp_request *request,
    int reply)
{
	struct pp_answer answer;
	struct pp_task *task;

	memset(&answer, 0, sizeof(answer));
	task = pp_service_begin(c->service, request);
	if (task == NULL) {
		pp_answer_error(&answer, 503, "The collector is out of memory");
		pp_collector_reply(reply, &answer);
		return;
	}
	if (pp_task_deadline(task) == 0) {
		pp_task_finish(task, &answer);
		pp_collector_reply(reply, &answer);
		return;
	}
	if (pp_collector_keep(c, task, NULL, reply, EPOLLRDHUP) != 0) {
		pp_task_cancel(task);
		pp_collector_full(&answer);
		pp_collector_reply(reply, &answer);
	}
}

int
pp_collector_request(struct pp_collector *c, size_t len, int reply,
    const char *body)
{
	const struct pp_wire_request *head = &c->packet.request;
	struct pp_request request;
	struct texts texts;
	struct stat st;

	if (len < sizeof(*head) || packet_texts(c, len, &texts) != 0 ||
	    head->method > PP_METHOD_OTHER || reply == -1 ||
	    fstat(reply, &st) == -1 || !S_ISSOCK(st.st_mode))
		return (-1);
	if (head->body_len > 0 && body == NULL)
		return (pp_collector_body(c, len, head->body_len, reply));
	request = (struct pp_request){
		.method = (enum pp_method)head->method,
		.prefix = texts.prefix,
		.path = texts.path,
		.query = texts.query,
		.match = texts.match,
		.accept = texts.accept,
		.body = body,
		.body_len = head->body_len,
		.marked = head->marked == 1,
	};
	packet_serve(c, &request, reply);
	return (0);
}

void
pp_collector_piece(struct pp_collector *c, uint32_t place)
{
	struct pp_incoming whole;

	if (!pp_collector_body_piece(c, place, &whole))
		return;
	memcpy(c->packet.bytes, whole.packet, whole.len);
	pp_collector_request(c, whole.len, whole.fd, whole.body);
	free(whole.packet);
	free(whole.body);
}

/* Takes fds[0] when it returns 0. */
static int
packet_request(struct pp_collector *c, size_t len, int *fds)
{
	if (pp_collector_request(c, len, fds[0], NULL) != 0)
		return (-1);
	fds[0] = -1;
	return (0);
}

_Static_assert(PP_ELF_READ_MAX == 24U << 20, "the sentence says so");

/*
 * A large file is mapped (symbol/elf.h), and a process that can write the file
 * can end the collector by cutting the file short. Workers can write files of
 * their user, and files that all users may write.
 */
static int
packet_may_map(int fd)
{
	struct stat st;

	return (fstat(fd, &st) == 0 &&
	    (st.st_size <= (off_t)PP_ELF_READ_MAX ||
		(st.st_uid != geteuid() &&
		    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)));
}

/* Takes fds[0] when it returns 0. */
static int
packet_object(struct pp_collector *c, size_t len, int *fds)
{
	const struct pp_wire_object *head = &c->packet.object;
	const char *at = c->packet.bytes + sizeof(*head);
	char name[PP_OBJECT_NAME_MAX];

	if (len < sizeof(*head) || head->build_id_len > PP_BUILD_ID_MAX ||
	    packet_text(&at, c->packet.bytes + len, head->name_len, name,
		sizeof(name) - 1) != 0 ||
	    at != c->packet.bytes + len || !packet_is_file(fds[0], 0))
		return (-1);
	if (!packet_may_map(fds[0])) {
		pp_collector_report(&c->unsafe,
		    "a library that was loaded late is larger than 24 MiB and "
		    "the workers may write it: its functions have no names");
		return (0);
	}
	pp_symbols_add(c->symbols, head->build_id, head->build_id_len, name,
	    fds[0], -1);
	fds[0] = -1;
	return (0);
}

/*
 * Whether the file is readable and of /proc: such a file never waits, and its
 * content is the kernel's.
 */
static int
packet_is_proc(int fd)
{
	struct statfs fs;

	return (packet_is_file(fd, 0) && fstatfs(fd, &fs) == 0 &&
	    fs.f_type == PROC_SUPER_MAGIC);
}

/* Takes fds[0] when it returns 0. */
static int
packet_proc(struct pp_collector *c, size_t len, int *fds)
{
	const struct pp_wire_proc *head = &c->packet.proc;

	if (len != sizeof(*head) || head->pid <= 0 || !packet_is_proc(fds[0]))
		return (-1);
	pp_service_take_proc(c->service, head->worker, head->pid, fds[0]);
	fds[0] = -1;
	return (0);
}

/*
 * If the table of descriptors is full, the kernel drops the descriptor of a
 * packet, and the worker would take that for the collector's end. So one
 * descriptor is kept in reserve: it makes room for the reply socket, and the
 * request gets an answer that says why.
 */
static int
packet_lend(struct pp_collector *c)
{
	int fd = fcntl(c->socket, F_DUPFD_CLOEXEC, 0);

	if (c->spare == -1)
		c->spare = fd;
	else if (fd != -1)
		close(fd);
	else
		close(c->spare);
	return (fd == -1);
}

static int
packet_no_room(struct pp_collector *c, size_t len, int *fds)
{
	struct pp_answer answer;

	pp_collector_report(&c->roomless,
	    "no descriptor is free: what a worker asked or sent is refused");
	if (len >= sizeof(c->packet.request) &&
	    c->packet.request.kind == PP_WIRE_REQUEST && fds[0] != -1) {
		memset(&answer, 0, sizeof(answer));
		answer.status = 503;
		pp_collector_reply(fds[0], &answer);
		fds[0] = -1;
	}
	return (0);
}

static int
packet_take(struct pp_collector *c, size_t len, int *fds)
{
	switch (c->packet.request.kind) {
	case PP_WIRE_REQUEST:
		return (packet_request(c, len, fds));
	case PP_WIRE_OBJECT:
		return (packet_object(c, len, fds));
	case PP_WIRE_PROC:
		return (packet_proc(c, len, fds));
	case PP_WIRE_WAKE:
		return (len == sizeof(struct pp_wire_wake) ? 0 : -1);
	default:
		return (-1);
	}
}

int
pp_collector_packet(struct pp_collector *c)
{
	int fds[PP_WIRE_FDS_MAX], i, bad = -1, full, error;
	long len;

	full = packet_lend(c);
	len = pp_wire_recv(c->socket, c->packet.bytes, sizeof(c->packet), fds);
	error = errno;
	if (len >= (long)(2 * sizeof(uint32_t)) &&
	    c->packet.request.version == PP_WIRE_VERSION)
		bad = full && c->packet.request.kind != PP_WIRE_WAKE
		    ? packet_no_room(c, (size_t)len, fds)
		    : packet_take(c, (size_t)len, fds);
	for (i = 0; i < PP_WIRE_FDS_MAX; i++) {
		if (fds[i] != -1)
			close(fds[i]);
	}
	if (full)
		c->spare = fcntl(c->socket, F_DUPFD_CLOEXEC, 0);
	if (len == -1 && error == EAGAIN)
		return (0);
	if (len == -1 && (error == EPERM || error == ENOSYS)) {
		pp_collector_log("recvmsg: %s", strerror(error));
		return (-2);
	}
	if (len == 0 || (len == -1 && error != EMSGSIZE))
		return (-1);
	if (bad != 0)
		pp_collector_report(&c->refused,
		    "dropped a packet that is no message of this build");
	return (1);
}
