/*
 * The real program pprof-collector, alone: this test is its parent and its
 * only worker, with an arena and a socket of its own, and no Kore.
 *
 * The program is $B/pprof-collector, where B is "build" if not set. As root
 * the test also checks that rights are given up. It ends by alarm at the
 * latest, so a collector that hangs is a failure.
 *
 * needs: alone, 14 s
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/wire.h"
#include "own_objects.h"
#include "store/facts.h"
#include "store/ring.h"
#include "symbol/elf.h"

static char program[PATH_MAX];
static struct pp_arena *arena;
static int arena_fd, ours, stderr_fd;
static pid_t collector;

/* Start it with descriptors 3 to 5, and with three more that it must close. */
static void
start(char *const extra[])
{
	char *args[16] = { program, (char *)(uintptr_t) "--arena=3",
		(char *)(uintptr_t) "--socket=4",
		(char *)(uintptr_t) "--facts=5" };
	int pair[2], fds[3], facts, i;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     pair),
	    0);
	stderr_fd = memfd_create("stderr", MFD_CLOEXEC);
	for (i = 0; extra != NULL && extra[i] != NULL; i++)
		args[4 + i] = extra[i];
	facts = pp_arena_facts(arena, &arena->slot[0].objects);
	assert_int_not_equal(facts, -1);
	collector = fork();
	assert_true(collector >= 0);
	if (collector == 0) {
		fds[0] = fcntl(arena_fd, F_DUPFD, 20);
		fds[1] = fcntl(pair[1], F_DUPFD, 20);
		fds[2] = fcntl(facts, F_DUPFD, 20);
		dup2(stderr_fd, STDERR_FILENO);
		dup2(fds[0], 3);
		dup2(fds[1], 4);
		dup2(fds[2], 5);
		execv(program, args);
		_exit(99);
	}
	close(pair[1]);
	close(facts);
	ours = pair[0];
}

static void
said(char *out, size_t room)
{
	ssize_t n = pread(stderr_fd, out, room - 1, 0);

	out[n < 0 ? 0 : n] = '\0';
}

/* Close our end; it must end by itself, well, within 5 s. */
static void
end(int want)
{
	char line[2048];
	int status, i;

	close(ours);
	for (i = 0; i < 500; i++) {
		if (waitpid(collector, &status, WNOHANG) == collector)
			break;
		usleep(10000);
	}
	said(line, sizeof(line));
	if (i == 500) {
		kill(collector, SIGKILL);
		waitpid(collector, &status, 0);
		fail_msg("it does not end; it said: %s", line);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != want)
		fail_msg("it ended with %#x and said: %s", (unsigned)status,
		    line);
	close(stderr_fd);
}

/* Send a request; returns the socket on which the answer will come. */
static int
request(enum pp_method method, const char *path, const char *query,
    const char *body, uint32_t body_len)
{
	static const char prefix[] = "/debug/pprof";
	struct {
		struct pp_wire_request head;
		char texts[512];
	} packet = { 0 };
	size_t sent, piece = body == NULL ? 0 : strlen(body);
	int pair[2], len;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     pair),
	    0);
	packet.head.version = PP_WIRE_VERSION;
	packet.head.kind = PP_WIRE_REQUEST;
	packet.head.method = method;
	packet.head.prefix_len = sizeof(prefix) - 1;
	packet.head.path_len = (uint32_t)strlen(path);
	packet.head.query_len = (uint32_t)strlen(query);
	packet.head.body_len = body_len;
	len = snprintf(packet.texts, sizeof(packet.texts), "%s%s%s", prefix,
	    path, query);
	assert_int_equal(pp_wire_send(ours, &packet,
			     sizeof(packet.head) + (size_t)len, &pair[1], 1),
	    0);
	close(pair[1]);
	/* The text again and again, until it is as long as was said. */
	for (sent = 0; body != NULL && sent < body_len;) {
		if (piece > body_len - sent)
			piece = body_len - sent;
		if (pp_wire_send(pair[0], body, piece, NULL, 0) == 0)
			sent += piece;
		else if (errno != EAGAIN)
			break;
		else
			usleep(1000);
	}
	return (pair[0]);
}

/* Wait for the answer. Returns the status; the body, terminated, in *body,
 * which the caller frees. 0: the collector closed the socket instead. */
static int
answer(int reply, char **headers, char **body, size_t *len)
{
	static struct {
		struct pp_wire_answer head;
		char headers[PP_ANSWER_HEADERS_MAX + 1];
	} packet;
	struct pollfd ready = { .fd = reply, .events = POLLIN };
	int fds[PP_WIRE_FDS_MAX], seals;
	long got;
	int polled;

	/* The collector signals us when we are a worker of its. */
	do {
		polled = poll(&ready, 1, 15000);
	} while (polled == -1 && errno == EINTR);
	if (polled != 1)
		fail_msg("no answer");
	got = pp_wire_recv(reply, &packet, sizeof(packet), fds);
	close(reply);
	if (got == 0)
		return (0);
	assert_true(got >= (long)sizeof(packet.head));
	assert_int_equal(packet.head.version, PP_WIRE_VERSION);
	assert_int_equal(packet.head.kind, PP_WIRE_ANSWER);
	assert_int_equal(packet.head.headers_len,
	    (size_t)got - sizeof(packet.head));
	packet.headers[packet.head.headers_len] = '\0';
	*headers = packet.headers;
	*len = packet.head.body_len;
	*body = calloc(1, *len + 1);
	assert_non_null(*body);
	assert_int_equal(fds[0] != -1, *len > 0);
	if (*len > 0) {
		seals = fcntl(fds[0], F_GET_SEALS);
		assert_int_equal(seals,
		    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
		assert_int_equal(pread(fds[0], *body, *len, 0), *len);
		close(fds[0]);
	}
	return ((int)packet.head.status);
}

static int
get(const char *path, const char *query, char **body, size_t *len)
{
	char *headers;

	return (answer(request(PP_METHOD_GET, path, query, NULL, 0), &headers,
	    body, len));
}

static void
expect_alive(void)
{
	char *body;
	size_t len;

	assert_int_equal(get("/cmdline", "", &body, &len), 200);
	assert_int_equal(len, 21);
	assert_memory_equal(body, "kore\0-c\0conf/app.conf", 21);
	free(body);
}

static void
it_answers_what_is_answered_at_once(void **state)
{
	char *body, *headers, text[128];
	size_t len;

	(void)state;
	start(NULL);
	expect_alive();
	assert_int_equal(get("/", "", &body, &len), 200);
	assert_non_null(strstr(body, "kore 4.1.0"));
	free(body);
	assert_int_equal(get("/assets/pprof.css", "", &body, &len), 200);
	free(body);
	assert_int_equal(get("/nope", "", &body, &len), 404);
	assert_string_equal(body, "Unknown profile\n");
	free(body);
	snprintf(text, sizeof(text), "0x1+%#lx",
	    (unsigned long)(uintptr_t)it_answers_what_is_answered_at_once);
	assert_int_equal(answer(request(PP_METHOD_POST, "/symbol", "", text,
				    (uint32_t)strlen(text)),
			     &headers, &body, &len),
	    200);
	assert_int_equal(strncmp(body, "num_symbols: 1\n0x", 17), 0);
	assert_non_null(strstr(body, " it_answers_what_is_answered_at_once\n"));
	free(body);
	end(0);
}

/* As a worker's signal handler would put it: 10 ms of CPU in this function,
 * called by end(). */
static void
put_sample(int64_t at)
{
	uint64_t words[PP_CPU_WORD_FRAMES + 2] = {
		[PP_CPU_WORD_TIME] = (uint64_t)at,
		[PP_CPU_WORD_THREAD] =
		    (uint64_t)getpid() << 32 | (uint64_t)getpid(),
		[PP_CPU_WORD_WEIGHT] = 10 * PP_NS_PER_MS,
		[PP_CPU_WORD_FRAMES] = (uint64_t)(uintptr_t)put_sample + 4,
		[PP_CPU_WORD_FRAMES + 1] = (uint64_t)(uintptr_t)end + 8,
	};

	assert_int_equal(pp_ring_put(&arena->slot[1].cpu, PP_RECORD_CPU, words,
			     PP_CPU_WORD_FRAMES + 2),
	    0);
}

static int
contains(const char *data, size_t len, const char *text)
{
	return (memmem(data, len, text, strlen(text)) != NULL);
}

static void
a_profile_of_one_second_has_the_samples_of_that_second(void **state)
{
	static unsigned char plain[1 << 20];
	char *headers, *body;
	z_stream z = { 0 };
	int64_t begun;
	size_t len;
	int reply, i;

	(void)state;
	start(NULL);
	expect_alive();
	begun = pp_clock_mono();
	reply = request(PP_METHOD_GET, "/profile", "seconds=1&hz=100", NULL, 0);
	for (i = 0; arena->control.cpu_period_ns == 0 && i < 500; i++)
		usleep(10000);
	assert_int_equal(arena->control.cpu_period_ns, 10 * PP_NS_PER_MS);
	for (i = 0; i < 20; i++) {
		put_sample(pp_clock_mono());
		usleep(20000);
	}
	assert_int_equal(answer(reply, &headers, &body, &len), 200);
	assert_true(pp_clock_mono() - begun >= PP_NS_PER_SEC);
	assert_true(contains(headers, strlen(headers),
	    "content-disposition: attachment; filename=\"profile\"\n"));
	z.next_in = (unsigned char *)body;
	z.avail_in = (unsigned int)len;
	z.next_out = plain;
	z.avail_out = sizeof(plain);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	len = z.total_out;
	inflateEnd(&z);
	assert_true(contains((char *)plain, len, "put_sample"));
	assert_true(contains((char *)plain, len, "test_collector.c"));
	free(body);
	assert_int_equal(arena->control.cpu_period_ns, 0);
	end(0);
}

static void
a_client_that_hangs_up_ends_its_profile(void **state)
{
	int reply, i;

	(void)state;
	start(NULL);
	reply = request(PP_METHOD_GET, "/profile", "seconds=3600", NULL, 0);
	for (i = 0; arena->control.cpu_period_ns == 0 && i < 500; i++)
		usleep(10000);
	assert_true(arena->control.cpu_period_ns != 0);
	close(reply);
	for (i = 0; arena->control.cpu_period_ns != 0 && i < 500; i++)
		usleep(10000);
	assert_int_equal(arena->control.cpu_period_ns, 0);
	expect_alive();
	end(0);
}

static void
many_profiles_end_together_and_each_is_answered(void **state)
{
	char *headers, *body;
	int reply[40], i;
	size_t len;

	(void)state;
	start(NULL);
	for (i = 0; i < 40; i++) {
		reply[i] =
		    request(PP_METHOD_GET, "/profile", "seconds=1", NULL, 0);
		expect_alive();
	}
	for (i = 0; i < 40; i++) {
		assert_int_equal(answer(reply[i], &headers, &body, &len), 200);
		assert_true(len > 2);
		free(body);
	}
	end(0);
}

/* Each is one lie in an otherwise good request. */
static void
lies_in_a_packet_close_its_sockets_and_nothing_else(void **state)
{
	struct {
		struct pp_wire_request head;
		char texts[64];
	} good, bad;
	uint32_t *field;
	int pair[2], fds[2], memfd, round;
	char line[2048], room[64];

	(void)state;
	start(NULL);
	memfd = memfd_create("body", MFD_CLOEXEC);
	memset(&good, 0, sizeof(good));
	good.head.version = PP_WIRE_VERSION;
	good.head.kind = PP_WIRE_REQUEST;
	good.head.path_len = 8;
	memcpy(good.texts, "/cmdline", 8);
	for (round = 0; round < 33; round++) {
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
		bad = good;
		field = (uint32_t *)&bad.head + round % 11;
		fds[0] = pair[1];
		fds[1] = memfd;
		if (round % 11 < 9) /* kind 2 is an object: also not one */
			*field = round < 11 ? *field + 1
			    : round < 22    ? UINT32_MAX
					    : 0x80000000U;
		else if (round % 11 == 9)
			fds[0] = memfd; /* not a socket */
		else
			bad.texts[3] = '\0';
		if (round % 11 == 2 && round < 11)
			bad.head.method = PP_METHOD_OTHER + 1;
		if (round % 11 == 5 && round < 11)
			bad.head.body_len = PP_REQUEST_BODY_MAX + 1;
		assert_int_equal(pp_wire_send(ours, &bad, sizeof(bad.head) + 8,
				     fds, 2),
		    0);
		close(pair[1]);
		fds[0] = -1;
		assert_int_equal(poll(&(struct pollfd){ .fd = pair[0],
					  .events = POLLIN },
				     1, 5000),
		    1);
		if (pp_wire_recv(pair[0], room, sizeof(room), fds) != 0)
			fail_msg("lie %d was answered", round);
		close(pair[0]);
	}
	close(memfd);
	expect_alive();
	said(line, sizeof(line));
	assert_non_null(strstr(line, "pprof-collector: dropped a packet"));
	assert_non_null(strstr(line, "(16 so far)"));
	assert_null(strstr(line, "(17 so far)"));
	end(0);
}

/* The seed is fixed: a failure comes again. */
static void
random_packets_are_dropped(void **state)
{
	static unsigned char packet[20000];
	unsigned int seed = 7;
	size_t len, i;
	int round;

	(void)state;
	start(NULL);
	for (round = 0; round < 3000; round++) {
		len = 1 +
		    (size_t)rand_r(&seed) %
			(round % 100 == 0 ? sizeof(packet) : 100);
		for (i = 0; i < len; i++)
			packet[i] = (unsigned char)rand_r(&seed);
		if (round & 1 && len >= 8) {
			memcpy(packet, &(uint32_t){ PP_WIRE_VERSION }, 4);
			memcpy(packet + 4,
			    &(uint32_t){ (uint32_t)(round >> 1) % 4 }, 4);
		}
		while (pp_wire_send(ours, packet, len, NULL, 0) == -1) {
			assert_int_equal(errno, EAGAIN);
			usleep(1000);
		}
	}
	assert_int_equal(send(ours, "", 0, MSG_NOSIGNAL), 0);
	expect_alive();
	assert_int_equal(send(ours, "", 0, MSG_NOSIGNAL), 0);
	end(0);
}

static long
descriptors_of(pid_t pid)
{
	char path[64];
	struct stat st;
	long count = 0;
	int fd;

	for (fd = 0; fd < 4096; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		count += lstat(path, &st) == 0;
	}
	return (count);
}

/* A reply is read here before its sockets are closed there: wait for it. */
static void
expect_descriptors(long want)
{
	int i;

	for (i = 0; i < 300 && descriptors_of(collector) != want; i++)
		usleep(10000);
	assert_int_equal(descriptors_of(collector), want);
}

static void
objects_are_taken_once_and_no_descriptor_is_kept(void **state)
{
	struct {
		struct pp_wire_object head;
		char name[16];
	} packet = { .head = { PP_WIRE_VERSION, PP_WIRE_OBJECT, 4, 9,
			 { 1, 2, 3, 4 } },
		.name = "/late.so" };
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), pipes[2];
	int large, i;
	long before;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	packet.head.name_len = 8;
	start(NULL);
	expect_alive();
	usleep(200000);
	before = descriptors_of(collector);
	for (i = 0; i < 100; i++) {
		/* A pipe would make its reader wait; the socket too. */
		assert_int_equal(pp_wire_send(ours, &packet,
				     sizeof(packet.head) + 8, pipes, 1),
		    0);
		assert_int_equal(pp_wire_send(ours, &packet,
				     sizeof(packet.head) + 8, NULL, 0),
		    0);
		expect_alive();
	}
	expect_descriptors(before);
	for (i = 0; i < 10; i++) {
		assert_int_equal(pp_wire_send(ours, &packet,
				     sizeof(packet.head) + 8, &file, 1),
		    0);
		expect_alive();
	}
	expect_descriptors(before + 1);
	/* Mapped, it would end the collector when it is cut short. */
	large = memfd_create("large", MFD_CLOEXEC);
	assert_int_equal(ftruncate(large, (off_t)PP_ELF_READ_MAX + 1), 0);
	packet.head.build_id[0] = 9;
	for (i = 0; i < 10; i++) {
		assert_int_equal(pp_wire_send(ours, &packet,
				     sizeof(packet.head) + 8, &large, 1),
		    0);
		expect_alive();
	}
	expect_descriptors(before + 1);
	close(large);
	close(file);
	close(pipes[0]);
	close(pipes[1]);
	end(0);
}

/* What is said to come and does not takes a place for a while, and nothing
 * else; what comes is taken, whatever its pieces are. */
static void
bodies_come_in_pieces_or_not_at_all(void **state)
{
	int reply[PP_BODIES_MAX + 1], late;
	char *headers, *body;
	size_t len, i;
	long before;

	(void)state;
	start(NULL);
	expect_alive();
	usleep(200000);
	before = descriptors_of(collector);
	late = request(PP_METHOD_POST, "/symbol", "", NULL, 100);
	reply[0] = request(PP_METHOD_POST, "/symbol", "", "0x1+0x2+0x3+",
	    PP_REQUEST_BODY_MAX);
	assert_int_equal(answer(reply[0], &headers, &body, &len), 200);
	assert_int_equal(strncmp(body, "num_symbols: 1\n", 15), 0);
	free(body);
	for (i = 1; i <= PP_BODIES_MAX; i++)
		reply[i] = request(PP_METHOD_POST, "/symbol", "", NULL, 1000);
	assert_int_equal(answer(reply[PP_BODIES_MAX], &headers, &body, &len),
	    503);
	free(body);
	/* Those that hang up leave nothing. */
	for (i = 1; i < PP_BODIES_MAX; i++)
		close(reply[i]);
	expect_descriptors(before + 1);
	expect_alive();
	/* More than was said. */
	reply[0] = request(PP_METHOD_POST, "/symbol", "", NULL, 10);
	assert_int_equal(pp_wire_send(reply[0], "0x1+0x2+0x3", 11, NULL, 0), 0);
	assert_int_equal(answer(reply[0], &headers, &body, &len), 0);
	assert_int_equal(answer(late, &headers, &body, &len), 408);
	assert_string_equal(body, "the body did not come in time\n");
	free(body);
	expect_descriptors(before);
	end(0);
}

/* What a worker's event loop does, done at once. */
static void
answer_at_once(int signo)
{
	(void)signo;
	arena->slot[1].memory.malloc_used = 4711;
	atomic_store(&arena->slot[1].memory.answered,
	    atomic_load(&arena->control.ask));
}

static void
hand_over(uint32_t worker, int32_t pid, const int *fds, int nfds)
{
	struct pp_wire_proc packet = { PP_WIRE_VERSION, PP_WIRE_PROC, worker,
		pid };

	assert_int_equal(pp_wire_send(ours, &packet, sizeof(packet), fds, nfds),
	    0);
	expect_alive();
}

static void
memory_of_a_worker_is_read_from_what_it_hands_over(void **state)
{
	int rollup = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
	char *body, *at;
	long before;
	size_t len;
	int i;

	(void)state;
	assert_true(rollup >= 0);
	arena->parent_pid = 0; /* it is never signalled; we want to be */
	start(NULL);
	expect_alive();
	usleep(200000);
	before = descriptors_of(collector);
	for (i = 0; i < 10; i++)
		hand_over(1, getpid(), &rollup, 1);
	expect_descriptors(before + 1); /* the last one is kept */
	signal(SIGPROF, answer_at_once);
	assert_int_equal(get("/heap", "debug=1", &body, &len), 200);
	signal(SIGPROF, SIG_IGN);
	assert_int_equal(strncmp(body, "heap profile: 0: 0 [0: 1] @ heap/", 33),
	    0);
	assert_non_null(strstr(body, "\n# worker.1.Answered = yes\n"));
	assert_non_null(strstr(body, "\n# worker.1.MallocUsed = 4711\n"));
	at = strstr(body, "\n# worker.1.RSS = ");
	assert_non_null(at);
	assert_true(atol(strchr(at, '=') + 1) > 100000);
	free(body);
	/* Of another process than the one in the slot: of no use. */
	hand_over(1, getpid() + 1, &rollup, 1);
	assert_int_equal(get("/heap", "debug=1", &body, &len), 200);
	assert_null(strstr(body, "worker.1.RSS"));
	assert_non_null(strstr(body, "\n# worker.1.Kernel = not known"));
	free(body);
	close(rollup);
	end(0);
	arena->parent_pid = getpid();
}

static void
descriptors_that_are_no_rollup_are_refused(void **state)
{
	static const char *const path[] = { "/proc/self/exe", "/dev/zero",
		"/proc/self/task", "/proc/self/status" };
	int fd, pipes[2];
	char *body;
	long before;
	size_t len, i;

	(void)state;
	start(NULL);
	expect_alive();
	usleep(200000);
	before = descriptors_of(collector);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	hand_over(1, getpid(), pipes, 1);
	hand_over(1, getpid(), NULL, 0);
	for (i = 0; i < sizeof(path) / sizeof(path[0]); i++) {
		fd = open(path[i], O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		hand_over(0, getpid(), &fd, 1);
		hand_over(3, getpid(), &fd, 1);
		hand_over(UINT32_MAX, getpid(), &fd, 1);
		hand_over(1, -1, &fd, 1);
		expect_descriptors(before);
		hand_over(1, getpid(), &fd, 1);
		/* The last one is of /proc, and not a rollup all the same. */
		expect_descriptors(before + (i == 3));
		close(fd);
	}
	assert_int_equal(get("/heap", "debug=1", &body, &len), 200);
	assert_non_null(strstr(body, "\n# worker.1.Kernel = not known"));
	free(body);
	close(pipes[0]);
	close(pipes[1]);
	end(0);
}

/* A worker that is busy, and somebody else's request meanwhile. */
static void
waiting_for_a_worker_holds_up_nobody(void **state)
{
	int64_t begun = pp_clock_mono(), other;
	char *headers, *body;
	size_t len;
	int reply;

	(void)state;
	start(NULL);
	expect_alive();
	begun = pp_clock_mono();
	reply = request(PP_METHOD_GET, "/heap", "debug=1", NULL, 0);
	expect_alive();
	other = pp_clock_mono() - begun;
	assert_int_equal(answer(reply, &headers, &body, &len), 200);
	assert_non_null(strstr(body, "\n# worker.1.Answered = no"));
	assert_true(pp_clock_mono() - begun >= 100 * PP_NS_PER_MS);
	assert_true(other < pp_clock_mono() - begun);
	free(body);
	/* A client that hangs up while its worker is asked. */
	close(request(PP_METHOD_GET, "/heap", "gc=1", NULL, 0));
	expect_alive();
	end(0);
}

static void
signals_to_the_service_do_not_end_it(void **state)
{
	static const int sent[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE,
		SIGPROF };
	size_t i;

	(void)state;
	start(NULL);
	expect_alive();
	for (i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
		assert_int_equal(kill(collector, sent[i]), 0);
	expect_alive();
	end(0);
}

/* The value of a line of /proc/<pid>/status. */
static void
status_of(const char *key, char *out, size_t room)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", collector);
	file = fopen(path, "r");
	assert_non_null(file);
	out[0] = '\0';
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, key, strlen(key)) == 0)
			snprintf(out, room, "%s", line + strlen(key));
	}
	fclose(file);
}

static void
it_gives_up_its_rights_and_still_names_functions(void **state)
{
	char *extra[] = { (char *)(uintptr_t) "--user=nobody",
		(char *)(uintptr_t) "--root=/proc", NULL, NULL };
	char value[256], items[64], parent[32], path[64], *body;
	struct stat root;
	size_t len;

	(void)state;
	if (geteuid() != 0)
		skip();
	snprintf(parent, sizeof(parent), "--parent=%d", getpid());
	extra[2] = parent;
	start(extra);
	expect_alive();
	snprintf(path, sizeof(path), "/proc/%d/root/self", collector);
	assert_int_equal(lstat(path, &root), 0);
	status_of("Name:\t", value, sizeof(value));
	assert_string_equal(value, "pprof-collector\n");
	status_of("Uid:\t", value, sizeof(value));
	assert_string_equal(value, "65534\t65534\t65534\t65534\n");
	status_of("Gid:\t", value, sizeof(value));
	assert_string_equal(value, "65534\t65534\t65534\t65534\n");
	status_of("Groups:\t", value, sizeof(value));
	assert_string_equal(value, "65534 \n");
	status_of("CapEff:\t", value, sizeof(value));
	assert_string_equal(value, "0000000000000000\n");
	status_of("Seccomp:\t", value, sizeof(value));
	assert_string_equal(value, "2\n");
	snprintf(items, sizeof(items), "%#lx",
	    (unsigned long)(uintptr_t)status_of);
	assert_int_equal(get("/symbol", items, &body, &len), 200);
	assert_non_null(strstr(body, " status_of\n"));
	free(body);
	end(0);
}

static void
what_it_cannot_start_with_is_told_in_one_line(void **state)
{
	static const struct {
		const char *option, *sentence;
	} row[] = {
		{ "--user=no-such-user", "--user=no-such-user: no such user" },
		{ "--root=/no/such/dir", "--root=/no/such/dir: No such file" },
		{ "--root=here", "--root=here: must be an absolute path" },
		{ "--parent=1", "the parent 1 has ended" },
		{ "--parent=x", "--parent=x: must be a whole number from 1" },
		{ "--arena=2", "--arena=2: must be a whole number from 3" },
		{ "--arena=77", "--arena=77: Bad file descriptor" },
		{ "--socket=3", "three different descriptors" },
		{ "--socket=78", "--socket=78: not a SOCK_SEQPACKET socket" },
		{ "--what", "--what: no such option" },
		{ "more", "more: takes options only" },
	};
	char *extra[2] = { NULL, NULL }, line[2048];
	size_t i;
	int status;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		extra[0] = (char *)(uintptr_t)row[i].option;
		start(extra);
		assert_int_equal(waitpid(collector, &status, 0), collector);
		said(line, sizeof(line));
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 1 ||
		    strncmp(line, "pprof-collector: ", 17) != 0 ||
		    strstr(line, row[i].sentence) == NULL ||
		    strchr(line, '\n') != line + strlen(line) - 1)
			fail_msg("%s: it ended with %#x and said: %s",
			    row[i].option, (unsigned)status, line);
		close(ours);
		close(stderr_fd);
	}
}

static void
an_arena_of_another_build_is_refused(void **state)
{
	uint64_t magic = arena->magic;
	char line[2048];
	int status;

	(void)state;
	arena->magic++;
	start(NULL);
	assert_int_equal(waitpid(collector, &status, 0), collector);
	arena->magic = magic;
	said(line, sizeof(line));
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_string_equal(line,
	    "pprof-collector: --arena=3: not an arena of this build\n");
	close(ours);
	close(stderr_fd);
}

int
main(void)
{
	const char *build = getenv("B");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_answers_what_is_answered_at_once),
		cmocka_unit_test(
		    a_profile_of_one_second_has_the_samples_of_that_second),
		cmocka_unit_test(a_client_that_hangs_up_ends_its_profile),
		cmocka_unit_test(
		    many_profiles_end_together_and_each_is_answered),
		cmocka_unit_test(bodies_come_in_pieces_or_not_at_all),
		cmocka_unit_test(
		    lies_in_a_packet_close_its_sockets_and_nothing_else),
		cmocka_unit_test(random_packets_are_dropped),
		cmocka_unit_test(
		    objects_are_taken_once_and_no_descriptor_is_kept),
		cmocka_unit_test(
		    memory_of_a_worker_is_read_from_what_it_hands_over),
		cmocka_unit_test(descriptors_that_are_no_rollup_are_refused),
		cmocka_unit_test(waiting_for_a_worker_holds_up_nobody),
		cmocka_unit_test(signals_to_the_service_do_not_end_it),
		cmocka_unit_test(
		    it_gives_up_its_rights_and_still_names_functions),
		cmocka_unit_test(what_it_cannot_start_with_is_told_in_one_line),
		cmocka_unit_test(an_arena_of_another_build_is_refused),
	};

	snprintf(program, sizeof(program), "%s/pprof-collector",
	    build == NULL ? "build" : build);
	signal(SIGPROF, SIG_IGN);
	alarm(55);
	if ((arena = own_arena(&arena_fd)) == NULL) {
		perror("arena");
		return (1);
	}
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
