/*
 * See thread_begin.h.
 */
#include <limits.h>
#include <pthread.h>

#include "capture/self.h"
#include "capture/signal.h"
#include "capture/wait.h"
#include "hook/thread_begin.h"

static pthread_key_t leave_key;

/* The thread leaves after the destructors of all other keys, since their CPU
 * time is the thread's, too. While a key has a value, the C library calls the
 * destructors again, PTHREAD_DESTRUCTOR_ITERATIONS times at most; `rounds`
 * counts these calls. */
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
pp_process_thread_begins(const struct pp_thread_creation *creation)
{
	pp_thread_enter(creation);
	pp_signal_known((uintptr_t)pthread_self());
	(void)pthread_setspecific(leave_key,
	    (const void *)(uintptr_t)PTHREAD_DESTRUCTOR_ITERATIONS);
}

/* This is asked each time, since pthread_setattr_default_np() changes it. */
static size_t
default_stack_size(void)
{
	pthread_attr_t attr;
	size_t size = 0, guard;

	if (pthread_getattr_default_np(&attr) != 0)
		return (0);
	if (pthread_attr_getstacksize(&attr, &size) == 0 &&
	    pthread_attr_getguardsize(&attr, &guard) == 0 && guard < size)
		size -= guard;
	(void)pthread_attr_destroy(&attr);
	return (size);
}

struct pp_thread_creation
pp_process_creation(uintptr_t function)
{
	return ((struct pp_thread_creation){ .stack_size = default_stack_size(),
	    .function = function,
	    .creator = pp_wait_stack(),
	    .label = pp_label_now });
}

int
pp_process_begin_prepare(void)
{
	return (pthread_key_create(&leave_key, thread_ends) != 0 ? -1 : 0);
}
