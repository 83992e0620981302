/*
 * Registering threads; see thread.h. Cold: once in a thread's life.
 */
#include <sys/syscall.h>

#include <stddef.h>
#include <unistd.h>

#include "capture/cpu.h"
#include "capture/thread.h"
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

void
pp_thread_enter(void)
{
	struct pp_thread *thread;

	if (pp_self.slot == NULL || pp_thread_self != NULL)
		return;
	pp_unwind_warm();
	thread = thread_claim();
	if (thread == NULL) {
		pp_slot_lose(pp_self.slot, PP_LOSS_THREADS_UNSAMPLED, 1);
		return;
	}
	thread->tid = (pid_t)syscall(SYS_gettid);
	thread->timer = thread->wall_timer = -1;
	atomic_store(&thread->perf_fd, -1);
	atomic_store(&thread->mode, PP_CPU_OFF);
	atomic_store(&thread->period_ns, 0);
	atomic_store(&thread->carry_ns, 0);
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
	pp_thread_self = NULL;
	atomic_store(&thread->state, PP_THREAD_LEAVING);
	pp_cpu_disarm(thread);
	atomic_store(&thread->state, PP_THREAD_FREE);
}
