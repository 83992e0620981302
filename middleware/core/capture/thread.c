/*
 * Registering threads; see thread.h. Cold: once in a thread's life.
 */
#include <sys/syscall.h>

#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/cpu.h"
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
 * Only to show how much of it is in use; pthread_getattr_np() would tell, by
 * system calls that the sandbox does not have. A created thread's descriptor
 * lies at the top of its stack; the main thread's stack is around us.
 */
#define MAIN_STACK_BELOW ((uintptr_t)8 << 20)
#define MAIN_STACK_ABOVE ((uintptr_t)256 << 10)

static void
thread_find_stack(struct pp_thread *thread, size_t size)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1, top;

	top = size != 0 ? (uintptr_t)pthread_self()
			: (uintptr_t)&top + MAIN_STACK_ABOVE;
	if (size == 0)
		size = MAIN_STACK_BELOW + MAIN_STACK_ABOVE;
	thread->stack_size = size & ~page;
	thread->stack_start = ((top + page) & ~page) - thread->stack_size;
}

static struct pp_thread_facts *
thread_facts(const struct pp_thread *thread)
{
	return (&pp_self.slot->thread[thread - pp_self.thread]);
}

static void
thread_tell(const struct pp_thread *thread, const struct pp_thread_birth *birth)
{
	struct pp_thread_facts *facts = thread_facts(thread);
	uint32_t place = (uint32_t)(thread - pp_self.thread), used;

	used = atomic_load(&pp_self.slot->threads_used);
	while (used <= place &&
	    !atomic_compare_exchange_weak(&pp_self.slot->threads_used, &used,
		place + 1))
		;
	atomic_store(&facts->creator, birth->creator);
	atomic_store(&facts->creator_label, birth->label);
	atomic_store(&facts->started_ns, pp_clock_mono());
	/* A dump that was asked for before it began is not its business. */
	atomic_store(&facts->dumped, atomic_load(&pp_self.arena->control.dump));
	atomic_store(&facts->frames, 0);
	atomic_store(&facts->traced_call, 0);
	atomic_store(&facts->traced,
	    atomic_load(&pp_self.arena->control.trace));
	atomic_store(&facts->tid, (uint32_t)thread->tid);
}

void
pp_thread_enter(const struct pp_thread_birth *birth)
{
	struct pp_thread *thread;

	if (pp_self.worker == 0 || pp_thread_self != NULL)
		return;
	pp_unwind_warm();
	thread = thread_claim();
	if (thread == NULL) {
		pp_slot_lose(pp_self.slot, PP_LOSS_THREADS_UNSAMPLED, 1);
		return;
	}
	thread->tid = (pid_t)syscall(SYS_gettid);
	thread_find_stack(thread, birth->stack_size);
	thread->timer = thread->wall_timer = -1;
	atomic_store(&thread->perf_fd, -1);
	atomic_store(&thread->mode, PP_CPU_OFF);
	atomic_store(&thread->period_ns, 0);
	atomic_store(&thread->carry_ns, 0);
	thread_tell(thread, birth);
	pp_thread_self = thread;
	atomic_store(&thread->state, PP_THREAD_LIVE);
	pp_cpu_apply();
}

void
pp_thread_leave(void)
{
	struct pp_thread *thread = pp_thread_self;

	if (thread == NULL)
		return;
	pp_trace_leave();
	pp_thread_self = NULL;
	atomic_store(&thread->state, PP_THREAD_LEAVING);
	pp_cpu_disarm(thread);
	if (pp_self.slot != NULL)
		atomic_store(&thread_facts(thread)->tid, 0);
	atomic_store(&thread->state, PP_THREAD_FREE);
}
