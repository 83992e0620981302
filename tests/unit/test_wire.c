/*
 * Tests of base/wire.c: packets and descriptors arrive whole or not at all,
 * and no descriptor is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/wire.h"

static int
open_descriptors(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return (count);
}

static void
pair(int sock[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     sock),
	    0);
}

static void
same_file(int a, int b)
{
	struct stat x, y;

	assert_int_equal(fstat(a, &x), 0);
	assert_int_equal(fstat(b, &y), 0);
	assert_true(x.st_ino == y.st_ino && x.st_dev == y.st_dev);
}

static void
a_packet_keeps_its_bounds(void **state)
{
	int sock[2], fds[PP_WIRE_FDS_MAX];
	char room[16];

	(void)state;
	pair(sock);
	assert_int_equal(pp_wire_send(sock[0], "one", 3, NULL, 0), 0);
	assert_int_equal(pp_wire_send(sock[0], "three", 5, NULL, 0), 0);
	assert_int_equal(pp_wire_recv(sock[1], room, sizeof(room), fds), 3);
	assert_memory_equal(room, "one", 3);
	assert_int_equal(fds[0], -1);
	assert_int_equal(fds[1], -1);
	assert_int_equal(pp_wire_recv(sock[1], room, 5, fds), 5);
	assert_memory_equal(room, "three", 5);
	close(sock[0]);
	close(sock[1]);
}

static void
the_largest_packet_fits_a_socket(void **state)
{
	static char packet[PP_WIRE_PACKET_MAX], room[PP_WIRE_PACKET_MAX];
	int sock[2], fds[PP_WIRE_FDS_MAX];

	(void)state;
	pair(sock);
	memset(packet, 'x', sizeof(packet));
	assert_int_equal(pp_wire_send(sock[0], packet, sizeof(packet), NULL, 0),
	    0);
	assert_int_equal(pp_wire_recv(sock[1], room, sizeof(room), fds),
	    sizeof(packet));
	assert_memory_equal(packet, room, sizeof(packet));
	close(sock[0]);
	close(sock[1]);
}

static void
descriptors_arrive_in_order_and_close_on_exec(void **state)
{
	int sock[2], fds[PP_WIRE_FDS_MAX], ours[2], before;
	char room[16];

	(void)state;
	pair(sock);
	ours[0] = open("/dev/null", O_RDONLY);
	ours[1] = open("/dev/zero", O_RDONLY);
	before = open_descriptors();
	assert_int_equal(pp_wire_send(sock[0], "x", 1, ours, 2), 0);
	assert_int_equal(pp_wire_send(sock[0], "y", 1, ours + 1, 1), 0);
	assert_int_equal(pp_wire_recv(sock[1], room, sizeof(room), fds), 1);
	same_file(fds[0], ours[0]);
	same_file(fds[1], ours[1]);
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(pp_wire_recv(sock[1], room, sizeof(room), fds), 1);
	same_file(fds[0], ours[1]);
	assert_int_equal(fds[1], -1);
	close(fds[0]);
	assert_int_equal(open_descriptors(), before);
	close(ours[0]);
	close(ours[1]);
	close(sock[0]);
	close(sock[1]);
}

static void
more_descriptors_than_allowed_are_closed(void **state)
{
	int sock[2], fds[PP_WIRE_FDS_MAX], three[3], before, i;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(three))];
	} control = { 0 };
	struct iovec part = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	char room[16];

	(void)state;
	pair(sock);
	for (i = 0; i < 3; i++)
		three[i] = sock[0];
	before = open_descriptors();
	assert_int_equal(pp_wire_send(sock[0], "x", 1, three, 3), -1);
	assert_int_equal(errno, EINVAL);
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof(three));
	memcpy(CMSG_DATA(&control.align), three, sizeof(three));
	assert_int_equal(sendmsg(sock[0], &message, 0), 1);
	assert_int_equal(pp_wire_recv(sock[1], room, sizeof(room), fds), 1);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(open_descriptors(), before);
	close(sock[0]);
	close(sock[1]);
}

static void
a_cut_packet_is_refused_with_its_descriptors(void **state)
{
	int sock[2], fds[PP_WIRE_FDS_MAX], before;
	char room[4];

	(void)state;
	pair(sock);
	before = open_descriptors();
	assert_int_equal(pp_wire_send(sock[0], "12345", 5, sock, 2), 0);
	assert_int_equal(pp_wire_recv(sock[1], room, sizeof(room), fds), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(fds[0], -1);
	assert_int_equal(fds[1], -1);
	assert_int_equal(open_descriptors(), before);
	close(sock[0]);
	close(sock[1]);
}

/* Both ends are blocking sockets here: what waits would hang the test. */
static void
neither_side_waits(void **state)
{
	static char large[4096];
	int sock[2], fds[PP_WIRE_FDS_MAX], sent = 0;
	char room[4];

	(void)state;
	alarm(20);
	pair(sock);
	assert_int_equal(pp_wire_recv(sock[1], room, sizeof(room), fds), -1);
	assert_int_equal(errno, EAGAIN);
	while (pp_wire_send(sock[0], large, sizeof(large), NULL, 0) == 0)
		assert_true(sent++ < 100000);
	assert_int_equal(errno, EAGAIN);
	assert_true(sent > 0);
	close(sock[0]);
	close(sock[1]);
	alarm(0);
}

static void
a_closed_side_is_an_end_and_a_broken_pipe_without_a_signal(void **state)
{
	int sock[2], fds[PP_WIRE_FDS_MAX];
	char room[4];

	(void)state;
	pair(sock);
	close(sock[0]);
	assert_int_equal(pp_wire_recv(sock[1], room, sizeof(room), fds), 0);
	assert_int_equal(pp_wire_send(sock[1], "x", 1, NULL, 0), -1);
	assert_int_equal(errno, EPIPE);
	close(sock[1]);
}

static void
an_empty_packet_is_not_sent(void **state)
{
	int sock[2];

	(void)state;
	pair(sock);
	assert_int_equal(pp_wire_send(sock[0], "", 0, NULL, 0), -1);
	assert_int_equal(errno, EINVAL);
	close(sock[0]);
	close(sock[1]);
}

struct reply {
	struct pp_wire_answer answer;
	char text[PP_ANSWER_HEADERS_MAX + 2];
};

static struct reply
reply_of(const char *headers)
{
	struct reply reply;

	memset(&reply, 0, sizeof(reply));
	reply.answer.version = PP_WIRE_VERSION;
	reply.answer.kind = PP_WIRE_ANSWER;
	reply.answer.status = 200;
	reply.answer.headers_len = (uint32_t)strlen(headers);
	memcpy(reply.text, headers, strlen(headers));
	return (reply);
}

static int
taken(const struct reply *reply, long more)
{
	char headers[PP_ANSWER_HEADERS_MAX + 1];
	struct pp_wire_answer answer;

	return (pp_wire_answer(reply,
	    sizeof(answer) + (size_t)(reply->answer.headers_len + more),
	    &answer, headers));
}

static void
an_answer_is_taken_apart(void **state)
{
	struct reply reply = reply_of("a: b: c\nx-go-pprof: 1\nempty: \n");
	static const char *const wanted[] = { "a", "b: c", "x-go-pprof", "1",
		"empty", "" };
	char headers[PP_ANSWER_HEADERS_MAX + 1], *lines = headers, *name,
						 *value;
	struct pp_wire_answer answer;
	size_t i;

	(void)state;
	assert_int_equal(pp_wire_answer(&reply,
			     sizeof(answer) + reply.answer.headers_len, &answer,
			     headers),
	    0);
	assert_int_equal(answer.status, 200);
	for (i = 0; i < 6; i += 2) {
		assert_int_equal(pp_wire_header(&lines, &name, &value), 0);
		assert_string_equal(name, wanted[i]);
		assert_string_equal(value, wanted[i + 1]);
	}
	assert_int_equal(pp_wire_header(&lines, &name, &value), -1);
	reply = reply_of("");
	assert_int_equal(taken(&reply, 0), 0);
}

static void
an_answer_that_makes_no_sense_is_refused(void **state)
{
	static const char *const headers[] = { "a: b", "a:b\n", "a\n", "\n",
		"a: b\n\n", "a: b\r\n", "a: \033[1m\n", "a\nb: c\n" };
	struct reply good = reply_of("a: b\n"), bad;
	size_t i;

	(void)state;
	assert_int_equal(taken(&good, 0), 0);
	assert_int_equal(taken(&good, 1), -1);
	assert_int_equal(taken(&good, -1), -1);
	assert_int_equal(taken(&good, -6), -1);
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		bad = reply_of(headers[i]);
		assert_int_equal(taken(&bad, 0), -1);
	}
	bad = good;
	bad.answer.version++;
	assert_int_equal(taken(&bad, 0), -1);
	bad = good;
	bad.answer.kind = PP_WIRE_REQUEST;
	assert_int_equal(taken(&bad, 0), -1);
	bad = good;
	bad.answer.status = 199;
	assert_int_equal(taken(&bad, 0), -1);
	bad = good;
	bad.answer.status = 600;
	assert_int_equal(taken(&bad, 0), -1);
	bad = good;
	bad.text[1] = '\0';
	assert_int_equal(taken(&bad, 0), -1);
	bad = good;
	bad.answer.headers_len = PP_ANSWER_HEADERS_MAX + 1;
	assert_int_equal(taken(&bad, 0), -1);
	bad.answer.headers_len = UINT32_MAX;
	assert_int_equal(taken(&bad, -(long)UINT32_MAX), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_keeps_its_bounds),
		cmocka_unit_test(the_largest_packet_fits_a_socket),
		cmocka_unit_test(descriptors_arrive_in_order_and_close_on_exec),
		cmocka_unit_test(more_descriptors_than_allowed_are_closed),
		cmocka_unit_test(a_cut_packet_is_refused_with_its_descriptors),
		cmocka_unit_test(neither_side_waits),
		cmocka_unit_test(
		    a_closed_side_is_an_end_and_a_broken_pipe_without_a_signal),
		cmocka_unit_test(an_empty_packet_is_not_sent),
		cmocka_unit_test(an_answer_is_taken_apart),
		cmocka_unit_test(an_answer_that_makes_no_sense_is_refused),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
