/*
 * Registering threads; see thread.h. Cold: once in a thread's life.
 */
#include <sys/syscall.h>

#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/own_stack.h"
#include "capture/sampler.h"
#include "capture/signal.h"
#include "capture/thread.h"
#include "capture/trace.h"
#include "capture/unwind.h"

static struct pp_thread *
thread_claim(void)
{
	unsigned int i;
	int expected;

	for (i = 0; i < PP_THREADS_MAX; i++) {
		expected = PP_THREAD_FREE;
		if (atomic_compare_exchange_strong(&pp_self.thread[i].state,
			&expected, PP_THREAD_CLAIMED))
			return (&pp_self.thread[i]);
	}
	return (NULL);
}

/*
 * pthread_getattr_np() needs system calls that the sandbox does not allow. The
 * descriptor of a created thread lies at the top of its stack. The main
 * thread's stack was found before the sandbox began.
 */
static void
thread_find_stack(struct pp_thread *thread, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t top = (uintptr_t)pthread_self(), start = 0;

	if (size != 0)
		start = ((top + page) & ~page) - (size & ~page);
	else if (atomic_load(&thread->tid) == pp_self.pid) {
		start = pp_self.main_stack;
		size = pp_self.main_stack_size;
	}
	atomic_store(&thread->stack_start, start);
	atomic_store(&thread->stack_size, start != 0 ? size & ~page : 0);
}

static struct pp_thread_facts *
thread_facts(const struct pp_thread *thread)
{
	return (&pp_self.slot->thread[thread - pp_self.thread]);
}

static void
thread_publish(const struct pp_thread *thread,
    const struct pp_thread_creation *creation)
{
	struct pp_thread_facts *facts = thread_facts(thread);
	uint32_t place = (uint32_t)(thread - pp_self.thread), used;

	used = atomic_load(&pp_self.slot->threads_used);
	while (used <= place &&
	    !atomic_compare_exchange_weak(&pp_self.slot->threads_used, &used,
		place + 1))
		;
	atomic_store(&facts->creator, creation->creator);
	atomic_store(&facts->creator_label, creation->label);
	atomic_store(&facts->started_ns, pp_clock_mono());
	/* The thread does not answer a dump that was asked for before the
	 * thread began. */
	atomic_store(&facts->unsampled_ns, 0);
	atomic_store(&facts->dumped, atomic_load(&pp_self.arena->control.dump));
	atomic_store(&facts->frames, 0);
	atomic_store(&facts->traced_call, 0);
	atomic_store(&facts->traced,
	    atomic_load(&pp_self.arena->control.trace));
	atomic_store(&facts->tid, (uint32_t)atomic_load(&thread->tid));
}

static void
thread_warm(void *unused)
{
	(void)unused;
	pp_unwind_warm();
}

/* Fills the fields of a claimed entry that must be set before the state LIVE.
 */
static void
thread_begin(struct pp_thread *thread,
    const struct pp_thread_creation *creation)
{
	atomic_store(&thread->tid, (pid_t)syscall(SYS_gettid));
	atomic_store(&thread->timer, -1);
	atomic_store(&thread->wall_timer, -1);
	atomic_store(&thread->perf_fd, -1);
	atomic_store(&thread->mode, PP_CPU_OFF);
	atomic_store(&thread->last_cpu_ns, 0);
	thread->function = creation->function;
	thread_publish(thread, creation);
}

static void
thread_end(struct pp_thread *thread)
{
	uint64_t left;

	atomic_store(&thread->state, PP_THREAD_LEAVING);
	left = pp_sampler_leave(thread);
	if (left != 0)
		pp_sampler_left(thread, left, thread->function);
	if (pp_self.slot != NULL)
		atomic_store(&thread_facts(thread)->tid, 0);
	atomic_store(&thread->state, PP_THREAD_FREE);
}

void
pp_thread_enter(const struct pp_thread_creation *creation)
{
	struct pp_thread *thread;

	if (pp_self.worker == 0 || pp_thread_self != NULL || pp_thread_gone)
		return;
	thread = thread_claim();
	if (thread == NULL) {
		pp_slot_lose(pp_self.slot, PP_LOSS_THREADS_UNSAMPLED, 1);
		pp_thread_gone = 1;
		return;
	}
	thread->bare = NULL;
	thread_begin(thread, creation);
	thread_find_stack(thread, creation->stack_size);
	pp_thread_self = thread;
	(void)pp_own_stack_run(thread_warm, NULL);
	atomic_store(&thread->state, PP_THREAD_LIVE);
	pp_sampler_enter(thread);
}

void
pp_thread_leave(void)
{
	struct pp_thread *thread = pp_thread_self;

	pp_thread_gone = 1;
	/* The thread may have been cancelled in a call that was going on. */
	pp_signal_continued();
	if (thread == NULL)
		return;
	pp_trace_leave();
	pp_thread_self = NULL;
	thread_end(thread);
}

/* A bare thread that has ended by the system call alone has left its entry and
 * its timers: they are taken back. */
static void
bare_sweep(void)
{
	struct pp_thread *thread;
	unsigned int i;

	for (i = 0; i < PP_THREADS_MAX; i++) {
		thread = &pp_self.thread[i];
		if (atomic_load(&thread->state) == PP_THREAD_LIVE &&
		    thread->bare != NULL &&
		    pp_clock_read(pp_clock_thread(atomic_load(&thread->tid))) ==
			0)
			thread_end(thread);
	}
}

struct pp_thread *
pp_thread_bare(int (*function)(void *), void *argument)
{
	struct pp_thread *thread;

	if (pp_self.worker == 0)
		return (NULL);
	bare_sweep();
	thread = thread_claim();
	if (thread == NULL) {
		pp_slot_lose(pp_self.slot, PP_LOSS_THREADS_UNSAMPLED, 1);
		return (NULL);
	}
	thread->bare = function;
	thread->bare_argument = argument;
	return (thread);
}

void
pp_thread_bare_drop(struct pp_thread *thread)
{
	thread->bare = NULL;
	atomic_store(&thread->state, PP_THREAD_FREE);
}

int
pp_thread_bare_run(struct pp_thread *thread)
{
	struct pp_thread_creation creation = { .function =
						   (uintptr_t)thread->bare };
	int status;

	thread_begin(thread, &creation);
	atomic_store(&thread->stack_start, 0);
	atomic_store(&thread->stack_size, 0);
	atomic_store(&thread->state, PP_THREAD_LIVE);
	pp_sampler_enter(thread);
	status = thread->bare(thread->bare_argument);
	thread_end(thread);
	return (status);
}
