/*
 * What door.c (the server, its clients and their time), door_accept.c (new
 * clients), door_request.c (one request and its answer) and door_wait.c (who
 * waits) share. No other file includes this header.
 */
#ifndef PP_COLLECTOR_DOOR_PRIVATE_H
#define PP_COLLECTOR_DOOR_PRIVATE_H

#include <sys/queue.h>

#include <microhttpd.h>

#include "collector/door.h"

enum pp_visit_state {
	PP_VISIT_READS, /* idle, or its request is on the way */
	PP_VISIT_WAITS, /* suspended until its answer is due */
	PP_VISIT_SENDS, /* the answer is on the way */
	PP_VISIT_ENDS,	/* shut down, the server will notice */
	PP_VISIT_STATES
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
struct pp_visit {
	TAILQ_ENTRY(pp_visit) list; /* of its state, longest in it first */
	struct pp_door *door;
	struct MHD_Connection *connection;
	int fd;
	enum pp_visit_state state;
	int64_t since_ns;
	int gone; /* 1: it hung up while it waited */
	enum pp_patience patience;
	int interim; /* 1: it may be sent an answer before the answer */
	enum pp_history history;

	/* Of the request that is read. */
	char *uri;     /* as asked; NULL: too long, or out of memory */
	int headed;    /* 1: the headers have been looked at */
	int large;     /* 1: the body is more than is allowed */
	uint64_t came; /* bytes of it so far */
	struct pp_buf body;
	struct pp_answer answer; /* status 0: none yet */
	uint64_t sends;		 /* bytes of the memory file that is sent */
};

TAILQ_HEAD(pp_visits, pp_visit);

/* Clients that are shut down leave a moment later. */
#define PP_DOOR_ROOM (2 * PP_VISITS_MAX)

struct pp_door {
	struct MHD_Daemon *daemon;
	struct pp_collector *c;
	struct pp_allow allow;
	int listen;
	int epoll;	  /* over the socket and the daemon's own */
	int64_t again;	  /* when clients are taken again; 0: they are */
	int64_t rest;	  /* the pause before that */
	uint64_t refused; /* pauses that began */
	uint64_t unread;  /* taken, but reading is refused */
	uint32_t places;  /* in use, also by those shut down */
	uint32_t count;
	uint32_t waiting[PP_PATIENCES]; /* of these, so long and longer */
	int resumed;  /* 1: one that was suspended may go on */
	int64_t next; /* when the next client will have been too slow */
	struct pp_visits visits[PP_VISIT_STATES];
};

/*
 * From now on the client is in that state, and its wait is over. In
 * door_visit.c.
 */
void pp_visit_enter(struct pp_visit *visit, enum pp_visit_state state);

/*
 * From now on the client counts as waiting for that long, until it enters
 * another state.
 */
void pp_visit_waits(struct pp_visit *visit, enum pp_patience patience);

/* Watch for clients. Returns 0, or -1. In door_accept.c. */
int pp_door_listen(struct pp_door *door);

/* Accept the clients that are there; during a pause accept none. */
void pp_door_accept(struct pp_door *door, int64_t now);

/*
 * Wait until the task is due. Returns 0; or -1, with an answer that says why
 * the client cannot wait, and the task is freed. In door_wait.c.
 */
int pp_visit_wait(struct pp_visit *visit, struct pp_task *task);

/* libmicrohttpd's callbacks for one request. */
void *pp_visit_uri(void *door, const char *uri, struct MHD_Connection *c);
enum MHD_Result pp_visit_request(void *door, struct MHD_Connection *c,
    const char *url, const char *method, const char *version, const char *data,
    size_t *len, void **unused);
void pp_visit_completed(void *door, struct MHD_Connection *c, void **unused,
    enum MHD_RequestTerminationCode why);

/* Forget the request, in whatever state it is. */
void pp_visit_forget(struct pp_visit *visit);

#endif
