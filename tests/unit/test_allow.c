/*
 * base/allow: the access rule.
 */
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/allow.h"

static int
allowed(const char *rule, const char *peer, int forwarded)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const void *address = &un;
	struct pp_allow allow;
	char why[256];

	if (inet_pton(AF_INET, peer, &v4.sin_addr) == 1)
		address = &v4;
	else if (inet_pton(AF_INET6, peer, &v6.sin6_addr) == 1)
		address = &v6;
	else
		assert_string_equal(peer, "unix");
	assert_int_equal(pp_allow_parse(&allow, rule, why, sizeof(why)), 0);
	return (pp_allow_peer(&allow, address, forwarded));
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
		assert_int_equal(pp_allow_parse(&allow, bad[i], why,
				     sizeof(why)),
		    -1);
		assert_non_null(strstr(why, "PPROF_ALLOW: \""));
		assert_non_null(strstr(why, "10.0.0.0/8"));
	}
	assert_int_equal(pp_allow_parse(&allow, "loopback,nonsense", why,
			     sizeof(why)),
	    -1);
	assert_non_null(strstr(why, "\"nonsense\""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_and_peers),
		cmocka_unit_test(a_bad_rule_is_named),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
