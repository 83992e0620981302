/*
 * A long answer is sent in several turns of the event loop. Kore writes a
 * stream until the socket is full. A reader on the same machine empties the
 * socket as fast, and other requests would wait until all is sent (12 ms for
 * 6 MB). Here one turn sends PART bytes.
 *
 * Kore calls a connection's `write` for each piece. Our function behaves after
 * PART bytes as if the socket were full, and asks for the event that says that
 * the socket has room.
 *
 * Rule: the event loop's thread only. A stream owns its mapping.
 */
#include <kore/kore.h>
#include <kore/http.h>

#include <sys/mman.h>

#include "kore/adapter.h"

#define PART ((size_t)256 << 10)

struct stream {
	void *body;
	size_t len;
	size_t left; /* bytes that this turn may still send */
	int (*write)(struct connection *, size_t, size_t *);
};

static int stream_sent(struct netbuf *);

/* The first stream of the connection, not counting that of `but`, or NULL. */
static struct stream *
stream_of(struct connection *c, const struct netbuf *but)
{
	struct netbuf *nb;

	TAILQ_FOREACH(nb, &c->send_queue, list) {
		if (nb != but && nb->cb == stream_sent)
			return (nb->extra);
	}
	return (NULL);
}

/* The connection's `write` while the connection has a stream. */
static int
stream_write(struct connection *c, size_t len, size_t *written)
{
	struct stream *s = stream_of(c, NULL);

	if (s->left < len) {
		s->left = PART;
		c->evt.flags &= ~KORE_EVENT_WRITE;
		kore_platform_event_all(c->fd, c);
		return (KORE_RESULT_OK);
	}
	s->left -= len;
	return (s->write(c, len, written));
}

/* Kore calls this when all is sent, or when the connection ends before. */
static int
stream_sent(struct netbuf *nb)
{
	struct stream *s = nb->extra;

	if (stream_of(nb->owner, nb) == NULL)
		nb->owner->write = s->write;
	(void)munmap(s->body, s->len);
	kore_free(s);
	return (KORE_RESULT_OK);
}

void
pp_stream_respond(struct http_request *req, int status, void *body, size_t len)
{
	struct connection *c = req->owner;
	struct stream *s, *before;

	if (c == NULL) {
		(void)munmap(body, len);
		return;
	}
	before = stream_of(c, NULL);
	s = kore_calloc(1, sizeof(*s));
	s->body = body;
	s->len = len;
	s->left = PART;
	s->write = before != NULL ? before->write : c->write;
	http_response_stream(req, status, body, len, stream_sent, s);
	c->write = stream_write;
}
