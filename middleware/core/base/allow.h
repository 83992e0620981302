/*
 * Who may ask. One rule for all fronts: a front fills in what it knows of a
 * request (struct pp_asked), gives each header to pp_asked_header(), and
 * pp_allow_asked() says why it is refused, or that it is not. The options
 * that it goes by are read in allow_options.c.
 *
 *     PPROF_ALLOW=loopback            127.0.0.0/8, ::1, unix sockets (the default)
 *     PPROF_ALLOW=10.0.0.0/8,::1/128  these networks, and unix sockets
 *     PPROF_ALLOW=any                 everybody
 *     PPROF_HOSTS=dev.example         names that a Host header may have
 *     PPROF_SETTINGS=0                nobody changes rates over HTTP
 *
 * Four things make a peer's address worth nothing, and each is looked for: a
 * proxy speaks for others; a web page speaks through somebody's browser, to
 * a name that it has pointed here or as another site; and the bytes may be
 * those of a body that nobody has read.
 *
 * Rule: pure functions, no allocation.
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
	/* For each first letter of pp_allow_proxies a bit for each second one:
	 * most names are told from all of these by it. */
	uint32_t begins[32];
	unsigned int hosts;
	char host[PP_ALLOW_HOSTS_MAX][PP_ALLOW_HOST_MAX + 1];
};

/* Names of headers that a proxy adds; one that ends in '*' stands for all that
 * begin so. NULL at the end. */
extern const char *const pp_allow_proxies[];

/* What a connection has carried before, as bits; what they are called where
 * Kore keeps them is Kore's, see kore/routes/history.c. */
enum pp_history {
	PP_HISTORY_MET = 0x1000,    /* its first request has been looked at */
	PP_HISTORY_REMOTE = 0x2000, /* which came through a proxy */
	PP_HISTORY_UNREAD = 0x4000  /* a body that is not read as one */
};

/* A request, as the rule sees it. The front sets what is above the line, with
 * all else 0. */
struct pp_asked {
	const struct sockaddr *peer; /* AF_UNIX: whoever may open the socket */
	enum pp_method method;
	int index;		 /* 1: it is for the index page */
	int full;		 /* 1: more header lines may have been lost */
	enum pp_history history; /* of its connection, with this request */
	/* --- */
	const char *host, *origin; /* the last of each; NULL: none */
	unsigned int seen;	   /* private to allow.c */
};

/* Take a header in; the value has to live as long as `asked`. */
void pp_asked_header(struct pp_asked *asked, const struct pp_allow *allow,
    const char *name, const char *value);

/* What is to be known of its connection from now on, where the front sees every
 * request and reads every body. */
enum pp_history pp_asked_history(const struct pp_asked *asked);

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

/* One sentence for whoever asked, of each but the first. */
extern const char *const pp_refusals[PP_REFUSALS];

enum pp_refusal pp_allow_asked(const struct pp_allow *allow,
    const struct pp_asked *asked);

/* Is the peer one who may ask, if he asks himself? */
int pp_allow_peer(const struct pp_allow *allow, const struct sockaddr *peer);

/* Is it the name of a header that a proxy adds? Only for what begins so. */
int pp_allow_names_proxy(const char *name);

static inline int
pp_allow_is_proxys(const struct pp_allow *allow, const char *name)
{
	uint32_t seconds = allow->begins[name[0] & 31];

	return (seconds != 0 && (seconds >> (name[1] & 31) & 1) != 0 &&
	    pp_allow_names_proxy(name));
}

/* Can a Host header with that value have come from no page but one of the host
 * itself: an address, localhost, or a name of PPROF_HOSTS? */
int pp_allow_host(const struct pp_allow *allow, const char *host);

/* allow_options.c: the three options, each NULL or "" for its default. Returns
 * 0, or -1 with a sentence for the operator in `why` that names the bad
 * word. */
int pp_allow_parse(struct pp_allow *allow, const char *nets, const char *hosts,
    const char *settings, char *why, size_t room);

/* The same from the environment. */
int pp_allow_environment(struct pp_allow *allow, char *why, size_t room);

/* IPv4 as IPv6 writes it. */
void pp_allow_map_ipv4(uint8_t out[16], const void *in);

#endif
