/*
 * A request's way to the collector and back. No thread ever waits: the request
 * sleeps, and its socket is in Kore's event loop. The body of a POST follows on
 * that socket, as fast as the collector takes it.
 *
 *     asked ──► asleep ──► answered ──► sent, mapping freed with the netbuf
 *                  └─ client gone: its end closes the socket, which cancels
 *
 * Rule: the event loop's thread only. The collector is not trusted: its answer
 * is checked, and mapped only if it is sealed.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <sys/mman.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "kore/abi.h"
#include "kore/adapter.h"
#include "kore/routes/forward_body.h"

/* Answers of up to so many bytes are copied, since a stream of a mapping would
 * cost more than the copy. */
#define COPY_MAX 65536

/* Kore's event loop knows this by its first member. */
struct forward {
	struct kore_event event;
	struct http_request *req;
	int socket;			    /* -1: closed */
	struct kore_timer *deliver;	    /* or NULL */
	struct pp_forward_piece *body_left; /* NULL: all has been sent */
	int answered;	    /* 1: answer or end of the socket has come */
	uint32_t status;    /* 0: the collector has given no answer */
	const char *failed; /* or NULL: why its body is not here */
	void *body;	    /* mapping, or NULL */
	size_t body_len;
	char headers[PP_ANSWER_HEADERS_MAX + 1];
};

void
pp_forward_sentence(struct http_request *req, int status, const char *sentence)
{
	struct kore_buf *text;

	text = kore_buf_alloc(256);
	kore_buf_appendf(text, "%s\n", sentence);
	http_response_header(req, "content-type", "text/plain; charset=utf-8");
	http_response_header(req, "x-content-type-options", "nosniff");
	http_response_header(req, "x-go-pprof", "1");
	http_response(req, status, text->data, text->offset);
	kore_buf_free(text);
}

/* The client gets the sentence each time, the operator's log once. */
static const char *
forward_refused(const char *sentence)
{
	static int logged;

	if (!logged)
		pp_kore_log("%s (%s)", sentence, errno_s);
	logged = 1;
	return (sentence);
}

static void
forward_close(struct forward *f)
{
	if (f->socket == -1)
		return;
	kore_platform_disable_read(f->socket);
	(void)close(f->socket);
	f->socket = -1;
}

/* The request ends, for whatever reason. */
static void
forward_free(struct http_request *req)
{
	struct forward *f = req->hdlr_extra;

	req->hdlr_extra = NULL;
	pp_abi_freed_no_more(req);
	if (f == NULL)
		return;
	forward_close(f);
	if (f->deliver != NULL)
		kore_timer_remove(f->deliver);
	if (f->body != NULL)
		(void)munmap(f->body, f->body_len);
	free(f->body_left);
	free(f);
}

/* Returns 1 if the file is as long as it says and sealed against shrinking and
 * writing, so that a read of its mapping can never end in SIGBUS. */
static int
forward_sealed(int fd, uint64_t len)
{
	off_t size;
	int seals;

	seals = fcntl(fd, F_GET_SEALS);
	size = lseek(fd, 0, SEEK_END);
	return (seals != -1 && (seals & F_SEAL_SHRINK) != 0 &&
	    (seals & F_SEAL_WRITE) != 0 && size >= 0 && (uint64_t)size >= len);
}

/* Map the answer. Returns -1 if the collector's file is not as it must be. If a
 * limit of this process is in the way, f->failed says so. */
static int
forward_map(struct forward *f, int fd, uint64_t len)
{
	if (fd == -1) {
		f->failed = "the worker has no descriptor free for the answer";
		return (0);
	}
	if (!forward_sealed(fd, len))
		return (-1);
	f->body = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	if (f->body == MAP_FAILED) {
		f->body = NULL;
		f->failed = "the worker has no memory for the answer";
		return (0);
	}
	f->body_len = len;
	return (0);
}

static int
forward_take(struct forward *f, const char *packet, long len, int fd)
{
	struct pp_wire_answer answer;

	if (pp_wire_answer(packet, (size_t)len, &answer, f->headers) == -1)
		return (-1);
	if (answer.body_len != 0 && forward_map(f, fd, answer.body_len) == -1)
		return (-1);
	f->status = answer.status;
	return (0);
}

/* A request that has been answered is freed here, not in its turn: while it
 * waits for that, it would count for http_request_limit. */
void
pp_forward_process(struct http_request *req)
{
	http_process_request(req);
	if ((req->flags & HTTP_REQUEST_DELETE) != 0)
		http_request_free(req);
}

/*
 * Kore takes woken requests last, and stops after http_request_ms (10) of work.
 * Beside slow handlers, an answer would wait for many turns of Kore's loop: a
 * profile of 5 s was seen to come after 39 s. So the request is processed out
 * of turn. This is done from a timer, since an event of the loop must not touch
 * other connections.
 */
static void
forward_deliver(void *arg, u_int64_t now)
{
	struct forward *f = arg;
	struct http_request *req = f->req;

	(void)now;
	f->deliver = NULL;
	http_request_wakeup(req);
	pp_forward_process(req);
}

/* Send the next part of the body. Even if the body is not taken or cannot be
 * read, there may still be an answer. */
static void
forward_body(struct forward *f)
{
	if (f->body_left == NULL ||
	    pp_forward_body(f->req, f->socket, f->body_left) == 1)
		return;
	free(f->body_left);
	f->body_left = NULL;
}

static void
forward_event(void *arg, int error)
{
	struct forward *f = arg;
	char packet[sizeof(struct pp_wire_answer) + PP_ANSWER_HEADERS_MAX];
	int fds[PP_WIRE_FDS_MAX], i;
	long len;

	(void)error;
	if (f->answered)
		return;
	forward_body(f);
	len = pp_wire_recv(f->socket, packet, sizeof(packet), fds);
	/* The socket has this error if the collector has not read the body to
	 * its end; the answer comes after the error. */
	if (len == -1 && errno == ECONNRESET)
		len = pp_wire_recv(f->socket, packet, sizeof(packet), fds);
	if (len == -1 && errno == ECONNRESET)
		len = 0;
	if (len == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len == -1)
		f->failed = forward_refused(
		    "the kernel refuses to receive from the collector");
	if (len > 0 && forward_take(f, packet, len, fds[0]) == -1)
		pp_kore_log("the collector's answer makes no sense");
	if (len > 0) {
		for (i = 0; i < PP_WIRE_FDS_MAX; i++) {
			if (fds[i] != -1)
				(void)close(fds[i]);
		}
	}
	f->answered = 1;
	forward_close(f);
	f->deliver = kore_timer_add(forward_deliver, 0, f, KORE_TIMER_ONESHOT);
}

/* Send the packet with the reply socket. Returns 0, or -1 with *failed. */
static int
forward_pass(const char *packet, size_t len, int reply, const char **failed)
{
	int sent = pp_wire_send(pp_kore.socket, packet, len, &reply, 1);

	if (sent == -1 && pp_wire_gone(errno))
		*failed = "the collector died too often and was given up; "
			  "restart the service";
	else if (sent == -1)
		*failed = errno == EAGAIN || errno == ETOOMANYREFS
		    ? "the collector does not keep up with requests"
		    : forward_refused(
			  "the kernel refuses to send to the collector");
	return (sent);
}

/* Pack and send the request. Returns our end of the reply socket, or -1 with
 * *failed. */
static int
forward_send(struct http_request *req, const char *prefix, const char *rest,
    const char **failed)
{
	char packet[PP_WIRE_PACKET_MAX];
	int pair[2], sent;
	size_t len;

	len = pp_forward_pack(req, prefix, rest, packet);
	if (len == 0) {
		*failed = "the request is too long";
		return (-1);
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		0, pair) == -1) {
		*failed = "no socket could be made for the answer";
		if (errno != EMFILE && errno != ENFILE)
			(void)forward_refused(*failed);
		return (-1);
	}
	sent = forward_pass(packet, len, pair[1], failed);
	(void)close(pair[1]);
	if (sent == -1) {
		(void)close(pair[0]);
		return (-1);
	}
	return (pair[0]);
}

/* Returns NULL if there is no memory. */
static struct forward *
forward_new(struct http_request *req)
{
	struct forward *f = calloc(1, sizeof(*f));

	if (f == NULL || req->method != HTTP_METHOD_POST ||
	    req->http_body_length == 0)
		return (f);
	f->body_left = calloc(1, sizeof(*f->body_left));
	if (f->body_left != NULL)
		return (f);
	free(f);
	return (NULL);
}

static int
forward_begin(struct http_request *req, const char *prefix, const char *rest)
{
	const char *failed;
	struct forward *f;
	int fd;

	failed = pp_kore.broken;
	f = failed == NULL ? forward_new(req) : NULL;
	fd = f != NULL ? forward_send(req, prefix, rest, &failed) : -1;
	if (fd == -1) {
		if (f != NULL)
			free(f->body_left);
		free(f);
		pp_forward_sentence(req, HTTP_STATUS_SERVICE_UNAVAILABLE,
		    failed != NULL ? failed : "out of memory");
		return (KORE_RESULT_OK);
	}
	f->event.handle = forward_event;
	f->req = req;
	f->socket = fd;
	req->hdlr_extra = f;
	req->flags |= HTTP_REQUEST_RETAIN_EXTRA;
	pp_abi_when_freed(req, forward_free);
	if (f->body_left != NULL)
		kore_platform_event_all(fd, f);
	else
		kore_platform_schedule_read(fd, f);
	http_request_sleep(req);
	return (KORE_RESULT_RETRY);
}

static void
forward_headers(struct http_request *req, char *lines)
{
	char *name, *value;

	while (pp_wire_header(&lines, &name, &value) == 0)
		http_response_header(req, name, value);
}

static void
forward_respond(struct http_request *req, struct forward *f)
{
	if (f->status == 0 && f->failed == NULL) {
		pp_forward_sentence(req, HTTP_STATUS_BAD_GATEWAY,
		    "the collector ended while it worked on this; it is "
		    "started again, try once more");
		return;
	}
	/* If the collector has no room for a body, it sends none. */
	if (f->failed == NULL && f->body_len == 0 &&
	    f->status == HTTP_STATUS_SERVICE_UNAVAILABLE)
		f->failed = "the collector has no room for the answer: it is "
			    "at its limit of open files, memory or file size";
	if (f->failed != NULL) {
		pp_forward_sentence(req, HTTP_STATUS_SERVICE_UNAVAILABLE,
		    f->failed);
		return;
	}
	forward_headers(req, f->headers);
	if (f->status == HTTP_STATUS_NOT_MODIFIED)
		req->flags |= HTTP_REQUEST_NO_CONTENT_LENGTH;
	if (f->body_len <= COPY_MAX || req->method == HTTP_METHOD_HEAD) {
		http_response(req, (int)f->status, f->body, f->body_len);
		return;
	}
	pp_stream_respond(req, (int)f->status, f->body, f->body_len);
	f->body = NULL; /* the stream owns it now */
}

int
pp_forward_request(struct http_request *req, const char *prefix,
    const char *rest)
{
	struct forward *f = req->hdlr_extra;

	if (f == NULL)
		return (forward_begin(req, prefix, rest));
	if (!f->answered) {
		http_request_sleep(req);
		return (KORE_RESULT_RETRY);
	}
	forward_respond(req, f);
	forward_free(req);
	return (KORE_RESULT_OK);
}
