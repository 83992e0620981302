/*
 * What a connection has carried before (base/allow.h), kept by Kore itself: in
 * bits of struct connection's flags that Kore does not use and clears when it
 * accepts the next one.
 *
 * Followed where Kore reads the head of a request. So it sees each one, also
 * those that have no handler of this module's.
 *
 * Rule: the event loop's thread only. A connection that is to be given no
 * profile costs one test of a bit.
 */
#ifndef PP_KORE_ROUTES_HISTORY_H
#define PP_KORE_ROUTES_HISTORY_H

#include <kore/kore.h>
#include <kore/http.h>

#include "base/allow.h"

#define PP_HISTORY_ALL (PP_HISTORY_MET | PP_HISTORY_REMOTE | PP_HISTORY_UNREAD)
/* Lines that Kore keeps of a request, the first one and Host among them; what
 * has so many may have had more. */
#define PP_HISTORY_LINES (HTTP_REQ_HEADER_MAX - 1)

_Static_assert((PP_HISTORY_ALL &
		   (CONN_IDLE_TIMER_ACT | CONN_CLOSE_EMPTY |
		       CONN_WS_CLOSE_SENT | CONN_IS_BUSY |
		       CONN_LOG_TLS_FAILURE | CONN_TLS_ALPN_ACME_SEEN |
		       CONN_TLS_SNI_SEEN)) == 0,
    "bits that Kore itself uses");

/* Nothing that comes on it is given a profile, and nothing need be looked
 * at. */
static inline int
pp_history_shut(const struct connection *c)
{
	return ((c->flags & (PP_HISTORY_REMOTE | PP_HISTORY_UNREAD)) != 0);
}

/* Let Kore read what has come by `real`, and look at what it was. */
int pp_history_recv(struct netbuf *nb, int (*real)(struct netbuf *));

/* Who is at the other end; a unix socket's has no name. */
const struct sockaddr *pp_history_peer(const struct connection *c);

/* The new request at the end of the connection's list, which ended at `end`
 * before; NULL: there is none. */
struct http_request *pp_history_newest(struct connection *c,
    struct http_request **end);

/* Where Kore's own function cannot be followed by its entry: follow what comes
 * on these connections, just before Kore reads it. */
struct epoll_event;
void pp_history_follow(const struct epoll_event *event, int count);

#endif
