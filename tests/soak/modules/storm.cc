/*
 * A C++ module whose every request does what profilers die of: allocations,
 * dlopen() and dlclose(), fork(), a longjmp out of 20 frames, exceptions, a
 * contended lock. OBJECTS allocations a request are the truth of its profile.
 *
 * Rule: a step that failed is a 500, which the load counts as a lost request.
 */
extern "C" {
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/seccomp.h>
}

#include <sys/wait.h>

#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdexcept>
#include <unistd.h>

#define OBJECTS 10
#define BYTES	4000
#define FRAMES	20
#define HELD_US 200
#define LOOKS	100000 /* for somebody who waits, 50 us each */

extern "C" int page_storm(struct http_request *);
extern "C" int page_who(struct http_request *);
extern "C" void kore_seccomp_hook(const char *);
extern "C" void storm_allocates(void);

static struct sock_filter rules[] = {
	KORE_SYSCALL_ALLOW(wait4),
	KORE_SYSCALL_ALLOW(clone),
	KORE_SYSCALL_ALLOW(set_robust_list),
	KORE_SYSCALL_ALLOW(prctl),
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int held;
static void *volatile kept;
static volatile int drain;
static sigjmp_buf bottom;

extern "C" void
kore_seccomp_hook(const char *program)
{
	(void)program;
	(void)kore_seccomp_filter("storm", rules, KORE_FILTER_LEN(rules));
}

extern "C" __attribute__((noinline)) void
storm_allocates(void)
{
	int i;

	for (i = 0; i < OBJECTS; i++) {
		kept = malloc(BYTES);
		free(kept);
	}
}

/* PLUG is the library's path, the same inside the root and outside. */
static int
storm_opens(void)
{
	int (*call)(int);
	void *library;
	int right;

	if ((library = dlopen(PLUG, RTLD_NOW | RTLD_LOCAL)) == NULL)
		return (0);
	*(void **)&call = dlsym(library, "plug_twice");
	right = call != NULL && call(21) == 42;
	return (dlclose(library) == 0 && right);
}

static int
storm_forks(void)
{
	int status;
	pid_t pid;

	if ((pid = fork()) == 0) {
		storm_allocates();
		_exit(7);
	}
	while (pid > 0 && waitpid(pid, &status, 0) == -1) {
		if (errno != EINTR)
			return (0);
	}
	return (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

__attribute__((noinline)) static void
storm_jumps(int left)
{
	if (left == 0)
		siglongjmp(bottom, 5);
	storm_jumps(left - 1);
	drain += left; /* no tail call */
}

__attribute__((noinline)) static void
storm_throws(int left)
{
	if (left == 0)
		throw std::runtime_error("bottom");
	storm_throws(left - 1);
	drain += left;
}

static int
storm_leaves(void)
{
	if (sigsetjmp(bottom, 1) == 0)
		storm_jumps(FRAMES);
	try {
		storm_throws(FRAMES);
	} catch (const std::runtime_error &error) {
		return (error.what()[0] == 'b');
	}
	return (0);
}

/* Until somebody waits for it: glibc then makes the lock's word a 2. */
static void *
storm_holds(void *unused)
{
	int i;

	(void)pthread_mutex_lock(&lock);
	__atomic_store_n(&held, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < LOOKS &&
	     __atomic_load_n(&lock.__data.__lock, __ATOMIC_SEQ_CST) != 2;
	     i++)
		(void)usleep(50);
	(void)usleep(HELD_US);
	(void)pthread_mutex_unlock(&lock);
	return (unused);
}

extern "C" __attribute__((noinline)) void
storm_locks(void)
{
	(void)pthread_mutex_lock(&lock);
	(void)pthread_mutex_unlock(&lock);
	drain++;
}

static int
storm_waits(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, storm_holds, NULL) != 0)
		return (0);
	while (!__atomic_load_n(&held, __ATOMIC_SEQ_CST))
		(void)usleep(50);
	storm_locks();
	(void)pthread_join(thread, NULL);
	__atomic_store_n(&held, 0, __ATOMIC_SEQ_CST);
	return (1);
}

extern "C" int
page_storm(struct http_request *req)
{
	const char *failed = NULL;

	storm_allocates();
	if (!storm_opens())
		failed = "dlopen";
	else if (!storm_forks())
		failed = "fork";
	else if (!storm_leaves())
		failed = "longjmp, exceptions";
	else if (!storm_waits())
		failed = "lock";
	if (failed != NULL)
		kore_log(LOG_NOTICE, "storm: %s: %s", failed, errno_s);
	http_response(req, failed == NULL ? 200 : 500, "storm", 5);
	return (KORE_RESULT_OK);
}

extern "C" int
page_who(struct http_request *req)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%d %d\n", worker->id,
	    (int)getpid());
	http_response(req, 200, text, strlen(text));
	return (KORE_RESULT_OK);
}
