/*
 * See history.h.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <sys/epoll.h>

#include <stddef.h>

#include "base/head.h"
#include "base/often.h"
#include "kore/adapter.h"
#include "kore/history.h"

/* Lines that Kore keeps of a request, its first one among them. */
#define LINES (HTTP_REQ_HEADER_MAX - 1)

/* Whose request with a body Kore is reading now. */
static const struct connection *reading;

const struct sockaddr *
pp_history_peer(const struct connection *c)
{
	static const struct sockaddr local = { .sa_family = AF_UNIX };

	switch (c->family) {
	case AF_INET:
		return ((const struct sockaddr *)&c->addr.ipv4);
	case AF_INET6:
		return ((const struct sockaddr *)&c->addr.ipv6);
	default:
		return (&local);
	}
}

PP_OFTEN struct http_request *
pp_history_newest(struct connection *c, struct http_request **end)
{
	if (c->http_requests.tqh_last == end || TAILQ_EMPTY(&c->http_requests))
		return (NULL);
	return (
	    (struct http_request *)(void *)((char *)c->http_requests.tqh_last -
		offsetof(struct http_request, olist.tqe_next)));
}

/* The first request decides for all that come behind it. */
static __attribute__((noinline)) unsigned int
history_meet(struct connection *c, const char *head, size_t len)
{
	unsigned int seen;

	/* Remote for good; or everybody may ask, and nobody looks. */
	if (pp_kore.allow.any ||
	    !pp_allow_peer(&pp_kore.allow, pp_history_peer(c))) {
		c->flags |= PP_HISTORY_MET | PP_HISTORY_REMOTE;
		return (0);
	}
	seen = pp_head_look(head, len, LINES);
	if (seen & PP_HEAD_WHOLE)
		c->flags |= PP_HISTORY_MET |
		    (seen & PP_HEAD_PROXY ? PP_HISTORY_REMOTE : 0);
	return (seen);
}

/* Kore may answer before it has read the body, by a redirect, and goes on with
 * what then looks like the next request. */
static __attribute__((noinline)) int
history_read_body(struct netbuf *nb, int (*real)(struct netbuf *))
{
	struct connection *c = nb->owner;
	struct http_request **end = c->http_requests.tqh_last, *req;
	int result;

	reading = c;
	result = real(nb);
	reading = NULL;
	req = pp_history_newest(c, end);
	if (req == NULL || (req->flags & HTTP_REQUEST_DELETE) ||
	    req->http_body_length == 0)
		c->flags |= PP_HISTORY_UNREAD;
	return (result);
}

PP_OFTEN int
pp_history_recv(struct netbuf *nb, int (*real)(struct netbuf *))
{
	struct connection *c = nb->owner;
	unsigned int seen;

	/* It has answered that one, and goes on with what came behind it. */
	if (__builtin_expect(reading == c, 0))
		c->flags |= PP_HISTORY_UNREAD;
	if (c->flags & PP_HISTORY_MET)
		seen = pp_head_look((const char *)nb->buf, nb->s_off, 0);
	else
		seen = history_meet(c, (const char *)nb->buf, nb->s_off);
	if (seen & PP_HEAD_WHOLE) {
		if (seen & PP_HEAD_UNREAD)
			c->flags |= PP_HISTORY_UNREAD;
		else if (seen & PP_HEAD_BODY)
			return (history_read_body(nb, real));
	}
	return (real(nb));
}

static int
history_called(struct netbuf *nb)
{
	return (pp_history_shut(nb->owner)
		? pp_marks_real_header_recv(nb)
		: pp_history_recv(nb, pp_marks_real_header_recv));
}

void
pp_history_follow(const struct epoll_event *event, int count)
{
	struct connection *c;
	struct kore_event *kore;

	for (; count > 0; event++, count--) {
		kore = event->data.ptr;
		if (kore == NULL || kore->type != KORE_TYPE_CONNECTION ||
		    kore->handle != kore_connection_event)
			continue;
		c = event->data.ptr;
		if (c->rnb != NULL && c->rnb->cb == pp_marks_real_header_recv)
			c->rnb->cb = history_called;
	}
}
