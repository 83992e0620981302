/*
 * See threads.h.
 */
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

#include "capture/signal.h"
#include "capture/thread.h"
#include "hook/forked.h"
#include "hook/masks.h"
#include "hook/thread_begin.h"
#include "hook/threads.h"

static int (*real_thrd_create)(thrd_t *, thrd_start_t, void *);
static int (*real_timer_create)(clockid_t, struct sigevent *, timer_t *);
static int (*real_mq_notify)(mqd_t, const struct sigevent *);
static int (*real_clone)(int (*)(void *), void *, int, void *, ...);
static pid_t (*real__Fork)(void);

struct c11_start {
	thrd_start_t function;
	void *argument;
	struct pp_thread_creation creation;
	int blocked; /* its creator believes SIGPROF blocked */
};

static int
c11_begins(void *arg)
{
	struct c11_start start = *(struct c11_start *)arg;

	free(arg);
	pp_signal_enter(start.blocked);
	pp_process_thread_begins(&start.creation);
	return (start.function(start.argument));
}

static int
hook_thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
	struct c11_start *start;
	int error;

	if (pp_self.worker == 0 || (start = malloc(sizeof(*start))) == NULL)
		return (real_thrd_create(thread, function, argument));
	start->function = function;
	start->argument = argument;
	start->creation = pp_process_creation((uintptr_t)function);
	start->blocked = pp_masks_inherited(NULL);
	error = real_thrd_create(thread, c11_begins, start);
	if (error != thrd_success)
		free(start);
	return (error);
}

/*
 * The functions that a thread of the C library is to call. An entry is never
 * given back: when its timer is gone, a notification may still be under way.
 * Equal functions with equal values share an entry.
 *
 * The store of 2 into `used` releases the rest of the entry, and the load of 2
 * acquires it. `used` only goes from 0 to 1 to 2, so no entry has a second life
 * that could be mixed up with its first.
 */
#define NOTICES_MAX 256

struct notice {
	_Atomic int used; /* 0: free, 1: being written, 2: whole */
	void (*function)(union sigval);
	union sigval value;
};

static struct notice notices[NOTICES_MAX];

static void
notice_begins(union sigval arg)
{
	const struct notice *notice = arg.sival_ptr;
	struct pp_thread_creation creation = {
		.function = (uintptr_t)notice->function,
	};

	pp_signal_enter(0);
	pp_process_thread_begins(&creation);
	notice->function(notice->value);
}

/* Returns a copy of `event` that calls notice_begins(), or the caller's `event`
 * if there is nothing to follow or no room. */
static const struct sigevent *
notice_of(const struct sigevent *event, struct sigevent *copy)
{
	struct notice *notice;
	int expected;
	size_t i;

	if (pp_self.worker == 0 || event == NULL ||
	    event->sigev_notify != SIGEV_THREAD)
		return (event);
	for (i = 0; i < NOTICES_MAX; i++) {
		notice = &notices[i];
		expected = 0;
		if (atomic_compare_exchange_strong(&notice->used, &expected,
			1)) {
			notice->function = event->sigev_notify_function;
			notice->value = event->sigev_value;
			atomic_store(&notice->used, 2);
		} else if (atomic_load(&notice->used) != 2 ||
		    notice->function != event->sigev_notify_function ||
		    notice->value.sival_ptr != event->sigev_value.sival_ptr) {
			continue;
		}
		*copy = *event;
		copy->sigev_notify_function = notice_begins;
		copy->sigev_value.sival_ptr = notice;
		return (copy);
	}
	return (event);
}

static int
hook_timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
	struct sigevent copy;

	return (real_timer_create(clock,
	    (struct sigevent *)(uintptr_t)notice_of(event, &copy), timer));
}

static int
hook_mq_notify(mqd_t queue, const struct sigevent *event)
{
	struct sigevent copy;

	return (real_mq_notify(queue, notice_of(event, &copy)));
}

/* Runs in a thread whose thread-local variables may be another thread's. */
static int
bare_begins(void *arg)
{
	return (pp_thread_bare_run(arg));
}

struct child {
	int (*function)(void *);
	void *argument;
};

/* Called in a child that has its parent's memory as it was. */
static int
child_begins(void *arg)
{
	const struct child *child = arg;

	pp_process_forked();
	return (child->function(child->argument));
}

static int
hook_clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	struct pp_thread *thread = NULL;
	struct child child = { function, argument };
	void *parent_tid, *tls, *child_tid;
	va_list more;
	int tid;

	va_start(more, argument);
	parent_tid = va_arg(more, void *);
	tls = va_arg(more, void *);
	child_tid = va_arg(more, void *);
	va_end(more);
	if ((flags & CLONE_VM) == 0)
		return (real_clone(child_begins, stack, flags, &child,
		    parent_tid, tls, child_tid));
	if ((flags & CLONE_THREAD) != 0)
		thread = pp_thread_bare(function, argument);
	if (thread == NULL)
		return (real_clone(function, stack, flags, argument, parent_tid,
		    tls, child_tid));
	tid = real_clone(bare_begins, stack, flags, thread, parent_tid, tls,
	    child_tid);
	if (tid == -1)
		pp_thread_bare_drop(thread);
	return (tid);
}

static pid_t
hook__Fork(void)
{
	pid_t pid = real__Fork();

	if (pid == 0)
		pp_process_forked();
	return (pid);
}

#define THREAD_HOOK(name)                                                      \
	{                                                                      \
#name, (void *)hook_##name, (void **)&real_##name, PP_GOT_ALL  \
	}

const struct pp_got_hook pp_hook_thread[PP_THREAD_HOOKS] = {
	THREAD_HOOK(thrd_create),
	THREAD_HOOK(timer_create),
	THREAD_HOOK(mq_notify),
	THREAD_HOOK(clone),
	THREAD_HOOK(_Fork),
};
