/*
 * See history.h.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <sys/epoll.h>

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/often.h"
#include "kore/adapter.h"
#include "kore/routes/history.h"

PP_OFTEN_DATA int (*pp_arrive_real_header_recv)(struct netbuf *);

/* On which connection Kore reads now. */
PP_OFTEN_DATA static const struct connection *reading;

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

/* Kore reads no body of these. */
static int
history_has_no_body(const struct http_request *req)
{
	return (req->http_body_length == 0);
}

/* A header that says that a body follows. Kore takes the first length. */
static __attribute__((noinline)) unsigned int
history_body(const struct http_request *req, const struct http_header *header,
    int *lengths)
{
	if (strcasecmp(header->header, "transfer-encoding") == 0)
		return (PP_HISTORY_UNREAD);
	if (strcasecmp(header->header, "content-length") != 0 ||
	    header->value[strspn(header->value, "0")] == '\0')
		return (0);
	return (
	    history_has_no_body(req) || ++*lengths > 1 ? PP_HISTORY_UNREAD : 0);
}

/* What this request makes of its connection. */
static inline __attribute__((always_inline)) unsigned int
history_of(const struct http_request *req, int first)
{
	const struct http_header *header;
	unsigned int seen = 0;
	int count = 2, lengths = 0;
	const char *name;

	TAILQ_FOREACH(header, &req->req_headers, list) {
		name = header->header;
		/* Most are told by a letter. Behind a name is its value. */
		if ((name[0] | 0x20) == 't' ||
		    ((name[0] | 0x20) == 'c' && (name[3] | 0x20) == 't'))
			seen |= history_body(req, header, &lengths);
		if (first && pp_allow_is_proxys(&pp_kore.allow, name))
			seen |= PP_HISTORY_REMOTE;
		count++;
	}
	/* There may have been more, of either kind. */
	if (count >= PP_HISTORY_LINES)
		seen |= first ? PP_HISTORY_REMOTE : PP_HISTORY_UNREAD;
	return (seen);
}

static __attribute__((noinline)) unsigned int
history_meet(const struct connection *c, const struct http_request *req)
{
	/* Remote for good; or everybody may ask, and nobody looks. */
	if (pp_kore.allow.any ||
	    !pp_allow_peer(&pp_kore.allow, pp_history_peer(c)))
		return (PP_HISTORY_REMOTE);
	return (history_of(req, 1));
}

PP_OFTEN int
pp_history_recv(struct netbuf *nb, int (*real)(struct netbuf *))
{
	struct connection *c = nb->owner;
	struct http_request **end = c->http_requests.tqh_last, *req;
	unsigned int seen;
	int result;

	/* It has answered a request by a redirect, whose body this may be. */
	if (__builtin_expect(reading == c, 0))
		c->flags |= PP_HISTORY_UNREAD;
	reading = c;
	result = real(nb);
	reading = NULL;
	req = pp_history_newest(c, end);
	if (req == NULL) {
		/* What is not answered is not whole yet; after an error Kore
		 * hangs up. */
		if (nb->s_off == 0)
			c->flags |= PP_HISTORY_UNREAD;
		return (result);
	}
	/* Kore answers it and hangs up: nothing comes behind it. */
	if ((req->flags & HTTP_VERSION_1_0) && history_has_no_body(req))
		return (result);
	seen = c->flags & PP_HISTORY_MET ? history_of(req, 0)
					 : history_meet(c, req);
	c->flags |= (u_int16_t)(seen | PP_HISTORY_MET);
	return (result);
}

static int
history_called(struct netbuf *nb)
{
	return (pp_history_shut(nb->owner)
		? pp_arrive_real_header_recv(nb)
		: pp_history_recv(nb, pp_arrive_real_header_recv));
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
		if (c->rnb != NULL && c->rnb->cb == pp_arrive_real_header_recv)
			c->rnb->cb = history_called;
	}
}
