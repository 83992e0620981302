/*
 * See process.h. This runs seldom: when threads and objects come and go.
 */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "capture/own_stack.h"
#include "capture/self.h"
#include "capture/signal.h"
#include "capture/thread.h"
#include "capture/unwind.h"
#include "capture/unwind_list.h"
#include "capture/wait.h"
#include "hook/alloc.h"
#include "hook/calls.h"
#include "hook/forked.h"
#include "hook/got_names.h"
#include "hook/loader.h"
#include "hook/locks.h"
#include "hook/masks.h"
#include "hook/process.h"
#include "hook/queues.h"
#include "hook/raw.h"
#include "hook/signals.h"
#include "hook/sleeps.h"
#include "hook/sockets.h"
#include "hook/streams.h"
#include "hook/thread_begin.h"
#include "hook/threads.h"
#include "hook/transfers.h"

static int (*real_pthread_create)(pthread_t *, const pthread_attr_t *,
    void *(*)(void *), void *);

struct thread_start {
	void *(*function)(void *);
	void *argument;
	struct pp_thread_creation creation;
	int blocked; /* its creator believes SIGPROF blocked */
};

__thread void *pp_process_argument;

static void
thread_is_unknown(void)
{
	const struct pp_thread_creation creation = { 0 };

	pp_process_thread_begins(&creation);
}

static void *
thread_begins(void *arg)
{
	static atomic_int learnt;
	struct thread_start start = *(struct thread_start *)arg;

	free(arg);
	pp_signal_enter(start.blocked);
	pp_process_thread_begins(&start.creation);
	if (atomic_load(&learnt) == 0)
		(void)pp_own_stack_run(pp_unwind_root, &learnt);
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
	start->creation = pp_process_creation((uintptr_t)function);
	if (attr != NULL &&
	    pthread_attr_getstacksize(attr, &start->creation.stack_size) == 0 &&
	    pthread_attr_getguardsize(attr, &guard) == 0 &&
	    guard < start->creation.stack_size)
		start->creation.stack_size -= guard;
	start->blocked = pp_masks_inherited(attr);
	error = real_pthread_create(thread, attr, thread_begins, start);
	if (error != 0)
		free(start);
	return (error);
}

static const struct pp_got_hook own_hooks[] = {
	{ "pthread_create", (void *)hook_pthread_create,
	    (void **)&real_pthread_create, PP_GOT_ALL },
	{ "dl_iterate_phdr", (void *)pp_unwind_iterate,
	    (void **)&pp_unwind_real_iterate, PP_GOT_UNWINDER },
	{ "sigprocmask", (void *)pp_unwind_sigprocmask,
	    (void **)&pp_unwind_real_sigprocmask, PP_GOT_UNWINDER },
	{ "pthread_sigmask", (void *)pp_unwind_sigmask,
	    (void **)&pp_unwind_real_sigmask, PP_GOT_UNWINDER },
};

#define OWN_HOOKS (sizeof(own_hooks) / sizeof(own_hooks[0]))

#define HOOKS_MAX                                                              \
	(OWN_HOOKS + PP_LOADER_HOOKS + PP_LOCK_HOOKS + PP_TIMED_HOOKS +        \
	    PP_C11_HOOKS + PP_SLEEP_HOOKS + PP_SOCKET_HOOKS + PP_CALL_HOOKS +  \
	    PP_STREAM_HOOKS + PP_QUEUE_HOOKS + PP_TRANSFER_HOOKS +             \
	    PP_SIGNAL_HOOKS + PP_MASK_HOOKS + PP_RAW_HOOKS + PP_ALLOC_HOOKS +  \
	    PP_THREAD_HOOKS + PP_PROCESS_HOOKS_MAX)
_Static_assert(HOOKS_MAX <= PP_GOT_HOOKS_MAX && HOOKS_MAX <= PP_GOT_NAMES_MAX,
    "the tables of got.h must follow");

static struct pp_got_hook all_hooks[HOOKS_MAX];
static size_t all_used;

static void
hooks_add(const struct pp_got_hook *more, size_t count)
{
	if (count != 0)
		memcpy(all_hooks + all_used, more, count * sizeof(*more));
	all_used += count;
}

/* A wrapper of the first column goes on to the function of the second, not to
 * the original of its own name. */
static const char *const made_of[][2] = {
	{ "nanosleep", "clock_nanosleep" },
	{ "usleep", "clock_nanosleep" },
	{ "sleep", "clock_nanosleep" },
	{ "thrd_sleep", "clock_nanosleep" },
	{ "fprintf", "vfprintf" },
	{ "printf", "vfprintf" },
	{ "__fprintf_chk", "__vfprintf_chk" },
	{ "__printf_chk", "__vfprintf_chk" },
	{ "fscanf", "vfscanf" },
	{ "__isoc99_fscanf", "__isoc99_vfscanf" },
	{ "__isoc23_fscanf", "__isoc23_vfscanf" },
	{ "signal", "sigaction" },
	{ "bsd_signal", "sigaction" },
	{ "ssignal", "sigaction" },
	{ "sysv_signal", "sigaction" },
	{ "__sysv_signal", "sigaction" },
	{ "sigset", "sigaction" },
	{ "sigignore", "sigaction" },
	{ "siginterrupt", "sigaction" },
	{ "sigwait", "sigtimedwait" },
	{ "sigwaitinfo", "sigtimedwait" },
};

/* If the two originals are not in one object, another library has replaced one
 * of them (the C library has both): calls of the first name are then not
 * followed. */
static void
hooks_leave_others(void)
{
	const struct pp_got_name *through;
	struct pp_got_name *name;
	Dl_info one, other;
	size_t i;

	for (i = 0; i < sizeof(made_of) / sizeof(made_of[0]); i++) {
		name = pp_got_name(made_of[i][0]);
		through = pp_got_name(made_of[i][1]);
		if (name == NULL || name->original == NULL)
			continue;
		if (through == NULL || through->original == NULL ||
		    dladdr(name->original, &one) == 0 ||
		    dladdr(through->original, &other) == 0 ||
		    one.dli_fbase != other.dli_fbase)
			name->original = NULL;
	}
}

static void
hooks_follow(const struct pp_got_hook *extra, size_t count)
{
	all_used = 0;
	hooks_add(own_hooks, OWN_HOOKS);
	hooks_add(pp_hook_loader, PP_LOADER_HOOKS);
	hooks_add(pp_hook_lock, PP_LOCK_HOOKS);
	hooks_add(pp_hook_timed, PP_TIMED_HOOKS);
	hooks_add(pp_hook_c11, PP_C11_HOOKS);
	hooks_add(pp_hook_sleep, PP_SLEEP_HOOKS);
	hooks_add(pp_hook_socket, PP_SOCKET_HOOKS);
	hooks_add(pp_hook_transfer, PP_TRANSFER_HOOKS);
	hooks_add(pp_hook_call, PP_CALL_HOOKS);
	hooks_add(pp_hook_stream, PP_STREAM_HOOKS);
	hooks_add(pp_hook_queue, PP_QUEUE_HOOKS);
	hooks_add(pp_hook_signal, PP_SIGNAL_HOOKS);
	hooks_add(pp_hook_mask, PP_MASK_HOOKS);
	hooks_add(pp_hook_raw, PP_RAW_HOOKS);
	hooks_add(pp_hook_alloc, PP_ALLOC_HOOKS);
	hooks_add(pp_hook_thread, PP_THREAD_HOOKS);
	hooks_add(extra, count);
	(void)pp_got_follow(all_hooks, all_used);
	hooks_leave_others();
}

int
pp_process_hook(const struct pp_got_hook *hooks, size_t count,
    pp_objects_seen_fn seen, const char **why)
{
	int patched;

	if (count > PP_PROCESS_HOOKS_MAX) {
		*why = "too many hooks";
		return (-1);
	}
	hooks_follow(hooks, count);
	if (pp_process_begin_prepare() == -1 ||
	    pthread_atfork(NULL, NULL, pp_process_forked) != 0) {
		*why = "no room to follow threads and forks";
		return (-1);
	}
	pp_signals_adopt();
	patched = pp_loader_begin(seen);
	pp_wait_follow = pp_locks_follow;
	pp_thread_unknown = thread_is_unknown;
	pp_wait_apply();
	if (patched == -1) {
		*why = "a call table could not be made writable: some "
		       "threads and libraries will not be seen";
		return (-1);
	}
	return (0);
}
