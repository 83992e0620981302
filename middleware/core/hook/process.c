/*
 * See process.h. Cold: threads and objects come and go seldom.
 */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/often.h"
#include "capture/self.h"
#include "capture/signal.h"
#include "capture/thread.h"
#include "capture/unwind_list.h"
#include "capture/wait.h"
#include "hook/alloc.h"
#include "hook/calls.h"
#include "hook/locks.h"
#include "hook/masks.h"
#include "hook/process.h"
#include "hook/raw.h"
#include "hook/signals.h"
#include "hook/sleeps.h"
#include "hook/sockets.h"
#include "hook/threads.h"

static int (*real_pthread_create)(pthread_t *, const pthread_attr_t *,
    void *(*)(void *), void *);
static void *(*real_dlopen)(const char *, int);
static int (*real_dlclose)(void *);

static const struct pp_got_hook *extra_hooks;
static size_t extra_count;
static pp_objects_seen_fn object_seen;
static pthread_key_t leave_key;
/* Held while the tables are walked; dlopen() from a constructor within ours
 * comes from the same thread. */
static pthread_mutex_t scan_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
PP_OFTEN_DATA static atomic_int behind;

struct thread_start {
	void *(*function)(void *);
	void *argument;
	struct pp_thread_birth birth;
	int blocked; /* its creator believes SIGPROF blocked */
};

__thread void *pp_process_argument;
static size_t default_stack_size;

/* Behind the destructors of all other keys, whose CPU time is the thread's, too:
 * the C library goes round PTHREAD_DESTRUCTOR_ITERATIONS times while a key has a
 * value. */
static void
thread_ends(void *rounds)
{
	uintptr_t left = (uintptr_t)rounds - 1;

	if (left == 0 ||
	    pthread_setspecific(leave_key, (const void *)left) != 0)
		pp_thread_leave();
}

/* The key's destructor runs however the thread ends. */
void
pp_process_thread_begins(const struct pp_thread_birth *birth)
{
	pp_thread_enter(birth);
	pp_signal_known((uintptr_t)pthread_self());
	(void)pthread_setspecific(leave_key,
	    (const void *)(uintptr_t)PTHREAD_DESTRUCTOR_ITERATIONS);
}

static void
thread_is_unknown(void)
{
	const struct pp_thread_birth birth = { 0 };

	pp_process_thread_begins(&birth);
}

struct pp_thread_birth
pp_process_birth(uintptr_t function)
{
	return ((struct pp_thread_birth){ .stack_size = default_stack_size,
	    .function = function,
	    .creator = pp_wait_stack(),
	    .label = pp_label_now });
}

static void *
thread_begins(void *arg)
{
	struct thread_start start = *(struct thread_start *)arg;

	free(arg);
	pp_signal_enter(start.blocked);
	pp_process_thread_begins(&start.birth);
	pp_process_argument = start.argument;
	return (start.function(start.argument));
}

static int
hook_pthread_create(pthread_t *thread, const pthread_attr_t *attr,
    void *(*function)(void *), void *argument)
{
	struct thread_start *start;
	size_t guard = 0;
	int error;

	if (pp_self.worker == 0 || (start = malloc(sizeof(*start))) == NULL)
		return (real_pthread_create(thread, attr, function, argument));
	start->function = function;
	start->argument = argument;
	start->birth = pp_process_birth((uintptr_t)function);
	if (attr != NULL &&
	    pthread_attr_getstacksize(attr, &start->birth.stack_size) == 0 &&
	    pthread_attr_getguardsize(attr, &guard) == 0 &&
	    guard < start->birth.stack_size)
		start->birth.stack_size -= guard;
	start->blocked = pp_masks_inherited(attr);
	error = real_pthread_create(thread, attr, thread_begins, start);
	if (error != 0)
		free(start);
	return (error);
}

static void patch_all(void);

static void
objects_changed(void)
{
	(void)pthread_mutex_lock(&scan_lock);
	atomic_store(&behind, 0);
	pp_unwind_list_refresh();
	patch_all();
	pp_objects_scan(object_seen);
	(void)pthread_mutex_unlock(&scan_lock);
}

/* When it failed, what was lent is taken back, and nothing is looked up: the
 * caller may ask dlerror() why. */
static void
objects_arrived(int loaded)
{
	if (loaded) {
		objects_changed();
		return;
	}
	(void)pthread_mutex_lock(&scan_lock);
	pp_objects_scan(object_seen);
	(void)pthread_mutex_unlock(&scan_lock);
}

static void
objects_expected(const char *path)
{
	(void)pthread_mutex_lock(&scan_lock);
	pp_objects_release(path);
	(void)pthread_mutex_unlock(&scan_lock);
}

static void *
hook_dlopen(const char *path, int mode)
{
	void *handle;

	/* A name without a slash is searched for by the caller's own RUNPATH,
	 * and $ORIGIN is the caller's place: the call must come from there.
	 * The compiler makes a jump of it, and we look later. */
	if (path != NULL &&
	    (strchr(path, '/') == NULL || strchr(path, '$') != NULL)) {
		atomic_store(&behind, 1);
		return (real_dlopen(path, mode));
	}
	if (path != NULL)
		objects_expected(path);
	pp_unwind_off++;
	handle = real_dlopen(path, mode);
	pp_unwind_off--;
	if (path != NULL)
		objects_arrived(handle != NULL);
	return (handle);
}

static int
hook_dlclose(void *handle)
{
	int result;

	pp_unwind_off++;
	result = real_dlclose(handle);
	pp_unwind_off--;
	objects_changed();
	return (result);
}

static const struct pp_got_hook own_hooks[] = {
	{ "pthread_create", (void *)hook_pthread_create,
	    (void **)&real_pthread_create, PP_GOT_ALL },
	{ "dlopen", (void *)hook_dlopen, (void **)&real_dlopen, PP_GOT_ALL },
	{ "dl_iterate_phdr", (void *)pp_unwind_iterate,
	    (void **)&pp_unwind_real_iterate, PP_GOT_UNWINDER },
	{ "sigprocmask", (void *)pp_unwind_sigprocmask,
	    (void **)&pp_unwind_real_sigprocmask, PP_GOT_UNWINDER },
	{ "pthread_sigmask", (void *)pp_unwind_sigmask,
	    (void **)&pp_unwind_real_sigmask, PP_GOT_UNWINDER },
	{ "dlclose", (void *)hook_dlclose, (void **)&real_dlclose, PP_GOT_ALL },
};

#define OWN_HOOKS (sizeof(own_hooks) / sizeof(own_hooks[0]))

static int patch_result;

#define HOOKS_MAX                                                              \
	(OWN_HOOKS + PP_LOCK_HOOKS + PP_TIMED_HOOKS + PP_C11_HOOKS +           \
	    PP_SLEEP_HOOKS + PP_SOCKET_HOOKS + PP_CALL_HOOKS +                 \
	    PP_SIGNAL_HOOKS + PP_MASK_HOOKS + PP_RAW_HOOKS + PP_ALLOC_HOOKS +  \
	    PP_THREAD_HOOKS + PP_PROCESS_HOOKS_MAX)

static size_t
hooks_add(struct pp_got_hook *all, size_t used, const struct pp_got_hook *more,
    size_t count)
{
	if (count != 0)
		memcpy(all + used, more, count * sizeof(*more));
	return (used + count);
}

static void
patch_all(void)
{
	struct pp_got_hook all[HOOKS_MAX];
	size_t used;

	used = hooks_add(all, 0, own_hooks, OWN_HOOKS);
	used = hooks_add(all, used, pp_lock_hooks, PP_LOCK_HOOKS);
	used = hooks_add(all, used, pp_timed_hooks, PP_TIMED_HOOKS);
	used = hooks_add(all, used, pp_c11_hooks, PP_C11_HOOKS);
	used = hooks_add(all, used, pp_sleep_hooks, PP_SLEEP_HOOKS);
	used = hooks_add(all, used, pp_socket_hooks, PP_SOCKET_HOOKS);
	used = hooks_add(all, used, pp_call_hooks, PP_CALL_HOOKS);
	used = hooks_add(all, used, pp_signal_hooks, PP_SIGNAL_HOOKS);
	used = hooks_add(all, used, pp_mask_hooks, PP_MASK_HOOKS);
	used = hooks_add(all, used, pp_raw_hooks, PP_RAW_HOOKS);
	used = hooks_add(all, used, pp_alloc_hooks, PP_ALLOC_HOOKS);
	used = hooks_add(all, used, pp_thread_hooks, PP_THREAD_HOOKS);
	used = hooks_add(all, used, extra_hooks, extra_count);
	patch_result = pp_got_patch(all, used);
}

static void
process_learn_stack_size(void)
{
	pthread_attr_t attr;
	size_t guard;

	if (pthread_getattr_default_np(&attr) != 0)
		return;
	if (pthread_attr_getstacksize(&attr, &default_stack_size) == 0 &&
	    pthread_attr_getguardsize(&attr, &guard) == 0)
		default_stack_size -= guard;
	(void)pthread_attr_destroy(&attr);
}

/* Another thread may have held the lock when this child was made. */
static void
process_forked(void)
{
	pp_signal_forked();
	pp_self_leave();
	scan_lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
}

int
pp_process_hook(const struct pp_got_hook *hooks, size_t count,
    pp_objects_seen_fn seen, const char **why)
{
	if (count > PP_PROCESS_HOOKS_MAX) {
		*why = "too many hooks";
		return (-1);
	}
	extra_hooks = hooks;
	extra_count = count;
	process_learn_stack_size();
	object_seen = seen;
	if (pthread_key_create(&leave_key, thread_ends) != 0 ||
	    pthread_atfork(NULL, NULL, process_forked) != 0) {
		*why = "no room to follow threads and forks";
		return (-1);
	}
	pp_signals_adopt();
	patch_all();
	pp_wait_follow = pp_locks_follow;
	pp_thread_unknown = thread_is_unknown;
	pp_wait_apply();
	if (patch_result == -1) {
		*why = "a call table could not be made writable: some "
		       "threads and libraries will not be seen";
		return (-1);
	}
	return (0);
}

PP_OFTEN void
pp_process_catch_up(void)
{
	if (__builtin_expect(atomic_load_explicit(&behind,
				 memory_order_relaxed),
		0))
		objects_changed();
}
