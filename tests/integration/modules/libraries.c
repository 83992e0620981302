/*
 * A Kore application that loads and unloads libraries in its handlers, in each
 * way that there is, and calls what is in them. What the libraries are is in
 * libraries/.
 *
 *     /call?lib=NAME&how=FLAGS&function=NAME&n=NUMBER&times=NUMBER
 *
 * FLAGS are letters: l lazy, d RTLD_DEEPBIND, g RTLD_GLOBAL, m dlmopen() into
 * a namespace of its own, k kept open (otherwise closed again), t each function
 * in a loop until n ms of CPU time are used, M another thread maps memory all
 * the time.
 *
 * Rule: nothing here knows of the profiler.
 */
#define _GNU_SOURCE /* dlmopen() */

#include <kore/kore.h>
#include <kore/http.h>
#include <kore/seccomp.h>

#include <sys/mman.h>

#include <dlfcn.h>
#include <iconv.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What the application needs for this, with the module or without. */
KORE_SECCOMP_FILTER("libraries", KORE_SYSCALL_ALLOW(clone),
    KORE_SYSCALL_ALLOW(clone3), KORE_SYSCALL_ALLOW(rseq),
    KORE_SYSCALL_ALLOW(set_robust_list), KORE_SYSCALL_ALLOW(openat),
    KORE_SYSCALL_ALLOW(newfstatat), KORE_SYSCALL_ALLOW(pread64),
    KORE_SYSCALL_ALLOW(mmap), KORE_SYSCALL_ALLOW(mprotect),
    KORE_SYSCALL_ALLOW(munmap), KORE_SYSCALL_ALLOW(madvise),
    KORE_SYSCALL_ALLOW(clock_nanosleep), KORE_SYSCALL_ALLOW(readlink),
    KORE_SYSCALL_ALLOW(prlimit64))

int page_call(struct http_request *);
int page_iconv(struct http_request *);
int page_pools(struct http_request *);
int page_who(struct http_request *);

static int
reply(struct http_request *req, const char *text)
{
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}

static int64_t
cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (t.tv_sec * 1000000000LL + t.tv_nsec);
}

static const char *
query(struct http_request *req, const char *key, const char *otherwise)
{
	static char values[8][256];
	static unsigned int turn;
	const char *at = req->query_string;
	size_t len = strlen(key);
	char *value = values[turn++ % 8];

	while (at != NULL && *at != '\0') {
		if (strncmp(at, key, len) == 0 && at[len] == '=') {
			(void)snprintf(value, sizeof(values[0]), "%.*s",
			    (int)strcspn(at + len + 1, "&"), at + len + 1);
			return (value);
		}
		at = strchr(at, '&');
		at += at != NULL;
	}
	return (otherwise);
}

static volatile int mapping;

static void *
maps(void *unused)
{
	size_t turn, len;
	void *p;

	(void)unused;
	for (turn = 0; mapping; turn++) {
		len = (size_t)4096 << turn % 4;
		p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p != MAP_FAILED && turn % 2 == 0)
			(void)munmap(p, len);
	}
	return (NULL);
}

static void *
open_library(const char *lib, const char *how)
{
	int mode = strchr(how, 'l') ? RTLD_LAZY : RTLD_NOW;

	if (strchr(how, 'd'))
		mode |= RTLD_DEEPBIND;
	if (strchr(how, 'g'))
		mode |= RTLD_GLOBAL;
	if (strchr(how, 'm'))
		return (dlmopen(LM_ID_NEWLM, lib, mode));
	return (dlopen(lib, mode));
}

static int
call(void *library, const char *how, const char *name, int n)
{
	int (*function)(int), result;
	int64_t until = cpu_ns() + n * 1000000LL;

	*(void **)&function = dlsym(library, name);
	if (function == NULL)
		return (-1);
	do
		result = function(n);
	while (strchr(how, 't') && cpu_ns() < until);
	return (result);
}

int
page_call(struct http_request *req)
{
	const char *how = query(req, "how", "k");
	const char *lib = query(req, "lib", "");
	const char *function = query(req, "function", "go");
	int n = atoi(query(req, "n", "0"));
	int times = atoi(query(req, "times", "1")), result = -1;
	pthread_t thread;
	void *library;
	char text[256];

	mapping = strchr(how, 'M') != NULL;
	if (mapping && pthread_create(&thread, NULL, maps, NULL) != 0)
		return (reply(req, "no thread"));
	while (times-- > 0) {
		library = open_library(lib, how);
		if (library == NULL) {
			(void)snprintf(text, sizeof(text), "%s", dlerror());
			return (reply(req, text));
		}
		result = call(library, how, function, n);
		if (strchr(how, 'k') == NULL)
			(void)dlclose(library);
	}
	if (mapping) {
		mapping = 0;
		(void)pthread_join(thread, NULL);
	}
	(void)snprintf(text, sizeof(text), "%d", result);
	return (reply(req, text));
}

/* libc loads what it converts by. */
int
page_iconv(struct http_request *req)
{
	int64_t until = cpu_ns() + atoi(query(req, "n", "0")) * 1000000LL;
	iconv_t conversion = iconv_open(query(req, "to", "UTF-8"), "EUC-JP");
	char in[4096], out[8192], *from, *to;
	size_t left, room;

	if (conversion == (iconv_t)-1)
		return (reply(req, "no conversion"));
	memset(in, 0xb0, sizeof(in));
	do {
		from = in;
		to = out;
		left = sizeof(in);
		room = sizeof(out);
		(void)iconv(conversion, &from, &left, &to, &room);
	} while (cpu_ns() < until);
	(void)iconv_close(conversion);
	return (reply(req, left == 0 ? "0" : "1"));
}

/* Kore's own allocator, and hardly anything else. */
int
page_pools(struct http_request *req)
{
	int64_t until = cpu_ns() + atoi(query(req, "n", "0")) * 1000000LL;
	int i;

	do {
		for (i = 0; i < 10000; i++)
			kore_free(kore_malloc(16));
	} while (cpu_ns() < until);
	return (reply(req, "0"));
}

int
page_who(struct http_request *req)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%u %d", worker->id, getpid());
	return (reply(req, text));
}
