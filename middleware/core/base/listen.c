/*
 * Parsing PPROF_LISTEN; see listen.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/listen.h"

#define UNIX_PREFIX "unix:"

static int
listen_unix(struct pp_listen *listen, const char *path)
{
	struct sockaddr_un *un = &listen->address.un;

	/* When the parent binds, it may be in another directory. */
	if (path[0] != '/' || strlen(path) >= sizeof(un->sun_path))
		return (-1);
	un->sun_family = AF_UNIX;
	(void)strcpy(un->sun_path, path);
	listen->len = sizeof(*un);
	listen->local = 1;
	return (0);
}

static int
listen_port(const char *text, in_port_t *port)
{
	char *end;
	long number;

	if (*text < '1' || *text > '9')
		return (-1);
	number = strtol(text, &end, 10);
	if (*end != '\0' || number > 65535)
		return (-1);
	*port = htons((in_port_t)number);
	return (0);
}

/* Whether the address is in 127.0.0.0/8 or ::1. */
static int
listen_is_loopback(const struct pp_listen *listen)
{
	if (listen->address.any.sa_family == AF_INET)
		return (ntohl(listen->address.v4.sin_addr.s_addr) >> 24 == 127);
	return (IN6_IS_ADDR_LOOPBACK(&listen->address.v6.sin6_addr));
}

static void
listen_v4(struct pp_listen *listen, const struct in_addr *host, in_port_t port)
{
	listen->address.v4.sin_family = AF_INET;
	listen->address.v4.sin_addr = *host;
	listen->address.v4.sin_port = port;
	listen->len = sizeof(listen->address.v4);
}

static void
listen_v6(struct pp_listen *listen, const struct in6_addr *host, in_port_t port)
{
	struct in_addr v4;

	/* An IPv4 address in IPv6 form is bound as IPv4: our sockets are IPv6
	 * only, and cannot be bound to such an address. */
	if (IN6_IS_ADDR_V4MAPPED(host)) {
		memcpy(&v4, &host->s6_addr[12], sizeof(v4));
		listen_v4(listen, &v4, port);
		return;
	}
	listen->address.v6.sin6_family = AF_INET6;
	listen->address.v6.sin6_addr = *host;
	listen->address.v6.sin6_port = port;
	listen->len = sizeof(listen->address.v6);
}

static int
listen_inet(struct pp_listen *listen, const char *text)
{
	char host[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(text, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - text);
	struct in6_addr v6;
	struct in_addr v4;
	in_port_t port;

	if (len == 0 || len >= sizeof(host) ||
	    listen_port(colon + 1, &port) == -1)
		return (-1);
	memcpy(host, text, len);
	host[len] = '\0';
	if (strcmp(host, "localhost") == 0)
		(void)strcpy(host, "127.0.0.1");
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		if (inet_pton(AF_INET6, host + 1, &v6) != 1)
			return (-1);
		listen_v6(listen, &v6, port);
	} else {
		if (inet_pton(AF_INET, host, &v4) != 1)
			return (-1);
		listen_v4(listen, &v4, port);
	}
	listen->local = listen_is_loopback(listen);
	return (0);
}

int
pp_listen_parse(struct pp_listen *listen, const char *text, char *why,
    size_t room)
{
	int bad;

	memset(listen, 0, sizeof(*listen));
	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		bad = listen_unix(listen, text + strlen(UNIX_PREFIX));
	else
		bad = listen_inet(listen, text);
	if (bad)
		(void)snprintf(why, room,
		    "PPROF_LISTEN: \"%.200s\" is none of: 127.0.0.1:PORT, "
		    "[::1]:PORT, another address of this machine and a PORT "
		    "from 1 to 65535, unix:/PATH of at most %zu bytes",
		    text, sizeof(listen->address.un.sun_path) - 1);
	return (bad);
}
