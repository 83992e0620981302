/*
 * The options of the access rule, from text to struct pp_allow; see allow.h.
 * The rule itself is in allow.c.
 *
 * Rule: a text that cannot be understood is an error, never a default, because
 * a mistake must not open what the operator wanted to shut.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"

static int
allow_parse_address(const char *text, uint8_t out[16], long *width)
{
	uint8_t raw[16];

	if (inet_pton(AF_INET, text, raw) == 1) {
		pp_allow_map_ipv4(out, raw);
		*width = 32;
		return (0);
	}
	if (inet_pton(AF_INET6, text, out) == 1) {
		*width = 128;
		return (0);
	}
	return (-1);
}

/* Takes "a.b.c.d/n", "a::b/n", or either without "/n". */
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

/* Takes a name as DNS and /etc/hosts have it, without a port. */
static int
allow_parse_host(struct pp_allow *allow, const char *word)
{
	size_t len = strlen(word);

	if (len > 1 && word[len - 1] == '.')
		len--;
	if (allow->hosts == PP_ALLOW_HOSTS_MAX || len == 0 ||
	    len > PP_ALLOW_HOST_MAX || !isalnum((unsigned char)word[0]) ||
	    strspn(word,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-_.") != strlen(word))
		return (-1);
	memcpy(allow->host[allow->hosts], word, len);
	allow->host[allow->hosts++][len] = '\0';
	return (0);
}

/* Gives each word of a list, separated by commas, to `one`. Returns 0, or -1
 * with the bad word in `word`. */
static int
allow_parse_list(struct pp_allow *allow, const char *text,
    int (*one)(struct pp_allow *, const char *), char *word, size_t room)
{
	size_t len;

	for (;;) {
		text += strspn(text, " ");
		len = strcspn(text, ",");
		(void)snprintf(word, room, "%.*s", (int)len, text);
		while (word[0] != '\0' && word[strlen(word) - 1] == ' ')
			word[strlen(word) - 1] = '\0';
		if (one(allow, word) == -1)
			return (-1);
		if (text[len] == '\0')
			return (0);
		text += len + 1;
	}
}

static void
allow_begin(struct pp_allow *allow)
{
	const char *const *name;

	memset(allow, 0, sizeof(*allow));
	allow->settings = 1;
	for (name = pp_allow_proxies; *name != NULL; name++)
		allow->begins[(*name)[0] & 31] |= 1U << ((*name)[1] & 31);
}

int
pp_allow_parse(struct pp_allow *allow, const char *nets, const char *hosts,
    const char *settings, char *why, size_t room)
{
	char word[PP_ALLOW_HOST_MAX + 3];

	allow_begin(allow);
	if (nets == NULL || nets[0] == '\0')
		nets = "loopback";
	if (allow_parse_list(allow, nets, allow_parse_word, word,
		sizeof(word)) == -1) {
		(void)snprintf(why, room,
		    "PPROF_ALLOW: \"%.128s\" is none of: any, loopback, "
		    "an address, a network like 10.0.0.0/8 (at most "
		    "%d, separated by commas)",
		    word, PP_ALLOW_NETS_MAX);
		return (-1);
	}
	if (hosts != NULL && hosts[0] != '\0' &&
	    allow_parse_list(allow, hosts, allow_parse_host, word,
		sizeof(word)) == -1) {
		(void)snprintf(why, room,
		    "PPROF_HOSTS: \"%.128s\" is no name of a host like "
		    "dev.example.org, without a port (at most %d, separated "
		    "by commas)",
		    word, PP_ALLOW_HOSTS_MAX);
		return (-1);
	}
	if (settings == NULL || settings[0] == '\0' ||
	    strcmp(settings, "1") == 0)
		return (0);
	allow->settings = 0;
	if (strcmp(settings, "0") == 0)
		return (0);
	(void)snprintf(why, room,
	    "PPROF_SETTINGS: \"%.128s\" is neither 1 (rates can be changed "
	    "over HTTP) nor 0 (they cannot)",
	    settings);
	return (-1);
}

int
pp_allow_environment(struct pp_allow *allow, char *why, size_t room)
{
	return (pp_allow_parse(allow, getenv("PPROF_ALLOW"),
	    getenv("PPROF_HOSTS"), getenv("PPROF_SETTINGS"), why, room));
}
