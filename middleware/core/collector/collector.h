/*
 * The program pprof-collector: private to collector/.
 *
 * One process for a service, started by the parent by fork and exec. main.c is
 * the life of the program, loop.c its one loop, packet.c and reply.c are its
 * messages, listener.c is its listener.
 *
 * Rule: one thread. The program trusts neither the arena nor a packet, and
 * never waits for a worker.
 */
#ifndef PP_COLLECTOR_COLLECTOR_H
#define PP_COLLECTOR_COLLECTOR_H

#include "base/wire.h"
#include "service/service.h"
#include "store/arena.h"
#include "symbol/symbols.h"

struct pp_listener;
struct pp_client;

/* A request that waits for its deadline. */
struct pp_pending {
	struct pp_task *task;	  /* NULL: the place is free */
	struct pp_client *client; /* the listener's; NULL: a worker's request */
	int fd; /* hangs up: the reply socket, or the client's socket */
};

/* A request whose body is on the way; see body.c. */
struct pp_incoming {
	char *body; /* NULL: the place is free */
	uint32_t body_len, got;
	char *packet; /* the request, as it came */
	size_t len;
	int fd; /* its reply socket */
	int64_t until;
};

struct pp_collector {
	int socket; /* shared with all workers and the parent */
	int epoll;
	struct pp_arena *arena;
	size_t arena_size; /* as it was when it was mapped */
	struct pp_service *service;
	struct pp_symbols *symbols;
	struct pp_listener *listener; /* NULL: there is none */
	uint32_t waiting;	      /* places in use */
	struct pp_pending pending[PP_REQUESTS_MAX];
	struct pp_incoming incoming[PP_BODIES_MAX];
	uint64_t refused;  /* packets that were no message of ours */
	uint64_t unsafe;   /* files that the workers could cut short */
	uint64_t roomless; /* packets that came when no descriptor was free */
	int spare;	   /* a descriptor in reserve; -1: none yet */
	union {
		struct pp_wire_request request;
		struct pp_wire_object object;
		struct pp_wire_proc proc;
		char bytes[PP_WIRE_PACKET_MAX];
	} packet;
};

/* What the command line says. */
struct pp_collector_options {
	int arena;
	int socket;
	int facts;
	int listen;	  /* -1: no listener */
	const char *user; /* NULL: stay who we are */
	const char *root; /* NULL: stay where we are */
	long parent;	  /* 0: not checked */
};

/*
 * Read the command line. Returns 0 to go on, or -1 when the program is to end
 * with *status (after --help, --version, or a log line on a mistake).
 */
int pp_collector_options(int argc, char **argv,
    struct pp_collector_options *out, int *status);

/* One line to stderr. */
void pp_collector_log(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * Count, and log at 1, 2, 4, 8...: a worker that sends bad packets shall not
 * fill the log.
 */
void pp_collector_report(uint64_t *count, const char *what);

/* The files of all objects that the parent has loaded. */
struct pp_files {
	uint32_t used;
	struct pp_object object[PP_OBJECTS_MAX];
	struct pp_symbols_found found[PP_OBJECTS_MAX];
};

/*
 * Open the files, by the facts that the parent has handed over, and read
 * nothing: this is called before rights are given up. NULL: out of memory.
 */
struct pp_files *pp_collector_reach(int facts);

/* Open the debug files, whose names another process reads from the files. */
void pp_collector_links(struct pp_files *files, const char *user,
    const char *root);

/*
 * Read the files and hand them to the symbolizer, after rights are given up.
 * Frees `files`.
 */
void pp_collector_know(struct pp_files *files, struct pp_symbols *symbols);

/* Become `user` and enter `root`, as a Kore worker does. Returns 0, or -1
 * after a log line. */
int pp_collector_drop(const char *user, const char *root);

/*
 * Allow only the system calls on the list in confine.c from here on; with
 * `listener`, also those of an HTTP server. Returns 0, or -1 after a log line.
 */
int pp_collector_sandbox(int listener);

/* Answer requests until the other side of the socket has closed. Returns 0
 * then, or -1 after a log line. */
int pp_collector_run(struct pp_collector *c);

/* Take one packet from the socket. Returns 1 when there was one, 0 when there
 * is none now, -1 when the other side may have closed, -2 after a log line when
 * there never will be one. */
int pp_collector_packet(struct pp_collector *c);

/*
 * The request of `len` bytes in c->packet, which has been checked, will have a
 * body. Takes `reply`, and returns 0; or -1: the body is longer than any body
 * may be.
 */
int pp_collector_body(struct pp_collector *c, size_t len, uint32_t body_len,
    int reply);

/*
 * Bytes have come for the body in that place. Returns 1 when the body is whole:
 * the place is free, and its content is the caller's.
 */
int pp_collector_body_piece(struct pp_collector *c, uint32_t place,
    struct pp_incoming *whole);

/*
 * Take what has come for a body; if the body is whole, serve its request. In
 * packet.c.
 */
void pp_collector_piece(struct pp_collector *c, uint32_t place);

/* Give up the bodies that are late. Returns when the next body will be late. */
int64_t pp_collector_bodies(struct pp_collector *c, int64_t now);

/*
 * Serve the request of `len` bytes in c->packet, with the request's body or
 * NULL. Takes `reply` and returns 0; or -1: the packet is no request.
 */
int pp_collector_request(struct pp_collector *c, size_t len, int reply,
    const char *body);

/*
 * Keep a request until its deadline. `fd` is the request's reply socket; with
 * `client` it is the client's socket, which stays the client's and is watched
 * for `events` besides its end. Takes the task and a reply socket. Returns -1
 * if there is no room; then task and socket are still the caller's.
 */
int pp_collector_keep(struct pp_collector *c, struct pp_task *task,
    struct pp_client *client, int fd, uint32_t events);

/* The answer if pp_collector_keep() has no room: a sentence says so. */
void pp_collector_full(struct pp_answer *answer);

/*
 * Send an answer and close `reply`; frees the answer. If the answer cannot be
 * sent, it is dropped: the closed socket tells the worker.
 */
void pp_collector_reply(int reply, struct pp_answer *answer);

#endif
