/*
 * See allow.h.
 */
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"

const char *const pp_allow_forwarded[] = { "forwarded", "x-forwarded-for",
	"x-real-ip", NULL };

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
	0xff };

static void
allow_map_ipv4(uint8_t out[16], const void *in)
{
	memcpy(out, mapped_prefix, sizeof(mapped_prefix));
	memcpy(out + sizeof(mapped_prefix), in, 4);
}

static int
allow_parse_address(const char *text, uint8_t out[16], long *width)
{
	uint8_t raw[16];

	if (inet_pton(AF_INET, text, raw) == 1) {
		allow_map_ipv4(out, raw);
		*width = 32;
		return (0);
	}
	if (inet_pton(AF_INET6, text, out) == 1) {
		*width = 128;
		return (0);
	}
	return (-1);
}

/* "a.b.c.d/n", "a::b/n", or either without "/n". */
static int
allow_parse_net(struct pp_allow *allow, const char *word)
{
	char text[INET6_ADDRSTRLEN + 8], *slash, *end;
	uint8_t *address;
	long width, bits;

	if (allow->nets == PP_ALLOW_NETS_MAX || strlen(word) >= sizeof(text))
		return (-1);
	(void)strcpy(text, word);
	if ((slash = strchr(text, '/')) != NULL)
		*slash++ = '\0';
	address = allow->net[allow->nets].address;
	if (allow_parse_address(text, address, &width) == -1)
		return (-1);
	bits = width;
	if (slash != NULL) {
		if (*slash < '0' || *slash > '9')
			return (-1);
		bits = strtol(slash, &end, 10);
		if (*end != '\0' || bits > width)
			return (-1);
	}
	allow->net[allow->nets++].bits = (uint8_t)(bits + 128 - width);
	return (0);
}

static int
allow_parse_word(struct pp_allow *allow, const char *word)
{
	if (strcmp(word, "any") == 0) {
		allow->any = 1;
		return (0);
	}
	if (strcmp(word, "loopback") == 0)
		return (allow_parse_net(allow, "127.0.0.0/8") |
		    allow_parse_net(allow, "::1/128"));
	return (allow_parse_net(allow, word));
}

int
pp_allow_parse(struct pp_allow *allow, const char *text, char *why, size_t room)
{
	char word[128];
	size_t len;

	memset(allow, 0, sizeof(*allow));
	if (text == NULL || text[0] == '\0')
		text = "loopback";
	for (;;) {
		text += strspn(text, " ");
		len = strcspn(text, ",");
		(void)snprintf(word, sizeof(word), "%.*s", (int)len, text);
		while (word[0] != '\0' && word[strlen(word) - 1] == ' ')
			word[strlen(word) - 1] = '\0';
		if (allow_parse_word(allow, word) == -1) {
			(void)snprintf(why, room,
			    "PPROF_ALLOW: \"%s\" is none of: any, loopback, "
			    "an address, a network like 10.0.0.0/8 (at most "
			    "%d, separated by commas)",
			    word, PP_ALLOW_NETS_MAX);
			return (-1);
		}
		if (text[len] == '\0')
			return (0);
		text += len + 1;
	}
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
pp_allow_peer(const struct pp_allow *allow, const struct sockaddr *address,
    int forwarded)
{
	uint8_t bytes[16];
	unsigned int i;

	if (allow->any)
		return (1);
	if (forwarded)
		return (0);
	switch (address->sa_family) {
	case AF_UNIX:
		return (1);
	case AF_INET:
		allow_map_ipv4(bytes,
		    &((const struct sockaddr_in *)(const void *)address)
			 ->sin_addr);
		break;
	case AF_INET6:
		memcpy(bytes,
		    &((const struct sockaddr_in6 *)(const void *)address)
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
