/*
 * What listener.c (the server, its clients and their time), listener_accept.c
 * (new clients), listener_request.c (one request and its answer) and
 * listener_wait.c (who waits) share. No other file includes this header.
 */
#ifndef PP_COLLECTOR_LISTENER_PRIVATE_H
#define PP_COLLECTOR_LISTENER_PRIVATE_H

#include <sys/queue.h>

#include <microhttpd.h>

#include "collector/listener.h"

enum pp_client_state {
	PP_CLIENT_READS, /* idle, or its request is on the way */
	PP_CLIENT_WAITS, /* suspended until its answer is due */
	PP_CLIENT_SENDS, /* the answer is on the way */
	PP_CLIENT_ENDS,	 /* shut down, the server will notice */
	PP_CLIENT_STATES
};

/* How long a client waits: not at all, or by the classes of base/limits.h. */
enum pp_patience {
	PP_WAITS_NOT,
	PP_WAITS_A_MOMENT,
	PP_WAITS_A_WHILE,
	PP_WAITS_LONG,
	PP_PATIENCES
};

/* A client's connection. */
struct pp_client {
	TAILQ_ENTRY(pp_client) list; /* of its state, longest in it first */
	struct pp_listener *listener;
	struct MHD_Connection *connection;
	int fd;
	enum pp_client_state state;
	int64_t since_ns;
	int gone; /* 1: it hung up while it waited */
	enum pp_patience patience;
	int interim; /* 1: it may be sent an answer before the answer */
	enum pp_history history;

	/* The request that is read. */
	char *uri;     /* as asked; NULL: too long, or out of memory */
	int headed;    /* 1: the headers have been looked at */
	int large;     /* 1: the body is more than is allowed */
	uint64_t came; /* bytes of the body so far */
	struct pp_buf body;
	struct pp_answer answer; /* status 0: none yet */
	uint64_t sends;		 /* bytes of the memory file that is sent */
};

TAILQ_HEAD(pp_clients, pp_client);

/* Room for clients that are shut down, too: they leave a moment later. */
#define PP_LISTENER_ROOM (2 * PP_CLIENTS_MAX)

struct pp_listener {
	struct MHD_Daemon *daemon;
	struct pp_collector *c;
	struct pp_allow allow;
	int listen;
	int epoll;	       /* over the socket and the daemon's own */
	int64_t again;	       /* when clients are accepted again; 0: now */
	int64_t pause;	       /* the last pause */
	uint64_t refused;      /* pauses that began */
	uint64_t unread;       /* clients that may not be read from */
	uint32_t clients_held; /* connections, also those shut down */
	uint32_t count;
	uint32_t waiting[PP_PATIENCES]; /* of them, so long and longer */
	int resumed;			/* 1: a suspended client may go on */
	int64_t next; /* when the next client will be too slow */
	struct pp_clients clients[PP_CLIENT_STATES];
};

/*
 * From now on the client is in the given state, and its wait is over. In
 * listener_client.c.
 */
void pp_client_enter(struct pp_client *client, enum pp_client_state state);

/*
 * From now on the client counts in the given class of waiting clients, until it
 * enters another state.
 */
void pp_client_waits(struct pp_client *client, enum pp_patience patience);

/* Watch for clients. Returns 0, or -1. In listener_accept.c. */
int pp_listener_watch(struct pp_listener *listener);

/* Accept the clients that are there; during a pause accept none. */
void pp_listener_accept(struct pp_listener *listener, int64_t now);

/*
 * Wait until the task is due. Returns 0; or -1, with an answer that says why
 * the client cannot wait, and the task is freed. In listener_wait.c.
 */
int pp_client_wait(struct pp_client *client, struct pp_task *task);

/* libmicrohttpd's callbacks for one request. */
void *pp_client_uri(void *listener, const char *uri, struct MHD_Connection *c);
enum MHD_Result pp_client_request(void *listener, struct MHD_Connection *c,
    const char *url, const char *method, const char *version, const char *data,
    size_t *len, void **unused);
void pp_client_completed(void *listener, struct MHD_Connection *c,
    void **unused, enum MHD_RequestTerminationCode why);

/* Forget the request, in whatever state it is. */
void pp_client_forget(struct pp_client *client);

#endif
