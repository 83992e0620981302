/*
 * What a sample does not do: allocate, take a lock, make a system call. For a
 * caller that the thread has not met before the unwinder takes a lock of its
 * own, and may ask whether a page is there.
 *
 * Allocations and locks are counted by functions that stand before libc's;
 * a system call ends a child that may not make it.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>

#include "heap_calls.h"
#include "heap_counted.h"
#include "heap_followed.h"

#define ROUNDS 1000

/* A loop counter that the compiler cannot see through: what is called in the
 * loop has one caller, not one for each time round. */
typedef volatile int once_more;

static __thread unsigned long counted_locks;

/* Ours stands before libc's for all libraries; its own way in stays. */
int
pthread_mutex_lock(pthread_mutex_t *lock)
{
	static int (*real)(pthread_mutex_t *);

	counted_locks++;
	/* dlsym() takes none of these. */
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_lock");
	return (real(lock));
}

static int
prepare(void **state)
{
	if (fixture_setup(state) == -1)
		return (-1);
	heap_library = heap_load("calls.c", heap_calls,
	    HEAP_CC "-o calls.so calls.c", "calls.so");
	return (heap_begin());
}

/* ROUNDS of malloc() and free(), all of them samples. */
static void
rounds(void)
{
	void *(*one)(size_t) = heap_function(void *(*)(size_t), "one");
	void (*gone)(void *) = heap_function(void (*)(void *), "gone");
	int i;

	for (i = 0; i < ROUNDS; i++)
		gone(one((size_t)i));
}

static void
the_counters_count(void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	unsigned long allocs = counted_allocs, frees = counted_frees;
	unsigned long locks = counted_locks;

	(void)state;
	heap_rate(0);
	rounds();
	assert_int_equal(counted_allocs - allocs, ROUNDS);
	assert_int_equal(counted_frees - frees, ROUNDS);
	(void)pthread_mutex_lock(&lock);
	(void)pthread_mutex_unlock(&lock);
	assert_int_equal(counted_locks - locks, 1);
	heap_rate(1);
}

/* Callers that nobody has met before: called once in this program, here or in
 * a child. */
static unsigned long
met_by_parent(void)
{
	unsigned long allocs = counted_allocs;

	heap_function(void (*)(void), "by_realloc_null")();
	heap_function(void (*)(void), "by_strdup")();
	heap_function(void (*)(void), "by_malloc")();
	return (counted_allocs - allocs);
}

static void
met_by_child(void)
{
	heap_function(void (*)(void), "by_strndup")();
	heap_function(void (*)(void), "by_realloc_shrinking")();
	heap_function(void (*)(void), "by_realloc_in_place")();
}

static void
a_sample_allocates_nothing(void **state)
{
	unsigned long allocs = counted_allocs, frees = counted_frees;
	struct heap_sum sum;
	uint32_t label, was;

	(void)state;
	label = heap_label("quiet");
	was = pp_label_swap(label);
	rounds();
	assert_int_equal(counted_allocs - allocs, ROUNDS);
	assert_int_equal(counted_frees - frees, ROUNDS);
	assert_int_equal(met_by_parent(), 5);
	heap_drop();
	(void)pp_label_swap(was);
	sum = heap_sum(label);
	assert_int_equal(sum.allocs, ROUNDS + 5);
	assert_int_equal(sum.frees, ROUNDS + 5);
}

struct in_thread {
	unsigned long allocs, frees;
	void *(*one)(size_t);
	void (*gone)(void *);
};

static void *
first_sample_of_a_thread(void *arg)
{
	struct in_thread *t = arg;

	(void)pp_label_swap(heap_label("thread"));
	t->allocs = counted_allocs;
	t->frees = counted_frees;
	t->gone(t->one(77));
	t->allocs = counted_allocs - t->allocs;
	t->frees = counted_frees - t->frees;
	return (NULL);
}

/* Also in a thread that just began: its unwinder was warmed up. */
static void
a_threads_first_sample_allocates_nothing(void **state)
{
	int (*begin)(pthread_t *, void *(*)(void *), void *);
	struct in_thread t;
	pthread_t thread;

	(void)state;
	*(void **)&begin = heap_symbol(heap_library, "begin");
	t.one = heap_function(void *(*)(size_t), "one");
	t.gone = heap_function(void (*)(void *), "gone");
	assert_int_equal(begin(&thread, first_sample_of_a_thread, &t), 0);
	(void)pthread_join(thread, NULL);
	assert_sum(heap_sum(heap_label("thread")), 1, 77, 1, 77);
	assert_int_equal(t.allocs, 1);
	assert_int_equal(t.frees, 1);
}

static void
a_sample_in_a_known_stack_takes_no_lock(void **state)
{
	unsigned long locks = 0;
	once_more i;

	(void)state;
	for (i = 0; i < 2; i++) {
		locks = counted_locks;
		rounds();
		locks = counted_locks - locks;
	}
	assert_int_equal(locks, 0);
}

enum child { KNOWN_CALLERS, NEW_CALLERS, FORBIDDEN };

static void
child_under(const struct sock_fprog *filter, enum child what)
{
	once_more i;

	if (what != FORBIDDEN)
		pp_self_start(heap_arena, HEAP_SLOT);
	for (i = 0; i < 2; i++) {
		if (i == 1 &&
		    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
			prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter) ==
			    -1))
			_exit(1);
		rounds();
	}
	if (what == NEW_CALLERS)
		met_by_child();
	if (what == FORBIDDEN)
		(void)getppid();
	(void)syscall(SYS_exit, 3);
}

static int
status_of_child(const struct sock_fprog *filter, enum child what)
{
	int status;
	pid_t pid;

	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		child_under(filter, what);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	pp_self_leave();
	pp_self_start(heap_arena, HEAP_SLOT);
	return (status);
}

#define ALLOW(call)                                                            \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                 \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define LOAD_CALL                                                              \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

#define assert_exited(status)                                                  \
	do {                                                                   \
		assert_true(WIFEXITED(status));                                \
		assert_int_equal(WEXITSTATUS(status), 3);                      \
	} while (0)

static void
a_sample_in_a_known_stack_makes_no_system_call(void **state)
{
	struct sock_filter none[] = { LOAD_CALL, ALLOW(exit), KILL };
	struct sock_fprog filter = { sizeof(none) / sizeof(none[0]), none };

	(void)state;
	assert_exited(status_of_child(&filter, KNOWN_CALLERS));
	assert_true(WIFSIGNALED(status_of_child(&filter, FORBIDDEN)));
}

/* libunwind asks whether a page is there before it reads it. */
static void
for_a_new_caller_the_unwinder_makes_these_calls_only(void **state)
{
	struct sock_filter some[] = { LOAD_CALL, ALLOW(exit), ALLOW(mincore),
		ALLOW(read), ALLOW(write), KILL };
	struct sock_fprog filter = { sizeof(some) / sizeof(some[0]), some };

	(void)state;
	assert_exited(status_of_child(&filter, NEW_CALLERS));
	assert_true(WIFSIGNALED(status_of_child(&filter, FORBIDDEN)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_counters_count),
		cmocka_unit_test(a_sample_allocates_nothing),
		cmocka_unit_test(a_threads_first_sample_allocates_nothing),
		cmocka_unit_test(a_sample_in_a_known_stack_takes_no_lock),
		cmocka_unit_test(
		    a_sample_in_a_known_stack_makes_no_system_call),
		cmocka_unit_test(
		    for_a_new_caller_the_unwinder_makes_these_calls_only),
	};

	return (cmocka_run_group_tests(tests, prepare, fixture_teardown));
}
