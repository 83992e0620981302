/*
 * The access rule: who may ask. All fronts (the route in Kore, the collector's
 * own listener) share it. A front fills in what it knows of a request (struct
 * pp_asked) and gives each header to pp_allow_asked_header(); pp_allow_asked()
 * then says why the request is refused, or that the request is allowed. The
 * options of the rule are parsed in allow_options.c. Nothing here answers or
 * logs.
 *
 *     PPROF_ALLOW=loopback            127.0.0.0/8, ::1, unix sockets (default)
 *     PPROF_ALLOW=10.0.0.0/8,::1/128  these networks, and unix sockets
 *     PPROF_ALLOW=any                 everybody
 *     PPROF_HOSTS=dev.example         names that a Host header may have
 *     PPROF_SETTINGS=0                nobody changes rates over HTTP
 *
 * In four cases a peer's address proves nothing, and the rule looks for each: a
 * proxy speaks for others; a web page speaks through somebody's browser, either
 * under a host name that points to this machine or as another site; and the
 * bytes may belong to a body that nobody has read.
 *
 * Rule: pure functions without allocation, for any thread; only
 * pp_allow_environment() reads the environment. None is for a signal handler.
 */
#ifndef PP_BASE_ALLOW_H
#define PP_BASE_ALLOW_H

#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

#define PP_ALLOW_NETS_MAX  32
#define PP_ALLOW_HOSTS_MAX 32
#define PP_ALLOW_HOST_MAX  253 /* the longest name that DNS has */

struct pp_allow {
	int any;
	int settings; /* 1: rates may be changed over HTTP */
	unsigned int nets;
	struct {
		uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
		uint8_t bits;	     /* 0..128 */
	} net[PP_ALLOW_NETS_MAX];
	/* Indexed by the first letter of a name in pp_allow_proxies, one bit
	 * for each second letter: this word alone excludes most other names. */
	uint32_t begins[32];
	unsigned int hosts;
	char host[PP_ALLOW_HOSTS_MAX][PP_ALLOW_HOST_MAX + 1];
};

/* Names of headers that a proxy adds. A name that ends in '*' stands for all
 * names with that beginning. NULL ends the list. */
extern const char *const pp_allow_proxies[];

/* What a connection has carried before, as bits. Kore keeps them in a word of
 * the connection (kore/routes/history.c). */
enum pp_history {
	PP_HISTORY_MET = 0x1000,    /* the first request has been examined */
	PP_HISTORY_REMOTE = 0x2000, /* the first request came through a proxy */
	PP_HISTORY_UNREAD = 0x4000  /* a request had a body that nobody reads */
};

/* A request, as the rule sees it. The front sets the fields above the line and
 * all others to 0. */
struct pp_asked {
	const struct sockaddr *peer; /* AF_UNIX: whoever may open the socket */
	enum pp_method method;
	int index;		 /* 1: the request is for the index page */
	int full;		 /* 1: more header lines may have been lost */
	enum pp_history history; /* of the connection, with this request */
	/* --- */
	const char *host, *origin; /* the last of each; NULL: none */
	unsigned int seen;	   /* private to allow.c */
};

/* Takes a header in. `value` stays the caller's and must live as long as
 * `asked`. */
void pp_allow_asked_header(struct pp_asked *asked, const struct pp_allow *allow,
    const char *name, const char *value);

/* If the front sees every request of a connection and reads every body: the
 * bits that it has to remember of the connection from now on. */
enum pp_history pp_allow_asked_history(const struct pp_asked *asked);

enum pp_refusal {
	PP_REFUSED_NOT,
	PP_REFUSED_PEER,
	PP_REFUSED_PROXY,
	PP_REFUSED_FULL,
	PP_REFUSED_HISTORY,
	PP_REFUSED_BODY,
	PP_REFUSED_HOST,
	PP_REFUSED_SITE,
	PP_REFUSED_ORIGIN,
	PP_REFUSALS
};

/* One sentence for the client, for each reason but PP_REFUSED_NOT (NULL). */
extern const char *const pp_allow_refusals[PP_REFUSALS];

/* The first reason to refuse the request; PP_REFUSED_NOT: there is none. */
enum pp_refusal pp_allow_asked(const struct pp_allow *allow,
    const struct pp_asked *asked);

/* Returns 1 if the peer's address alone would be allowed, else 0. */
int pp_allow_peer(const struct pp_allow *allow, const struct sockaddr *peer);

/* Returns 1 if a proxy adds the header `name`, else 0. Slow: call
 * pp_allow_is_proxys(), which excludes most names first. */
int pp_allow_names_proxy(const char *name);

static inline int
pp_allow_is_proxys(const struct pp_allow *allow, const char *name)
{
	uint32_t seconds = allow->begins[name[0] & 31];

	return (seconds != 0 && (seconds >> (name[1] & 31) & 1) != 0 &&
	    pp_allow_names_proxy(name));
}

/* Returns 1 if `host`, the value of a Host header, is an address, localhost or
 * a name of PPROF_HOSTS, else 0. No foreign web page can have such a name. */
int pp_allow_host(const struct pp_allow *allow, const char *host);

/* allow_options.c: parses the texts of the three options; NULL and "" stand for
 * an option's default. Returns 0, or -1 with a sentence for the operator in
 * `why` (`room` bytes, terminated) that names the bad word. */
int pp_allow_parse(struct pp_allow *allow, const char *nets, const char *hosts,
    const char *settings, char *why, size_t room);

/* The same, with the texts of the environment. Not thread-safe: getenv(). */
int pp_allow_environment(struct pp_allow *allow, char *why, size_t room);

/* Writes the 4 bytes of an IPv4 address as ::ffff:a.b.c.d. */
void pp_allow_map_ipv4(uint8_t out[16], const void *in);

#endif
