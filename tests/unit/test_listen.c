/*
 * base/listen: where the listener is.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <string.h>

#include "base/listen.h"

static void
places_and_who_can_reach_them(void **state)
{
	static const struct {
		const char *text, *host;
		int family, port, local;
	} row[] = {
		{ "127.0.0.1:6061", "127.0.0.1", AF_INET, 6061, 1 },
		{ "127.9.8.7:1", "127.9.8.7", AF_INET, 1, 1 },
		{ "localhost:6061", "127.0.0.1", AF_INET, 6061, 1 },
		{ "0.0.0.0:65535", "0.0.0.0", AF_INET, 65535, 0 },
		{ "128.0.0.1:80", "128.0.0.1", AF_INET, 80, 0 },
		{ "[::1]:6061", "::1", AF_INET6, 6061, 1 },
		{ "[::]:6061", "::", AF_INET6, 6061, 0 },
		{ "[::ffff:127.0.0.1]:80", "127.0.0.1", AF_INET, 80, 1 },
		{ "[::ffff:10.0.0.1]:80", "10.0.0.1", AF_INET, 80, 0 },
		{ "[2001:db8::1]:80", "2001:db8::1", AF_INET6, 80, 0 },
	};
	char host[INET6_ADDRSTRLEN], why[512];
	struct pp_listen listen_at;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(pp_listen_parse(&listen_at, row[i].text, why,
				     sizeof(why)),
		    0);
		assert_int_equal(listen_at.address.any.sa_family,
		    row[i].family);
		assert_int_equal(listen_at.local, row[i].local);
		if (row[i].family == AF_INET) {
			assert_int_equal(listen_at.len,
			    sizeof(struct sockaddr_in));
			assert_int_equal(ntohs(listen_at.address.v4.sin_port),
			    row[i].port);
			inet_ntop(AF_INET, &listen_at.address.v4.sin_addr, host,
			    sizeof(host));
		} else {
			assert_int_equal(listen_at.len,
			    sizeof(struct sockaddr_in6));
			assert_int_equal(ntohs(listen_at.address.v6.sin6_port),
			    row[i].port);
			inet_ntop(AF_INET6, &listen_at.address.v6.sin6_addr,
			    host, sizeof(host));
		}
		assert_string_equal(host, row[i].host);
	}
}

static void
a_unix_socket_has_an_absolute_path_that_fits(void **state)
{
	struct pp_listen listen_at;
	char text[200], why[512];
	size_t most = sizeof(listen_at.address.un.sun_path) - 1;

	(void)state;
	assert_int_equal(pp_listen_parse(&listen_at, "unix:/run/x.sock", why,
			     sizeof(why)),
	    0);
	assert_int_equal(listen_at.address.any.sa_family, AF_UNIX);
	assert_string_equal(listen_at.address.un.sun_path, "/run/x.sock");
	assert_int_equal(listen_at.local, 1);
	memset(text, 'a', sizeof(text));
	memcpy(text, "unix:/", 6);
	text[5 + most] = '\0';
	assert_int_equal(pp_listen_parse(&listen_at, text, why, sizeof(why)),
	    0);
	text[5 + most] = 'a';
	text[6 + most] = '\0';
	assert_int_equal(pp_listen_parse(&listen_at, text, why, sizeof(why)),
	    -1);
}

static void
what_is_no_place_is_named_in_the_sentence(void **state)
{
	static const char *const bad[] = { "", ":6061", "6061", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:80x",
		"127.0.0.1:+80", "127.0.0.1: 80", "1.2.3:80", "example.org:80",
		"::1:80", "[::1]", "[::1:80", "[]:80", "[127.0.0.1]:80",
		"[::1]:99999999999999999999", "unix:", "unix:x.sock",
		"unix:./x", "http://127.0.0.1:80" };
	struct pp_listen listen_at;
	char why[512], quoted[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = '\0';
		if (pp_listen_parse(&listen_at, bad[i], why, sizeof(why)) != -1)
			fail_msg("\"%s\" was taken", bad[i]);
		snprintf(quoted, sizeof(quoted), "PPROF_LISTEN: \"%s\"",
		    bad[i]);
		assert_ptr_equal(strstr(why, quoted), why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_and_who_can_reach_them),
		cmocka_unit_test(a_unix_socket_has_an_absolute_path_that_fits),
		cmocka_unit_test(what_is_no_place_is_named_in_the_sentence),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
