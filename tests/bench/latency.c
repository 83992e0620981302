/*
 * One client in a closed loop: asks, waits for the answer, asks again, on
 * one connection, and says how long each request waited.
 *
 *     latency PORT PATH SECONDS  ->  count= p50= p99= p999= max=   (in us)
 *
 * In C, since an interpreter's own pauses would be in the maximum. Not a load
 * generator: it keeps one worker busy at most half of the time.
 *
 * Rule: an answer other than 200 or a lost connection ends it with status 1.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS_MAX (4 << 20)
#define ANSWER_MAX   65536

static int64_t took[REQUESTS_MAX];

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

static void
give_up(const char *what)
{
	fprintf(stderr, "latency: %s\n", what);
	exit(1);
}

static int
connect_to(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int one = 1, sock;

	to.sin_port = htons((uint16_t)port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sock = socket(AF_INET, SOCK_STREAM, 0);
	if (sock == -1 ||
	    connect(sock, (struct sockaddr *)&to, sizeof(to)) == -1)
		give_up("no connection");
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return (sock);
}

/* Read one answer with a content-length; nothing may come after it. */
static void
answer_read(int sock)
{
	static char text[ANSWER_MAX + 1];
	size_t have = 0, want = 0;
	const char *end, *length;
	ssize_t got;

	do {
		got = read(sock, text + have, ANSWER_MAX - have);
		if (got <= 0)
			give_up("connection lost, or the answer is too long");
		have += (size_t)got;
		text[have] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (end == NULL)
			continue;
		length = strcasestr(text, "\r\ncontent-length:");
		if (strncmp(text, "HTTP/1.1 200", 12) != 0 || length == NULL)
			give_up("not an answer 200 with a length");
		want =
		    (size_t)(end + 4 - text) + strtoul(length + 17, NULL, 10);
	} while (want == 0 || have < want);
}

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y ? -1 : x > y);
}

static double
quantile(size_t count, size_t per_mille)
{
	return ((double)took[(count - 1) * per_mille / 1000] / 1000);
}

int
main(int argc, char **argv)
{
	char request[1024];
	int64_t start, until;
	size_t count = 0;
	int sock, len;

	if (argc != 4)
		give_up("usage: latency PORT PATH SECONDS");
	len = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[2]);
	if (len >= (int)sizeof(request))
		give_up("the path is too long");
	sock = connect_to(atoi(argv[1]));
	until = now() + (int64_t)(atof(argv[3]) * 1e9);
	do {
		start = now();
		if (write(sock, request, (size_t)len) != len)
			give_up("connection lost");
		answer_read(sock);
		took[count++] = now() - start;
	} while (start < until && count < REQUESTS_MAX);
	qsort(took, count, sizeof(took[0]), by_size);
	printf("count=%zu p50=%.1f p99=%.1f p999=%.1f max=%.1f\n", count,
	    quantile(count, 500), quantile(count, 990), quantile(count, 999),
	    quantile(count, 1000));
	return (0);
}
