/*
 * See history.h.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <sys/epoll.h>

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/hot_path.h"
#include "kore/adapter.h"
#include "kore/routes/history.h"

PP_HOT_PATH_DATA int (*pp_history_real_header_recv)(struct netbuf *);

/* The connection on which Kore reads now, or NULL. */
PP_HOT_PATH_DATA static const struct connection *reading;

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

PP_HOT_PATH struct http_request *
pp_history_newest(struct connection *c, struct http_request **end)
{
	if (c->http_requests.tqh_last == end || TAILQ_EMPTY(&c->http_requests))
		return (NULL);
	return (
	    (struct http_request *)(void *)((char *)c->http_requests.tqh_last -
		offsetof(struct http_request, olist.tqe_next)));
}

/* Returns 1 if Kore reads no body for this request. */
static int
history_has_no_body(const struct http_request *req)
{
	return (req->http_body_length == 0);
}

/* PP_HISTORY_UNREAD if the header says that a body follows which Kore does not
 * read as such, else 0. If there are two lengths, Kore takes the first one. */
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

/* The bits that this request adds to its connection. */
static inline __attribute__((always_inline)) unsigned int
history_of(const struct http_request *req, int first)
{
	const struct http_header *header;
	unsigned int seen = 0;
	int count = 2, lengths = 0;
	const char *name;

	TAILQ_FOREACH(header, &req->req_headers, list) {
		name = header->header;
		/* A letter or two rule out most names. A short name is followed
		 * by its value in memory, so name[3] may be read. */
		if ((name[0] | 0x20) == 't' ||
		    ((name[0] | 0x20) == 'c' && (name[3] | 0x20) == 't'))
			seen |= history_body(req, header, &lengths);
		if (first && pp_allow_is_proxys(&pp_kore.allow, name))
			seen |= PP_HISTORY_REMOTE;
		count++;
	}
	/* Kore may have dropped further lines, of either kind. */
	if (count >= PP_HISTORY_LINES)
		seen |= first ? PP_HISTORY_REMOTE : PP_HISTORY_UNREAD;
	return (seen);
}

static __attribute__((noinline)) unsigned int
history_meet(const struct connection *c, const struct http_request *req)
{
	/* This peer may never ask; or anybody may ask, and nobody looks. */
	if (pp_kore.allow.any ||
	    !pp_allow_peer(&pp_kore.allow, pp_history_peer(c)))
		return (PP_HISTORY_REMOTE);
	return (history_of(req, 1));
}

PP_HOT_PATH int
pp_history_recv(struct netbuf *nb, int (*real)(struct netbuf *))
{
	struct connection *c = nb->owner;
	struct http_request **end = c->http_requests.tqh_last, *req;
	unsigned int seen;
	int result;

	/* Kore has answered a request by a redirect and reads on within that
	 * call: these bytes may be the body of that request. */
	if (__builtin_expect(reading == c, 0))
		c->flags |= PP_HISTORY_UNREAD;
	reading = c;
	result = real(nb);
	reading = NULL;
	req = pp_history_newest(c, end);
	if (req == NULL) {
		/* If Kore has taken all bytes and kept no request, a body may
		 * follow. Otherwise the head is not complete yet, or it had an
		 * error, after which Kore hangs up. */
		if (nb->s_off == 0)
			c->flags |= PP_HISTORY_UNREAD;
		return (result);
	}
	/* Kore answers this request and hangs up: nothing comes after it. */
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
		? pp_history_real_header_recv(nb)
		: pp_history_recv(nb, pp_history_real_header_recv));
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
		if (c->rnb != NULL && c->rnb->cb == pp_history_real_header_recv)
			c->rnb->cb = history_called;
	}
}
