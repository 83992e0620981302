/*
 * Who may ask: PPROF_ALLOW, parsed, and the question whether a peer is in it.
 *
 *     loopback            127.0.0.0/8, ::1 and unix sockets (the default)
 *     any                 everybody
 *     10.0.0.0/8,::1/128  these networks, and unix sockets
 *
 * A request that came through a proxy (it says so by a Forwarded or
 * X-Forwarded-For or X-Real-IP header) has a peer that nobody can vouch for:
 * it is allowed by "any" alone.
 *
 * Rule: pure functions, no allocation.
 */
#ifndef PP_BASE_ALLOW_H
#define PP_BASE_ALLOW_H

#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

#define PP_ALLOW_NETS_MAX 32

struct pp_allow {
	int any;
	unsigned int nets;
	struct {
		uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
		uint8_t bits;	     /* 0..128 */
	} net[PP_ALLOW_NETS_MAX];
};

/* Header names that mark a request as forwarded, NULL at the end. */
extern const char *const pp_allow_forwarded[];

/*
 * Parse `text`; NULL or "" gives the default. Returns 0, or -1 with a
 * sentence for the operator in `why` that names the bad word.
 */
int pp_allow_parse(struct pp_allow *allow, const char *text, char *why,
    size_t room);

/* 1 when a peer at `address` may ask. `forwarded`: the request carries one of
 * the headers above. */
int pp_allow_peer(const struct pp_allow *allow, const struct sockaddr *address,
    int forwarded);

#endif
