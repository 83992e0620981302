/*
 * hook/calls: a call passes the wrapper as if there were none, and is in the
 * trace while somebody traces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/trace.h"
#include "wait_fixture.h"

/*
 * The library that calls. Each line of `tries` is one call of each name, with
 * what it gave in a form that does not depend on the moment.
 */
static const char source[] =
    "#include <errno.h>\n"
    "#include <fcntl.h>\n"
    "#include <netdb.h>\n"
    "#include <poll.h>\n"
    "#include <signal.h>\n"
    "#include <stdarg.h>\n"
    "#include <stdio.h>\n"
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "#include <sys/epoll.h>\n"
    "#include <sys/file.h>\n"
    "#include <sys/resource.h>\n"
    "#include <sys/select.h>\n"
    "#include <sys/socket.h>\n"
    "#include <sys/stat.h>\n"
    "#include <sys/uio.h>\n"
    "#include <sys/un.h>\n"
    "#include <sys/wait.h>\n"
    "#include <pthread.h>\n"
    "#include <time.h>\n"
    "#include <unistd.h>\n"
    "ssize_t __read_chk(int, void *, size_t, size_t);\n"
    "ssize_t __recv_chk(int, void *, size_t, size_t, int);\n"
    "int __open_2(const char *, int);\n"
    "char told[8192]; static char buf[64];\n"
    "static void tell(const char *what, long got) {\n"
    "	char line[128]; int error = errno;\n"
    "	snprintf(line, sizeof(line), \"%s %ld %d %.16s\\n\", what, got,\n"
    "	    got == -1 ? error : 0, buf);\n"
    "	strcat(told, line); memset(buf, 0, sizeof(buf)); errno = 0; }\n"
    "#define T(name, call) tell(name, (long)(call))\n"
    "static mode_t mode_of(int fd) { struct stat st; fstat(fd, &st);\n"
    "	return st.st_mode & 0777; }\n"
    "static void files(const char *dir) {\n"
    "	char path[256]; int fd, at; struct iovec v[2] = {\n"
    "	    { buf, 2 }, { buf + 2, 3 } };\n"
    "	umask(0); at = open(dir, O_DIRECTORY);\n"
    "	T(\"open\", at > 0);\n"
    "	snprintf(path, sizeof(path), \"%s/a\", dir); unlink(path);\n"
    "	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0640);\n"
    "	T(\"open\", mode_of(fd)); T(\"open\",\n"
    "	    open(path, O_RDWR | O_CREAT | O_EXCL, 0640));\n"
    "	T(\"write\", write(fd, \"0123456789\", 10));\n"
    "	T(\"write\", write(-1, \"0\", 1));\n"
    "	T(\"pread\", pread(fd, buf, 4, 3));\n"
    "	T(\"pread\", pread64(fd, buf, 5, 2));\n"
    "	T(\"pwrite\", pwrite(fd, \"abc\", 3, 4));\n"
    "	T(\"pwrite\", pwrite64(fd, \"xy\", 2, 0));\n"
    "	lseek(fd, 0, SEEK_SET); T(\"read\", read(fd, buf, 10));\n"
    "	lseek(fd, 1, SEEK_SET); T(\"read\", __read_chk(fd, buf, 3, 64));\n"
    "	lseek(fd, 2, SEEK_SET); T(\"readv\", readv(fd, v, 2));\n"
    "	T(\"readv\", preadv(fd, v, 2, 1));\n"
    "	memcpy(buf, \"VWXYZ\", 5); lseek(fd, 0, SEEK_SET);\n"
    "	T(\"writev\", writev(fd, v, 2));\n"
    "	memcpy(buf, \"pqrst\", 5); T(\"writev\", pwritev(fd, v, 2, 5));\n"
    "	T(\"pread\", pread(fd, buf, 10, 0));\n"
    "	T(\"fsync\", fsync(fd)); T(\"fdatasync\", fdatasync(-1));\n"
    "	T(\"flock\", flock(fd, LOCK_EX)); close(fd);\n"
    "	unlinkat(at, \"b\", 0);\n"
    "	fd = openat(at, \"b\", O_WRONLY | O_CREAT, 0604);\n"
    "	T(\"open\", mode_of(fd)); close(fd);\n"
    "	fd = open64(path, O_RDONLY); T(\"open\", mode_of(fd)); close(fd);\n"
    "	fd = __open_2(path, O_RDONLY); T(\"open\", mode_of(fd)); close(fd);\n"
    "	close(at); }\n"
    "static void sockets(const char *dir) {\n"
    "	struct sockaddr_un name = { AF_UNIX }; socklen_t len = sizeof(name);\n"
    "	int s[2], l, c, a; struct iovec v = { \"msg\", 3 }, w = { buf, 64 };\n"
    "	struct msghdr out = { 0 }, in = { 0 };\n"
    "	out.msg_iov = &v; in.msg_iov = &w; out.msg_iovlen = in.msg_iovlen = 1;\n"
    "	socketpair(AF_UNIX, SOCK_STREAM, 0, s);\n"
    "	T(\"send\", send(s[0], \"hello\", 5, 0));\n"
    "	T(\"recv\", recv(s[1], buf, 2, MSG_PEEK));\n"
    "	T(\"recv\", __recv_chk(s[1], buf, 2, 64, 0));\n"
    "	T(\"recv\", recvfrom(s[1], buf, 64, MSG_DONTWAIT, NULL, NULL));\n"
    "	T(\"recv\", recv(s[1], buf, 64, MSG_DONTWAIT));\n"
    "	T(\"send\", sendto(s[1], \"back\", 4, MSG_NOSIGNAL, NULL, 0));\n"
    "	T(\"recv\", recv(s[0], buf, 64, 0));\n"
    "	T(\"sendmsg\", sendmsg(s[0], &out, 0));\n"
    "	T(\"recvmsg\", recvmsg(s[1], &in, 0));\n"
    "	snprintf(name.sun_path, sizeof(name.sun_path), \"%s/s\", dir);\n"
    "	unlink(name.sun_path); l = socket(AF_UNIX, SOCK_STREAM, 0);\n"
    "	bind(l, (void *)&name, sizeof(name)); listen(l, 2);\n"
    "	c = socket(AF_UNIX, SOCK_STREAM, 0);\n"
    "	T(\"connect\", connect(c, (void *)&name, sizeof(name)));\n"
    "	T(\"accept\", (a = accept(l, NULL, NULL)) > 0); close(a); close(c);\n"
    "	c = socket(AF_UNIX, SOCK_STREAM, 0);\n"
    "	T(\"connect\", connect(c, (void *)&name, sizeof(name)));\n"
    "	a = accept4(l, (void *)&name, &len, SOCK_CLOEXEC);\n"
    "	T(\"accept\", fcntl(a, F_GETFD)); close(a); close(c); close(l);\n"
    "	close(s[0]); close(s[1]); }\n"
    "static void waits(void) {\n"
    "	struct timespec soon = { 0, 30000000 }, at_once = { 0, 0 };\n"
    "	struct epoll_event e; int fd = epoll_create1(0), status = 7;\n"
    "	struct timeval now = { 0, 1 };\n"
    "	struct rusage used; pid_t pid; struct addrinfo *found = NULL;\n"
    "	T(\"poll\", ppoll(NULL, 0, &soon, NULL));\n"
    "	T(\"select\", pselect(0, NULL, NULL, NULL, &at_once, NULL));\n"
    "	T(\"epoll_wait\", epoll_pwait(fd, &e, 1, 0, NULL)); close(fd);\n"
    "	T(\"nanosleep\", nanosleep(&at_once, NULL));\n"
    "	T(\"nanosleep\", clock_nanosleep(CLOCK_MONOTONIC, 0, &at_once, NULL));\n"
    "	T(\"nanosleep\", usleep(1)); T(\"nanosleep\", sleep(0));\n"
    "	T(\"poll\", poll(NULL, 0, 1)); fd = epoll_create1(0);\n"
    "	T(\"select\", select(0, NULL, NULL, NULL, &now));\n"
    "	T(\"epoll_wait\", epoll_wait(fd, &e, 1, 1)); close(fd);\n"
    "	T(\"getaddrinfo\", getaddrinfo(\"127.0.0.1\", \"80\", NULL, &found));\n"
    "	if (found != NULL) freeaddrinfo(found);\n"
    "	if ((pid = fork()) == 0) _exit(3);\n"
    "	T(\"waitpid\", waitpid(pid, &status, 0) == pid);\n"
    "	T(\"status\", WEXITSTATUS(status));\n"
    "	if ((pid = fork()) == 0) _exit(4);\n"
    "	T(\"waitpid\", wait4(pid, &status, 0, &used) == pid);\n"
    "	T(\"status\", WEXITSTATUS(status)); }\n"
    "void calls(const char *dir) { told[0] = '\\0'; errno = 0;\n"
    "	files(dir); sockets(dir); waits(); }\n"
    "static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;\n"
    "static _Atomic int has;\n"
    "static void *holds(void *unused) { struct timespec t = { 0, 20000000 };\n"
    "	pthread_mutex_lock(&lock); has = 1; nanosleep(&t, NULL);\n"
    "	pthread_mutex_unlock(&lock); return unused; }\n"
    "int waits_for_lock(void) { int result;\n"
    "	result = pthread_mutex_lock(&lock); return result; }\n"
    "void contended(void) { pthread_t t; pthread_create(&t, NULL, holds, NULL);\n"
    "	while (!has) ; waits_for_lock(); pthread_mutex_unlock(&lock);\n"
    "	waits_for_lock(); pthread_mutex_unlock(&lock);\n"
    "	pthread_join(t, NULL); }\n"
    "int slow(void) { struct timespec t = { 0, 20000000 };\n"
    "	int result = ppoll(NULL, 0, &t, NULL); return result; }\n";

#define NAME(name, others) #name,
static const char *const names[] = { PP_CALL_TABLE(NAME) };

static char plain[8192];

static int
prepare(void **state)
{
	if (fixture_setup(state) == -1)
		return (-1);
	wait_load(source);
	/* Before anything is wrapped. */
	wait_call(void (*)(const char *), "calls")(fixture_dir);
	(void)strcpy(plain, wait_symbol("told"));
	return (wait_begin());
}

static void
trace_with(uint32_t number)
{
	atomic_store(&wait_arena->control.trace, number);
	pp_trace_apply();
	pp_wait_apply();
	pp_record_skip(wait_slot(), 0);
	pp_trace_begin_loop();
}

static int
take(uint64_t *record, uint32_t *kind, uint32_t *n)
{
	int words = pp_record_take(wait_slot(), 0,
	    pp_record_reached(wait_slot(), 0), record);

	*kind = (uint32_t)(record[0] >> 8 & 0xff);
	*n = (uint32_t)(record[0] >> 16 & 0xffff);
	return (words);
}

static void
nobody_sees_a_difference_while_it_is_off(void **state)
{
	(void)state;
	assert_non_null(strstr(plain, "waitpid"));
	wait_call(void (*)(const char *), "calls")(fixture_dir);
	assert_string_equal(wait_symbol("told"), plain);
}

static void
nobody_sees_a_difference_while_it_is_on(void **state)
{
	uint64_t record[PP_TRACE_RECORD_MAX];
	char line[64], *at = plain;
	uint32_t kind, n, calls = 0;

	(void)state;
	trace_with(1);
	wait_call(void (*)(const char *), "calls")(fixture_dir);
	assert_string_equal(wait_symbol("told"), plain);
	assert_true(take(record, &kind, &n) > 0);
	assert_int_equal(kind, PP_TRACE_BEGIN);
	/* What was told, call by call, is what was traced. */
	for (; sscanf(at, "%63s", line) == 1; at = strchr(at, '\n') + 1) {
		if (strcmp(line, "status") == 0)
			continue;
		assert_int_equal(take(record, &kind, &n), 2);
		assert_int_equal(kind, PP_TRACE_CALL);
		assert_in_range(n, 0, PP_CALL_COUNT - 1);
		assert_string_equal(names[n], line);
		assert_int_equal(take(record, &kind, &n), 3);
		assert_int_equal(kind, PP_TRACE_CALL_END);
		assert_string_equal(names[n], line);
		calls++;
	}
	assert_int_equal(take(record, &kind, &n), 0);
	assert_in_range(calls, 45, 80);
	trace_with(0);
}

static void
one_that_takes_long_has_the_stack_of_its_caller(void **state)
{
	uint64_t record[PP_TRACE_RECORD_MAX], began;
	uint32_t kind, n;

	(void)state;
	trace_with(2);
	assert_int_equal(wait_call(int (*)(void), "slow")(), 0);
	assert_true(take(record, &kind, &n) > 0);
	assert_true(take(record, &kind, &n) > 0);
	assert_int_equal(kind, PP_TRACE_CALL);
	assert_int_equal(n, PP_CALL_poll);
	began = record[1];
	assert_true(take(record, &kind, &n) > 0);
	assert_int_equal(kind, PP_TRACE_CALL_END);
	assert_true(record[1] - began >= 20 * PP_NS_PER_MS);
	assert_true(wait_stack_has((uint32_t)record[2], "slow", 1));
	trace_with(0);
}

static void
a_wait_for_a_lock_is_traced_though_nobody_samples_waits(void **state)
{
	uint64_t record[PP_TRACE_RECORD_MAX], began;
	uint32_t kind, n;

	(void)state;
	trace_with(3);
	wait_call(void (*)(void), "contended")();
	assert_true(take(record, &kind, &n) > 0);
	assert_true(take(record, &kind, &n) > 0);
	assert_int_equal(kind, PP_TRACE_WAIT);
	assert_int_equal(n, PP_WAIT_MUTEX);
	began = record[1];
	assert_true(take(record, &kind, &n) > 0);
	assert_int_equal(kind, PP_TRACE_WAIT_END);
	assert_int_equal(n, PP_WAIT_MUTEX);
	assert_true(record[1] - began >= 10 * PP_NS_PER_MS);
	assert_true(wait_stack_has((uint32_t)record[2], "waits_for_lock", 1));
	/* Taken at once it is none. */
	assert_true(take(record, &kind, &n) > 0);
	assert_int_equal(kind, PP_TRACE_WAIT);
	assert_int_equal(n, PP_WAIT_JOIN);
	assert_int_equal(wait_block(0, ANY_WAIT, NULL).ns, 0);
	trace_with(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_sees_a_difference_while_it_is_off),
		cmocka_unit_test(nobody_sees_a_difference_while_it_is_on),
		cmocka_unit_test(
		    one_that_takes_long_has_the_stack_of_its_caller),
		cmocka_unit_test(
		    a_wait_for_a_lock_is_traced_though_nobody_samples_waits),
	};

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
