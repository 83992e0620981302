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
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
