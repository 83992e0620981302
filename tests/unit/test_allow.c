/*
 * base/allow: who may ask.
 */
#include <sys/un.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/allow.h"

/* A request as its headers, "Name: value" lines, one after the other. */
static enum pp_refusal
asked(const char *rule, const char *hosts, const char *peer,
    enum pp_method method, const char *lines, struct pp_asked more)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const void *address = &un;
	struct pp_allow allow;
	char why[256], text[1024], *line, *rest, *value;

	if (inet_pton(AF_INET, peer, &v4.sin_addr) == 1)
		address = &v4;
	else if (inet_pton(AF_INET6, peer, &v6.sin6_addr) == 1)
		address = &v6;
	else
		assert_string_equal(peer, "unix");
	assert_int_equal(pp_allow_parse(&allow, rule, hosts, NULL, why,
			     sizeof(why)),
	    0);
	more.peer = address;
	more.method = method;
	(void)snprintf(text, sizeof(text), "%s", lines);
	for (line = strtok_r(text, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		value = strchr(line, ':');
		*value++ = '\0';
		pp_allow_asked_header(&more, &allow, line,
		    value + strspn(value, " "));
	}
	return (pp_allow_asked(&allow, &more));
}

static int
allowed(const char *rule, const char *peer, int forwarded)
{
	struct pp_asked more = { 0 };

	return (asked(rule, NULL, peer, PP_METHOD_GET,
		    forwarded ? "Host: localhost\nX-Forwarded-For: 1.2.3.4"
			      : "Host: localhost",
		    more) == PP_REFUSED_NOT);
}

static void
rules_and_peers(void **state)
{
	static const struct {
		const char *rule, *peer;
		int direct, forwarded;
	} row[] = {
		{ NULL, "127.0.0.1", 1, 0 },
		{ "", "127.8.9.1", 1, 0 },
		{ "loopback", "::1", 1, 0 },
		{ "loopback", "::ffff:127.0.0.1", 1, 0 },
		{ "loopback", "unix", 1, 0 },
		{ "loopback", "10.1.2.3", 0, 0 },
		{ "loopback", "128.0.0.1", 0, 0 },
		{ "loopback", "::2", 0, 0 },
		{ "any", "10.1.2.3", 1, 1 },
		{ "any", "fe80::1", 1, 1 },
		{ "10.0.0.0/8", "10.255.0.1", 1, 0 },
		{ "10.0.0.0/8", "11.0.0.1", 0, 0 },
		{ "10.0.0.0/8", "127.0.0.1", 0, 0 },
		{ "10.0.0.0/8", "unix", 1, 0 },
		{ "loopback, 10.1.0.0/20", "10.1.15.255", 1, 0 },
		{ "loopback, 10.1.0.0/20", "10.1.16.0", 0, 0 },
		{ "192.168.1.7", "192.168.1.7", 1, 0 },
		{ "192.168.1.7", "192.168.1.8", 0, 0 },
		{ "0.0.0.0/0", "8.8.8.8", 1, 0 },
		{ "0.0.0.0/0", "2001:db8::1", 0, 0 },
		{ "2001:db8::/33", "2001:db8:7fff::1", 1, 0 },
		{ "2001:db8::/33", "2001:db8:8000::1", 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		print_message("%s: %s\n", row[i].rule, row[i].peer);
		assert_int_equal(allowed(row[i].rule, row[i].peer, 0),
		    row[i].direct);
		assert_int_equal(allowed(row[i].rule, row[i].peer, 1),
		    row[i].forwarded);
	}
}

/* Each header of the table, alone, in any case; and those that begin so. */
static void
every_header_of_a_proxy_counts(void **state)
{
	static const char *const honest[] = { "User-Agent", "Accept",
		"Accept-Encoding", "Accept-Language", "Authorization",
		"Cache-Control", "Connection", "Content-Type", "Cookie", "DNT",
		"If-None-Match", "Origin", "Pragma", "Priority", "Range",
		"Referer", "Sec-CH-UA", "Sec-CH-UA-Platform", "Sec-Fetch-User",
		"Sec-GPC", "Sec-Purpose", "TE", "traceparent", "tracestate",
		"baggage", "Upgrade-Insecure-Requests", "X-Pprof",
		"X-Pprof-Token", "X-Prometheus-Scrape-Timeout-Seconds",
		"X-Requested-With", "X-Request-Id", "X-B3-TraceId",
		"X-Scope-OrgID", "X-Something", "X-Forwar", "" };
	char line[80];
	struct pp_allow allow;
	char why[8];
	struct pp_asked none = { 0 };
	size_t i, n;
	int upper;

	(void)state;
	assert_int_equal(pp_allow_parse(&allow, NULL, NULL, NULL, why,
			     sizeof(why)),
	    0);
	for (i = 0; pp_allow_proxies[i] != NULL; i++) {
		for (upper = 0; upper < 2; upper++) {
			n = strlen(pp_allow_proxies[i]);
			if (pp_allow_proxies[i][n - 1] == '*')
				n--;
			(void)snprintf(line, sizeof(line), "%.*s%s: x", (int)n,
			    pp_allow_proxies[i],
			    pp_allow_proxies[i][n] == '*' ? "Any" : "");
			for (n = 0; line[n] != ':'; n++)
				line[n] = (char)(upper ? toupper(line[n])
						       : tolower(line[n]));
			print_message("%s\n", line);
			assert_int_equal(asked(NULL, NULL, "127.0.0.1",
					     PP_METHOD_GET, line, none),
			    PP_REFUSED_PROXY);
			assert_int_equal(asked("any", NULL, "127.0.0.1",
					     PP_METHOD_GET, line, none),
			    PP_REFUSED_NOT);
			assert_int_equal(asked(NULL, NULL, "unix",
					     PP_METHOD_GET, line, none),
			    PP_REFUSED_PROXY);
		}
	}
	for (i = 0; i < sizeof(honest) / sizeof(honest[0]); i++)
		assert_false(pp_allow_is_proxys(&allow, honest[i]));
	assert_false(pp_allow_is_proxys(&allow, "Viax"));
	assert_true(pp_allow_is_proxys(&allow, "vIA"));
}

static void
names_that_a_page_can_have_pointed_here(void **state)
{
	static const char *const good[] = { "127.0.0.1", "127.0.0.1:6060",
		"127.1", "0x7f.1", "2130706433:80", "127.0.0.1.", "10.0.0.1:1",
		"[::1]", "[::1]:6060", "[::ffff:127.0.0.1]:1", "::1",
		"[fe80::1%25eth0]:80", "localhost", "LocalHost:6060",
		"localhost.", "localhost.:80", "localhost:", "dev.example",
		"DEV.example:99", "dev.example." };
	static const char *const bad[] = { "evil.example", "evil.example:6060",
		"localhost.evil.example", "127.0.0.1.evil.example",
		"127.0.0.1.nip.io:80", "xlocalhost", "localhostx", "", ":",
		":80", "[", "]", "[]", "[]:80", "[evil.example]", "[::1",
		"[::1]x", "[::1].evil.example", "[127.0.0.1]x", "::1]",
		"127.0.0.1 evil.example", "127.0.0.1@evil.example",
		"evil.example:80:80", "localhost:80x", "localhost..", ".",
		"dev.examplex", "x.dev.example", "127.0.0.256", "1.2.3.4.5",
		"[::%evil]", "[::1%lo]", "[fe80::1%a b]", "cafe", "beef.de",
		"user@localhost", "localhost/", "0x", "x" };
	struct pp_asked none = { 0 };
	char line[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		print_message("%s\n", good[i]);
		(void)snprintf(line, sizeof(line), "Host: %s", good[i]);
		assert_int_equal(asked(NULL, "x.example,Dev.Example.",
				     "127.0.0.1", PP_METHOD_GET, line, none),
		    PP_REFUSED_NOT);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		print_message("%s\n", bad[i]);
		(void)snprintf(line, sizeof(line), "Host: %s", bad[i]);
		assert_int_equal(asked(NULL, "x.example,Dev.Example.", "::1",
				     PP_METHOD_GET, line, none),
		    PP_REFUSED_HOST);
		assert_int_equal(asked("10.0.0.0/8", NULL, "10.0.0.1",
				     PP_METHOD_GET, line, none),
		    PP_REFUSED_HOST);
		assert_int_equal(asked("any", NULL, "127.0.0.1", PP_METHOD_GET,
				     line, none),
		    PP_REFUSED_NOT);
		assert_int_equal(asked(NULL, NULL, "unix", PP_METHOD_GET, line,
				     none),
		    PP_REFUSED_NOT);
	}
	assert_int_equal(asked(NULL, NULL, "127.0.0.1", PP_METHOD_GET, "",
			     none),
	    PP_REFUSED_NOT);
	assert_int_equal(asked(NULL, NULL, "127.0.0.1", PP_METHOD_GET,
			     "Host: evil\nHost: localhost", none),
	    PP_REFUSED_HOST);
}

static void
pages_of_other_sites(void **state)
{
	static const struct {
		enum pp_method method;
		int index;
		const char *lines;
		enum pp_refusal why;
	} row[] = {
		{ PP_METHOD_GET, 0, "Sec-Fetch-Site: same-origin", 0 },
		{ PP_METHOD_GET, 0, "Sec-Fetch-Site: none", 0 },
		{ PP_METHOD_GET, 0, "Sec-Fetch-Site: cross-site",
		    PP_REFUSED_SITE },
		{ PP_METHOD_GET, 0, "Sec-Fetch-Site: same-site",
		    PP_REFUSED_SITE },
		{ PP_METHOD_GET, 0, "Sec-Fetch-Site: x", PP_REFUSED_SITE },
		{ PP_METHOD_GET, 0, "Sec-Fetch-Site:", PP_REFUSED_SITE },
		{ PP_METHOD_GET, 0,
		    "Sec-Fetch-Site: none\nSec-Fetch-Site: cross-site",
		    PP_REFUSED_SITE },
		{ PP_METHOD_GET, 1, "Sec-Fetch-Site: cross-site", 0 },
		{ PP_METHOD_HEAD, 1, "Sec-Fetch-Site: same-site", 0 },
		{ PP_METHOD_POST, 1, "Sec-Fetch-Site: same-site",
		    PP_REFUSED_SITE },
		{ PP_METHOD_GET, 1, "Sec-Fetch-Site: x", PP_REFUSED_SITE },
		{ PP_METHOD_GET, 1,
		    "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\n"
		    "Sec-Fetch-Dest: document",
		    0 },
		{ PP_METHOD_GET, 1,
		    "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors\n"
		    "Sec-Fetch-Dest: image",
		    PP_REFUSED_SITE },
		{ PP_METHOD_GET, 1,
		    "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\n"
		    "Sec-Fetch-Dest: iframe",
		    PP_REFUSED_SITE },
		{ PP_METHOD_POST, 0,
		    "Host: localhost:80\nOrigin: http://localhost:80", 0 },
		{ PP_METHOD_POST, 0, "Origin: https://[::1]:80\nHost: [::1]:80",
		    0 },
		{ PP_METHOD_POST, 0,
		    "Host: localhost:80\nOrigin: http://localhost",
		    PP_REFUSED_ORIGIN },
		{ PP_METHOD_POST, 0,
		    "Host: localhost\nOrigin: http://evil.example",
		    PP_REFUSED_ORIGIN },
		{ PP_METHOD_POST, 0, "Host: localhost\nOrigin: null",
		    PP_REFUSED_ORIGIN },
		{ PP_METHOD_POST, 0, "Origin: http://localhost",
		    PP_REFUSED_ORIGIN },
		{ PP_METHOD_POST, 0,
		    "Host: localhost\nOrigin: http://evil\nOrigin: "
		    "http://localhost",
		    PP_REFUSED_ORIGIN },
		{ PP_METHOD_OTHER, 0, "Host: localhost\nOrigin: http://evil",
		    PP_REFUSED_ORIGIN },
		{ PP_METHOD_POST, 0, "Host: localhost", 0 },
	};
	struct pp_asked more = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		print_message("%zu\n", i);
		more.index = row[i].index;
		assert_int_equal(asked(NULL, NULL, "127.0.0.1", row[i].method,
				     row[i].lines, more),
		    row[i].why);
		assert_int_equal(asked("any", NULL, "10.0.0.1", row[i].method,
				     row[i].lines, more),
		    row[i].why);
	}
	more.index = 0;
	assert_int_equal(asked("any", NULL, "10.0.0.1", PP_METHOD_POST,
			     "Host: inner\nOrigin: https://outer\nVia: x",
			     more),
	    PP_REFUSED_NOT);
}

static void
what_the_connection_has_carried(void **state)
{
	struct pp_asked more = { .history = PP_HISTORY_MET };

	(void)state;
	assert_int_equal(asked(NULL, NULL, "unix", PP_METHOD_GET, "", more), 0);
	more.history |= PP_HISTORY_UNREAD;
	assert_int_equal(asked(NULL, NULL, "unix", PP_METHOD_GET, "", more),
	    PP_REFUSED_BODY);
	more.history |= PP_HISTORY_REMOTE;
	assert_int_equal(asked(NULL, NULL, "unix", PP_METHOD_GET, "", more),
	    PP_REFUSED_HISTORY);
	assert_int_equal(asked("any", NULL, "::2", PP_METHOD_GET, "", more), 0);
	more.history = 0;
	more.full = 1;
	assert_int_equal(asked(NULL, NULL, "unix", PP_METHOD_GET, "", more),
	    PP_REFUSED_FULL);
	more.full = 0;
	assert_int_equal(asked(NULL, NULL, "unix", PP_METHOD_GET,
			     "Content-Length: 1", more),
	    PP_REFUSED_BODY);
	assert_int_equal(asked(NULL, NULL, "unix", PP_METHOD_HEAD,
			     "Transfer-Encoding: chunked", more),
	    PP_REFUSED_BODY);
	assert_int_equal(asked(NULL, NULL, "unix", PP_METHOD_GET,
			     "Content-Length: 0", more),
	    0);
	assert_int_equal(asked(NULL, NULL, "unix", PP_METHOD_POST,
			     "Content-Length: 1", more),
	    0);
}

static void
a_bad_rule_is_named(void **state)
{
	static const char *const bad[] = { "lo", "10.0.0.0/33", "10.0.0.0/",
		"10.0.0.0/-1", "10.0.0.0/8x", "1.2.3", "::1/129", "ANY",
		"loopback,", ",", "10.0.0.0/8 loopback" };
	struct pp_allow allow;
	char why[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(pp_allow_parse(&allow, bad[i], NULL, NULL, why,
				     sizeof(why)),
		    -1);
		assert_non_null(strstr(why, "PPROF_ALLOW: \""));
		assert_non_null(strstr(why, "10.0.0.0/8"));
	}
	assert_int_equal(pp_allow_parse(&allow, "loopback,nonsense", NULL, NULL,
			     why, sizeof(why)),
	    -1);
	assert_non_null(strstr(why, "\"nonsense\""));
}

static void
bad_hosts_and_settings_are_named(void **state)
{
	static const char *const hosts[] = { "a b", "a:80", "*", "http://a",
		"a,", ",a", "[::1]", ".", "-a", "a/b" };
	static const char *const settings[] = { "no", "2", "00", " 0", "off" };
	struct pp_allow allow;
	char why[512], many[33 * 2 + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		assert_int_equal(pp_allow_parse(&allow, NULL, hosts[i], NULL,
				     why, sizeof(why)),
		    -1);
		assert_non_null(strstr(why, "PPROF_HOSTS: \""));
		assert_non_null(strstr(why, "dev.example.org"));
	}
	for (i = 0; i < 33; i++)
		memcpy(many + 2 * i, "a,", 3);
	many[65] = '\0';
	assert_int_equal(pp_allow_parse(&allow, NULL, many, NULL, why,
			     sizeof(why)),
	    -1);
	many[63] = '\0';
	assert_int_equal(pp_allow_parse(&allow, NULL, many, NULL, why,
			     sizeof(why)),
	    0);
	assert_true(allow.settings);
	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		assert_int_equal(pp_allow_parse(&allow, NULL, NULL, settings[i],
				     why, sizeof(why)),
		    -1);
		assert_non_null(strstr(why, "PPROF_SETTINGS: \""));
		assert_false(allow.settings);
	}
	assert_int_equal(pp_allow_parse(&allow, NULL, NULL, "0", why,
			     sizeof(why)),
	    0);
	assert_false(allow.settings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_and_peers),
		cmocka_unit_test(every_header_of_a_proxy_counts),
		cmocka_unit_test(names_that_a_page_can_have_pointed_here),
		cmocka_unit_test(pages_of_other_sites),
		cmocka_unit_test(what_the_connection_has_carried),
		cmocka_unit_test(a_bad_rule_is_named),
		cmocka_unit_test(bad_hosts_and_settings_are_named),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
