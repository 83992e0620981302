/*
 * The address of the collector's own listener: PPROF_LISTEN, parsed.
 *
 *     127.0.0.1:6061   localhost:6061   [::1]:6061   unix:/run/service.sock
 *
 * Not the socket itself: the parent makes it (kore/start/bind.c), the collector
 * serves it (collector/listener.c).
 *
 * Rule: pure functions, no allocation, no look-up of names.
 */
#ifndef PP_BASE_LISTEN_H
#define PP_BASE_LISTEN_H

#include <sys/socket.h>
#include <sys/un.h>

#include <netinet/in.h>
#include <stddef.h>

struct pp_listen {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un un;
	} address;
	socklen_t len;
	int local; /* 1: nobody outside of this machine can reach it */
};

/* Parses `text`. Returns 0, or -1 with a sentence for the operator in `why`
 * (`room` bytes, terminated) that quotes the text. */
int pp_listen_parse(struct pp_listen *listen, const char *text, char *why,
    size_t room);

#endif
