/*
 * The history of a connection (base/allow.h): what it has carried before. The
 * history is kept in bits of struct connection's flags that Kore does not use,
 * and clears when it accepts the next connection.
 *
 * The history is written where Kore reads the head of a request. So each
 * request is seen, also those for handlers of the application.
 *
 * Rule: the event loop's thread only. A connection that gets no profile any
 * more costs one test of a bit.
 */
#ifndef PP_KORE_ROUTES_HISTORY_H
#define PP_KORE_ROUTES_HISTORY_H

#include <kore/kore.h>
#include <kore/http.h>

#include "base/allow.h"

#define PP_HISTORY_ALL (PP_HISTORY_MET | PP_HISTORY_REMOTE | PP_HISTORY_UNREAD)
/* How many lines Kore keeps of a request, the first one and Host among them. A
 * request that has so many may have had more. */
#define PP_HISTORY_LINES (HTTP_REQ_HEADER_MAX - 1)

_Static_assert((PP_HISTORY_ALL &
		   (CONN_IDLE_TIMER_ACT | CONN_CLOSE_EMPTY |
		       CONN_WS_CLOSE_SENT | CONN_IS_BUSY |
		       CONN_LOG_TLS_FAILURE | CONN_TLS_ALPN_ACME_SEEN |
		       CONN_TLS_SNI_SEEN)) == 0,
    "bits that Kore itself uses");

/* Returns 1 if no request of this connection gets a profile any more, so that
 * none need be looked at. */
static inline int
pp_history_shut(const struct connection *c)
{
	return ((c->flags & (PP_HISTORY_REMOTE | PP_HISTORY_UNREAD)) != 0);
}

/* Let Kore read by `real` what has come, and write the history of what was
 * read. Returns the result of `real`. */
int pp_history_recv(struct netbuf *nb, int (*real)(struct netbuf *));

/* The address of the other end. On a unix socket it has only a family. Valid
 * while the connection lives. */
const struct sockaddr *pp_history_peer(const struct connection *c);

/* The new request at the end of the connection's list, which ended at `end`
 * before; NULL: there is none. */
struct http_request *pp_history_newest(struct connection *c,
    struct http_request **end);

/* If Kore's own function cannot be followed by its entry, this follows what
 * comes on the connections of these events, just before Kore reads it. */
struct epoll_event;
void pp_history_follow(const struct epoll_event *event, int count);

#endif
