/*
 * The messages between a worker (or the parent) and the collector. Not HTTP:
 * the worker has parsed the request, and writes the answer.
 *
 * Workers and parent share one end of a SOCK_SEQPACKET pair, and the collector
 * has the other end. One message is one packet, and descriptors travel beside
 * the packet (SCM_RIGHTS). A request brings a socket of its own, on which the
 * answer comes back; if the worker closes that socket, the request is
 * cancelled.
 *
 *     worker ── struct pp_wire_request + path + query ──► collector
 *               fds: reply socket
 *     worker ── the body, if body_len > 0, in pieces ───► collector
 *               on the reply socket
 *     worker ◄── struct pp_wire_answer + header text ─── collector
 *               fds: sealed memfd with the body (when length > 0)
 *     worker or parent ── struct pp_wire_object ───────► collector
 *               fds: the object's file, open for reading
 *     worker ── struct pp_wire_proc ───────────────────► collector
 *               fds: its smaps_rollup, open for reading
 *
 *     parent ── struct pp_wire_wake ───────────────────► collector
 *
 * Rule: both sides check everything that they receive; neither side may crash
 * or wait because of the other. Both run on the same machine and come from the
 * same build: there is no byte order, and the version must be equal.
 */
#ifndef PP_BASE_WIRE_H
#define PP_BASE_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

#define PP_WIRE_VERSION 0x70700004U

enum pp_wire_kind {
	PP_WIRE_REQUEST = 1, /* worker to collector */
	PP_WIRE_OBJECT,	     /* worker or parent to collector */
	PP_WIRE_PROC,	     /* worker to collector */
	PP_WIRE_ANSWER,	     /* collector to worker */
	PP_WIRE_WAKE	     /* parent to collector */
};

/* Methods, as the service tells them apart. */
enum pp_method {
	PP_METHOD_GET,
	PP_METHOD_HEAD,
	PP_METHOD_POST,
	PP_METHOD_OTHER
};

struct pp_wire_request {
	uint32_t version;
	uint32_t kind;	     /* PP_WIRE_REQUEST */
	uint32_t method;     /* enum pp_method */
	uint32_t path_len;   /* of the text after the prefix: "", "/heap" */
	uint32_t query_len;  /* undecoded, without '?' */
	uint32_t body_len;   /* 0: none; else on the reply socket */
	uint32_t prefix_len; /* of the prefix, "/debug/pprof" */
	uint32_t match_len;  /* of the If-None-Match header; 0: none */
	uint32_t accept_len; /* of the Accept-Encoding header; 0: none */
	uint32_t marked;     /* 1: the request has the header "X-Pprof: 1" */
	/* prefix, path, query, match, accept follow, not terminated, without
	 * NUL */
};

struct pp_wire_object {
	uint32_t version;
	uint32_t kind; /* PP_WIRE_OBJECT */
	uint32_t build_id_len;
	uint32_t name_len;
	uint8_t build_id[PP_BUILD_ID_MAX];
	/* name follows */
};

/* A worker has started. The descriptor is its /proc/self/smaps_rollup, opened
 * before chroot and setuid; any process that has the descriptor may read the
 * file while the worker lives. */
struct pp_wire_proc {
	uint32_t version;
	uint32_t kind;	 /* PP_WIRE_PROC */
	uint32_t worker; /* 1.. */
	int32_t pid;
};

/* The collector shall read the arena now: a worker has died. */
struct pp_wire_wake {
	uint32_t version;
	uint32_t kind; /* PP_WIRE_WAKE */
};

struct pp_wire_answer {
	uint32_t version;
	uint32_t kind;	      /* PP_WIRE_ANSWER */
	uint32_t status;      /* HTTP */
	uint32_t headers_len; /* "name: value\n" lines follow */
	uint64_t body_len;    /* 0: no descriptor */
};

#define PP_WIRE_FDS_MAX 2
#define PP_WIRE_PACKET_MAX                                                     \
	(sizeof(struct pp_wire_request) + 2 * PP_REQUEST_PATH_MAX +            \
	    PP_REQUEST_QUERY_MAX + PP_REQUEST_MATCH_MAX +                      \
	    PP_REQUEST_ACCEPT_MAX)

/*
 * Sends one packet of `len` bytes (1 or more) with `nfds` descriptors
 * (0..PP_WIRE_FDS_MAX), which stay the caller's. Never waits. Returns 0, or -1
 * with errno (EAGAIN: the other side does not keep up; EPIPE: the other side is
 * gone; EINVAL). Thread-safe, async-signal-safe.
 */
int pp_wire_send(int sock, const void *packet, size_t len, const int *fds,
    int nfds);

/* Whether `error`, the errno of pp_wire_send(), says that nobody has the other
 * end any more. */
int pp_wire_gone(int error);

/*
 * Receives one packet into `packet`, which has `room` bytes. Never waits.
 * Returns the packet's length; 0 when the other side has closed (or has sent an
 * empty packet, which is no message of ours); -1 with errno (EAGAIN: there is
 * none; EMSGSIZE: the packet was longer than `room`, and is lost). Descriptors
 * come in fds[], and the rest of fds[] is -1. The caller owns the descriptors,
 * which are close-on-exec; those beyond PP_WIRE_FDS_MAX are closed.
 * Thread-safe.
 */
long pp_wire_recv(int sock, void *packet, size_t room,
    int fds[PP_WIRE_FDS_MAX]);

/*
 * Checks that the packet of `len` bytes is an answer of this build. Returns 0
 * with the packet's head in *answer and its header lines, terminated, in
 * `headers`, which has PP_ANSWER_HEADERS_MAX + 1 bytes; -1 when something makes
 * no sense. The caller checks that the descriptor holds body_len bytes.
 */
int pp_wire_answer(const void *packet, size_t len,
    struct pp_wire_answer *answer, char *headers);

/* Takes the first header off *lines: *name and *value are terminated in place,
 * and *lines moves behind them. Returns 0, or -1 when no header is left. */
int pp_wire_header(char **lines, char **name, char **value);

#endif
