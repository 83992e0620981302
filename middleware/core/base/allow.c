/*
 * The access rule itself; see allow.h. The options are parsed in
 * allow_options.c.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/allow.h"

/* docs/operations.md lists these names. A header that clients send on their own
 * account (X-Request-Id, traceparent) is not among them. */
const char *const pp_allow_proxies[] = { "Forwarded", "Forwarded-*", "Via",
	"X-Via", "X-Forwarded*", "X-Forward-*", "X-Forwarder-*", "X-Original-*",
	"X-Originating-*", "X-Real-*", "X-Remote-*", "X-Client-IP",
	"X-Client-Port", "X-Client-Cert", "X-Cluster-Client-IP", "X-Proxy-*",
	"X-ProxyUser-*", "X-NginX-*", "X-HAProxy-*", "X-Envoy-*", "X-Varnish*",
	"X-Traefik-*", "X-Scheme", "X-URL-Scheme", "X-Rewrite-URL", "X-SSL*",
	"X-ARR-*", "X-Azure-*", "X-AppEngine-*", "X-Amz-Cf-*", "X-Amzn-*",
	"X-Akamai-*", "Akamai-*", "X-Cloud-Trace-Context", "X-Sucuri-*",
	"X-Vercel-*", "X-NF-*", "X-BlueCoat-*", "Ali-CDN-*", "CDN-Loop", "CF-*",
	"Client-IP", "DO-Connecting-IP", "Fastly-*", "Fly-*", "Front-End-Https",
	"Incap-*", "Proxy-Client-IP", "SSL-Client-*", "True-Client-*",
	"WL-Proxy-*", NULL };

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
	0xff };

void
pp_allow_map_ipv4(uint8_t out[16], const void *in)
{
	memcpy(out, mapped_prefix, sizeof(mapped_prefix));
	memcpy(out + sizeof(mapped_prefix), in, 4);
}

const char *const pp_allow_refusals[PP_REFUSALS] = {
	[PP_REFUSED_PEER] =
	    "profiles are for local peers only; PPROF_ALLOW in the service's "
	    "environment changes it",
	[PP_REFUSED_PROXY] =
	    "this request came through a proxy, and profiles are for local "
	    "peers only; PPROF_ALLOW=any in the service's environment changes "
	    "it",
	[PP_REFUSED_FULL] =
	    "this request has more header lines than Kore keeps, so that it "
	    "may have come through a proxy: ask with fewer, or set "
	    "PPROF_ALLOW=any in the service's environment",
	[PP_REFUSED_HISTORY] =
	    "the first request of this connection came through a proxy, and "
	    "so may this one: ask on a connection of your own, or set "
	    "PPROF_ALLOW=any in the service's environment",
	[PP_REFUSED_BODY] =
	    "a request of this connection had a body that is not read as one, "
	    "so that nobody knows where the next one begins: ask on a new "
	    "connection, without a body",
	[PP_REFUSED_HOST] =
	    "a web page can have given its own name to this machine, so that "
	    "profiles are not served to the name in the Host header: ask for "
	    "the address or localhost, or list the name in PPROF_HOSTS in the "
	    "service's environment",
	[PP_REFUSED_SITE] =
	    "a page of another site has asked for this, as Sec-Fetch-Site "
	    "says; a link from there may open the index page only",
	[PP_REFUSED_ORIGIN] =
	    "a page of another origin has asked for this: Origin and Host "
	    "differ",
};

/* Bits of `seen`. */
enum {
	SEEN_PROXY = 1,	  /* a header of pp_allow_proxies */
	SEEN_NAME = 2,	  /* a Host that pp_allow_host() refuses */
	SEEN_SITE = 4,	  /* Sec-Fetch-Site: of another site */
	SEEN_ODD = 8,	  /* Sec-Fetch-Site: what no browser says */
	SEEN_INSIDE = 16, /* the request is for a part of a page */
	SEEN_MANY = 32,	  /* two Origin or two Host headers that differ */
	SEEN_BODY = 64	  /* headers that announce a body */
};

int
pp_allow_names_proxy(const char *name)
{
	const char *const *row;
	size_t all;

	for (row = pp_allow_proxies; *row != NULL; row++) {
		all = strlen(*row);
		if ((*row)[all - 1] == '*'
			? strncasecmp(name, *row, all - 1) == 0
			: strcasecmp(name, *row) == 0)
			return (1);
	}
	return (0);
}

#define ZONE                                                                   \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_%"

/* Tells every spelling that clients take for an address, so that no name server
 * is asked: 127.0.0.1, 127.1, 0x7f000001, 2130706433, ::1. Only a link-local
 * address may have a zone. */
static int
host_is_address(const char *host, int brackets)
{
	struct in6_addr v6;
	struct in_addr v4;
	char *zone = NULL;
	char text[INET6_ADDRSTRLEN + 20];
	size_t len = strlen(host);

	if (len == 0 || len >= sizeof(text))
		return (0);
	memcpy(text, host, len + 1);
	if (brackets && (zone = strchr(text, '%')) != NULL)
		*zone++ = '\0';
	if (inet_pton(AF_INET6, text, &v6) == 1)
		return (zone == NULL ||
		    (IN6_IS_ADDR_LINKLOCAL(&v6) &&
			zone[strspn(zone, ZONE)] == '\0'));
	/* inet_aton() accepts any text behind a blank. */
	return (!brackets &&
	    text[strspn(text, "0123456789abcdefABCDEFxX.")] == '\0' &&
	    inet_aton(text, &v4) != 0);
}

static int
host_is_known(const struct pp_allow *allow, const char *name)
{
	unsigned int i;

	if (strcasecmp(name, "localhost") == 0)
		return (1);
	for (i = 0; i < allow->hosts; i++) {
		if (strcasecmp(name, allow->host[i]) == 0)
			return (1);
	}
	return (0);
}

int
pp_allow_host(const struct pp_allow *allow, const char *host)
{
	char name[PP_ALLOW_HOST_MAX + 2];
	const char *end = host + strlen(host), *colon;
	size_t len;

	if (host_is_address(host, 0))
		return (1);
	colon = strrchr(host, ':');
	if (colon != NULL && colon[1 + strspn(colon + 1, "0123456789")] == '\0')
		end = colon;
	if (end - host > 2 && host[0] == '[' && end[-1] == ']') {
		host++;
		end--;
		len = (size_t)(end - host);
		if (len >= sizeof(name))
			return (0);
		memcpy(name, host, len);
		name[len] = '\0';
		return (strchr(name, ':') != NULL && host_is_address(name, 1));
	}
	/* A dot at the end stands for the root of DNS: the name is the same. */
	if (end - host > 1 && end[-1] == '.')
		end--;
	len = (size_t)(end - host);
	if (len == 0 || len >= sizeof(name))
		return (0);
	memcpy(name, host, len);
	name[len] = '\0';
	return (strchr(name, ':') == NULL &&
	    (host_is_address(name, 0) || host_is_known(allow, name)));
}

/* Keeps the last value of a header that may come only once. */
static unsigned int
seen_value(const char **last, const char *value)
{
	int differ = *last != NULL && strcasecmp(*last, value) != 0;

	*last = value;
	return (differ ? SEEN_MANY : 0);
}

static unsigned int
seen_site(const char *value)
{
	if (strcmp(value, "same-origin") == 0 || strcmp(value, "none") == 0)
		return (0);
	if (strcmp(value, "same-site") == 0 || strcmp(value, "cross-site") == 0)
		return (SEEN_SITE);
	return (SEEN_SITE | SEEN_ODD);
}

void
pp_allow_asked_header(struct pp_asked *asked, const struct pp_allow *allow,
    const char *name, const char *value)
{
	if (pp_allow_is_proxys(allow, name)) {
		asked->seen |= SEEN_PROXY;
	} else if (strcasecmp(name, "host") == 0) {
		asked->seen |= seen_value(&asked->host, value);
		if (!pp_allow_host(allow, value))
			asked->seen |= SEEN_NAME;
	} else if (strcasecmp(name, "origin") == 0) {
		asked->seen |= seen_value(&asked->origin, value);
	} else if (strcasecmp(name, "sec-fetch-site") == 0) {
		asked->seen |= seen_site(value);
	} else if (strcasecmp(name, "sec-fetch-mode") == 0) {
		if (strcmp(value, "navigate") != 0)
			asked->seen |= SEEN_INSIDE;
	} else if (strcasecmp(name, "sec-fetch-dest") == 0) {
		if (strcmp(value, "document") != 0)
			asked->seen |= SEEN_INSIDE;
	} else if (strcasecmp(name, "transfer-encoding") == 0) {
		asked->seen |= SEEN_BODY;
	} else if (strcasecmp(name, "content-length") == 0) {
		if (value[strspn(value, "0")] != '\0' || value[0] == '\0')
			asked->seen |= SEEN_BODY;
	}
}

static int
asked_reads(const struct pp_asked *asked)
{
	return (
	    asked->method == PP_METHOD_GET || asked->method == PP_METHOD_HEAD);
}

enum pp_history
pp_allow_asked_history(const struct pp_asked *asked)
{
	unsigned int history = asked->history | PP_HISTORY_MET;

	if (!(asked->history & PP_HISTORY_MET) && (asked->seen & SEEN_PROXY))
		history |= PP_HISTORY_REMOTE;
	if (asked_reads(asked) && (asked->seen & SEEN_BODY))
		history |= PP_HISTORY_UNREAD;
	return (history);
}

static int
allow_in_net(const uint8_t *net, unsigned int bits, const uint8_t *address)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	if (memcmp(net, address, bytes) != 0)
		return (0);
	return (rest == 0 || (net[bytes] ^ address[bytes]) >> (8 - rest) == 0);
}

int
pp_allow_peer(const struct pp_allow *allow, const struct sockaddr *peer)
{
	uint8_t bytes[16];
	unsigned int i;

	if (allow->any)
		return (1);
	switch (peer->sa_family) {
	case AF_UNIX:
		return (1);
	case AF_INET:
		pp_allow_map_ipv4(bytes,
		    &((const struct sockaddr_in *)(const void *)peer)
			 ->sin_addr);
		break;
	case AF_INET6:
		memcpy(bytes,
		    &((const struct sockaddr_in6 *)(const void *)peer)
			 ->sin6_addr,
		    sizeof(bytes));
		break;
	default:
		return (0);
	}
	for (i = 0; i < allow->nets; i++) {
		if (allow_in_net(allow->net[i].address, allow->net[i].bits,
			bytes))
			return (1);
	}
	return (0);
}

/* The reasons that lie in who asks. PPROF_ALLOW=any skips this function. */
static enum pp_refusal
refused_who(const struct pp_allow *allow, const struct pp_asked *asked)
{
	if (!pp_allow_peer(allow, asked->peer))
		return (PP_REFUSED_PEER);
	if (asked->seen & SEEN_PROXY)
		return (PP_REFUSED_PROXY);
	if (asked->full)
		return (PP_REFUSED_FULL);
	if (asked->history & PP_HISTORY_REMOTE)
		return (PP_REFUSED_HISTORY);
	if ((asked->history & PP_HISTORY_UNREAD) ||
	    (asked_reads(asked) && (asked->seen & SEEN_BODY)))
		return (PP_REFUSED_BODY);
	if (asked->peer->sa_family != AF_UNIX && (asked->seen & SEEN_NAME))
		return (PP_REFUSED_HOST);
	return (PP_REFUSED_NOT);
}

/* Compares "http://host:port" of Origin with "host:port" of Host. */
static int
origin_differs(const struct pp_asked *asked)
{
	const char *at;

	if (asked->origin == NULL)
		return (0);
	at = strstr(asked->origin, "://");
	return ((asked->seen & SEEN_MANY) || at == NULL ||
	    asked->host == NULL || strcasecmp(at + 3, asked->host) != 0);
}

enum pp_refusal
pp_allow_asked(const struct pp_allow *allow, const struct pp_asked *asked)
{
	enum pp_refusal why =
	    allow->any ? PP_REFUSED_NOT : refused_who(allow, asked);

	if (why != PP_REFUSED_NOT)
		return (why);
	/* A person who follows a link of another site may see the index page.
	 */
	if ((asked->seen & SEEN_SITE) &&
	    (!asked->index || !asked_reads(asked) ||
		(asked->seen & (SEEN_ODD | SEEN_INSIDE))))
		return (PP_REFUSED_SITE);
	/* If a proxy is between (which only "any" allows), Host may be the
	 * proxy's own name for the service. */
	if (!asked_reads(asked) && !(asked->seen & SEEN_PROXY) &&
	    origin_differs(asked))
		return (PP_REFUSED_ORIGIN);
	return (PP_REFUSED_NOT);
}
