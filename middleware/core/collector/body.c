/*
 * The body of a request, on its way from a worker: pieces on the request's own
 * reply socket, since a worker in its sandbox cannot make a memfd.
 *
 * Rule: a body takes a place of PP_BODIES_MAX and BODY_NS at most, and no more
 * bytes than the request said. Nothing waits: bytes that have come are taken.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/budget.h"
#include "base/clock.h"
#include "collector/collector.h"
#include "service/http/answer.h"

/* A worker sends a body as fast as the collector takes it. */
#define BODY_NS (10 * PP_NS_PER_SEC)

/* The most pieces that are taken in one turn of the loop. */
#define PIECES 64

/* Frees the place. The descriptor stays the caller's. */
static void
body_forget(struct pp_collector *c, struct pp_incoming *in)
{
	epoll_ctl(c->epoll, EPOLL_CTL_DEL, in->fd, NULL);
	free(in->packet);
	free(in->body);
	memset(in, 0, sizeof(*in));
}

static void
body_refuse(int reply, int status, const char *sentence)
{
	struct pp_answer answer;

	memset(&answer, 0, sizeof(answer));
	pp_answer_error(&answer, status, "%s", sentence);
	pp_collector_reply(reply, &answer);
}

int
pp_collector_body(struct pp_collector *c, size_t len, uint32_t body_len,
    int reply)
{
	struct epoll_event watch = { .events = EPOLLIN | EPOLLRDHUP };
	struct pp_incoming *in;
	uint32_t i;

	if (body_len > PP_REQUEST_BODY_MAX)
		return (-1);
	for (i = 0; i < PP_BODIES_MAX && c->incoming[i].body != NULL; i++)
		continue;
	if (i == PP_BODIES_MAX) {
		body_refuse(reply, 503,
		    "too many requests with a body are on the way; try again");
		return (0);
	}
	in = &c->incoming[i];
	in->packet = malloc(len);
	in->body = pp_budget_keeps(body_len) ? malloc(body_len) : NULL;
	watch.data.u32 = PP_REQUESTS_MAX + i;
	if (in->packet == NULL || in->body == NULL ||
	    epoll_ctl(c->epoll, EPOLL_CTL_ADD, reply, &watch) == -1) {
		free(in->packet);
		free(in->body);
		memset(in, 0, sizeof(*in));
		body_refuse(reply, 503,
		    "There is no memory left for the body (PPROF_MEMORY_MIB)");
		return (0);
	}
	memcpy(in->packet, c->packet.bytes, len);
	in->len = len;
	in->body_len = body_len;
	in->fd = reply;
	in->until = pp_clock_mono() + BODY_NS;
	return (0);
}

/* Returns 0 when more bytes may come, -1 when none will come. */
static int
body_piece(struct pp_incoming *in)
{
	int fds[PP_WIRE_FDS_MAX], i;
	long len;

	len = pp_wire_recv(in->fd, in->body + in->got, in->body_len - in->got,
	    fds);
	for (i = 0; i < PP_WIRE_FDS_MAX; i++) {
		if (fds[i] != -1)
			close(fds[i]);
	}
	if (len == 0)
		errno = EPIPE;
	if (len <= 0)
		return (-1);
	in->got += (uint32_t)len;
	return (0);
}

int
pp_collector_body_piece(struct pp_collector *c, uint32_t place,
    struct pp_incoming *whole)
{
	struct pp_incoming *in = &c->incoming[place];
	int i, fd = in->fd;

	for (i = 0; in->body != NULL && i < PIECES && in->got < in->body_len;
	     i++) {
		if (body_piece(in) == 0)
			continue;
		if (errno == EAGAIN)
			return (0);
		body_forget(c, in);
		close(fd);
		return (0);
	}
	if (in->body == NULL || in->got < in->body_len)
		return (0);
	*whole = *in;
	memset(in, 0, sizeof(*in));
	/* From here on the service may watch the request's socket itself. */
	epoll_ctl(c->epoll, EPOLL_CTL_DEL, fd, NULL);
	return (1);
}

int64_t
pp_collector_bodies(struct pp_collector *c, int64_t now)
{
	int64_t next = INT64_MAX;
	struct pp_incoming *in;
	uint32_t i;
	int fd;

	for (i = 0; i < PP_BODIES_MAX; i++) {
		in = &c->incoming[i];
		fd = in->fd;
		if (in->body != NULL && in->until <= now) {
			body_forget(c, in);
			body_refuse(fd, 408, "the body did not come in time");
		} else if (in->body != NULL && in->until < next) {
			next = in->until;
		}
	}
	return (next);
}
